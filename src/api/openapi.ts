import type { Api } from './api.ts'
import type { Dialect } from './dialect.ts'
import { defineRoute } from './route.ts'
import { describedFailure } from './v1/describe.ts'
import { failed, failedWith } from './v1/envelope.ts'

/** `/openapi.json`: what every route takes, for whoever is known here. `api` is asked when the request comes. */
export function openapiDialect(api: () => Api): Dialect {
  return {
    name: 'openapi',
    prefixes: ['/openapi.json'],
    bodies: 'json',
    routes: [
      defineRoute({
        method: 'GET',
        path: '/openapi.json',
        summary: 'Describe every route',
        access: { kind: 'authenticated' },
        handler: () => ({ status: 200, body: api().describe() }),
      }),
    ],
    describeAnswers: () => ({
      200: { type: 'object', description: 'A document of OpenAPI 3.1' },
      default: describedFailure,
    }),
    onError: (error) => failed(error),
    onUnknownRoute: () => failedWith(404, 'Not Found'),
    onUnknownMethod: () => failedWith(501, 'Not Implemented'),
  }
}
