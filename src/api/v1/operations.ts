import { Type } from 'typebox'
import { LinkspanError } from '../../base/errors.ts'
import { Operation as OperationSchema } from '../../contract/v1.ts'
import { listOf } from '../../contract/v1-shape.ts'
import type { OperationView } from '../../events/event.ts'
import type { Operation } from '../../events/operation.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import { tokenRevoked } from './certificate-token.ts'
import { done, failedWith, operationUrl, sync } from './envelope.ts'
import { wantsObjects } from './listing.ts'
import type { V1Rooms } from './rooms.ts'

const collection = '/1.0/operations'
const item = `${collection}/:id`
const access = { kind: 'authenticated' } as const

export function operationRoutes(rooms: V1Rooms): Route[] {
  return [listRoute(rooms), getRoute(rooms), cancelRoute(rooms), waitRoute(rooms)]
}

function listRoute({ operations }: V1Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: collection,
    summary: 'List operations by their status',
    result: Type.Record(Type.String(), listOf(OperationSchema)),
    access,
    query: { recursion: '1: the operations themselves instead of their URLs' },
    handler: (request) => {
      const byStatus: Record<string, unknown[]> = {}
      for (const operation of operations.list()) {
        const view = show(request, operation)
        if (!maySee(request, view)) continue
        const status = view.status.toLowerCase()
        byStatus[status] = [...(byStatus[status] ?? []), wantsObjects(request) ? view : operationUrl(view.id)]
      }
      return sync(byStatus)
    },
  })
}

function getRoute(rooms: V1Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: item,
    summary: 'Show an operation',
    access,
    result: OperationSchema,
    handler: (request) => sync(show(request, find(rooms, request))),
  })
}

function cancelRoute(rooms: V1Rooms): Route {
  return defineRoute({
    method: 'DELETE',
    path: item,
    summary: 'Cancel an operation',
    access,
    handler: (request) => {
      const { view } = find(rooms, request)
      if (!isOwn(request, view)) request.require(view.class === 'token' ? 'can_create_identities' : 'can_edit')
      rooms.operations.cancel(view.id)
      if (view.class === 'token') tokenRevoked(rooms, request, view)
      return done()
    },
  })
}

function waitRoute(rooms: V1Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: `${item}/wait`,
    summary: 'Wait for the end of an operation',
    // Null when it still goes on after so many seconds, which is an error in an answer of status 200.
    result: Type.Union([OperationSchema, Type.Null()]),
    access,
    query: { timeout: 'Seconds; without it, or with -1, as long as it takes' },
    handler: async (request) => {
      const { id } = find(rooms, request)
      const seconds = Number(request.query('timeout') ?? -1)
      if (Number.isNaN(seconds)) throw new LinkspanError('invalid-request', 'Expected "timeout" to be seconds')
      // A revoked caller learns nothing more: its connections are cut, which ends the wait.
      try {
        return sync(await rooms.operations.wait(id, seconds < 0 ? null : seconds * 1000, request.signal))
      } catch (error) {
        // LXD's way of saying that it still goes on: an error in the envelope, none in the status.
        if (error instanceof LinkspanError && error.code === 'timeout') {
          return { ...failedWith(500, error.message), status: 200 }
        }
        throw error
      }
    },
  })
}

/** Throws `not-found`, also for what the caller may not see. */
function find({ operations }: V1Rooms, request: ApiRequest): Operation {
  const operation = operations.get(request.param('id'))
  if (maySee(request, operation.view)) return operation
  throw new LinkspanError('not-found', `There is no operation ${operation.id}, or it ended a while ago`)
}

/** A token's secret is for those who could make one for themselves. */
function show(request: ApiRequest, { view, secret }: Operation): OperationView {
  if (secret === undefined || !request.may('can_create_identities')) return view
  return { ...view, metadata: { ...view.metadata, secret } }
}

function maySee(request: ApiRequest, view: OperationView): boolean {
  return isOwn(request, view) || request.may('can_view_operations')
}

function isOwn(request: ApiRequest, view: OperationView): boolean {
  const { username, protocol } = request.requestor
  return username !== '' && view.requestor?.username === username && view.requestor.protocol === protocol
}
