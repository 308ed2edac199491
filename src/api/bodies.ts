import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LinkspanError } from '../base/errors.ts'
import { isBrowser } from './browser-guard.ts'

/** Which bodies a dialect's scope takes: JSON that is parsed, or streams that its handlers read. */
export function acceptBodies(scope: FastifyInstance, bodies: 'json' | 'stream'): void {
  scope.removeAllContentTypeParsers()
  if (bodies === 'stream') {
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    return
  }
  const parseJson = scope.getDefaultJsonParser('error', 'error')
  const parse = (request: FastifyRequest, text: string, done: (error: Error | null, body?: unknown) => void) => {
    // A body of no characters is no body, whatever type it is said to have.
    if (text.trim() === '') return done(null, undefined)
    void parseJson(request, text, (error, body) => {
      if (error) done(new LinkspanError('invalid-request', `The body is not JSON: ${error.message}`))
      else done(null, body)
    })
  }
  scope.addContentTypeParser(/^application\/([\w.-]+\+)?json\b/, { parseAs: 'string' }, parse)
  // Forms and plain text are what a browser sends for other sites without asking; tools that are none may be careless.
  scope.addContentTypeParser('*', { parseAs: 'string' }, (request, text: string, done) => {
    if (isBrowser(request.headers)) {
      done(new LinkspanError('invalid-request', 'Send the body as JSON, with Content-Type: application/json'))
    } else {
      parse(request, text, done)
    }
  })
}
