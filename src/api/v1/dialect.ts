import { LinkspanError } from '../../base/errors.ts'
import type { Dialect } from '../dialect.ts'
import type { ApiRequest } from '../request.ts'
import type { Route } from '../route.ts'
import { describeAnswers } from './describe.ts'
import { failed, failedWith } from './envelope.ts'

/** Only members of a cluster of LXD's use these names for themselves. */
const reservedAgents = ['lxd-cluster-notifier', 'lxd-operation-notifier', 'lxd-cluster-joiner']
const forwardHeaders = ['x-lxd-forwarded-address', 'x-lxd-forwarded-username', 'x-lxd-forwarded-protocol']

/** LXD's dialect. */
export function v1Dialect(routes: readonly Route[]): Dialect {
  return {
    name: 'lxd',
    prefixes: ['/1.0'],
    bodies: 'json',
    routes,
    onError: (error) => failed(error),
    onUnknownRoute: () => failedWith(404, 'Not Found'),
    onUnknownMethod: () => failedWith(501, 'Not Implemented'),
    describeAnswers,
    onRequest: checkHeaders,
  }
}

function checkHeaders(request: ApiRequest): void {
  if (
    reservedAgents.includes(request.userAgent) ||
    forwardHeaders.some((name) => request.headers[name] !== undefined)
  ) {
    throw new LinkspanError('not-permitted', 'Only members of the same cluster may speak for others')
  }
  if (request.headers['x-lxd-authenticated'] === 'true') request.requireTrusted()
}
