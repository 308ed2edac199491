import { LinkspanError } from '../../base/errors.ts'
import { entityUrl } from '../../contract/entities.ts'
import type { Mirrors } from '../../mirror/mirrors.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route, type RouteAccess } from '../route.ts'
import { done } from './envelope.ts'
import { auditOf, type V1Rooms } from './rooms.ts'

interface Rooms extends Pick<V1Rooms, 'bus'> {
  mirrors: Mirrors
}

const path = '/1.0/topics/:name/fence'
const access: RouteAccess = { kind: 'entitlement', entitlement: 'can_edit', entity: refOf }

/** For a linked cluster that takes a topic over, and for this one's operators: nobody writes until it is lifted. */
export function topicFenceRoutes(rooms: Rooms): Route[] {
  return [
    defineRoute({
      method: 'PUT',
      path,
      summary: "Deny writing to a topic to everybody whom the Kafka cluster's authorizer binds",
      access,
      handler: async (request) => {
        const { name } = refOf(request)
        await rooms.mirrors.fences.fence(name)
        tell(rooms, request, 'topic-fenced')
        return done()
      },
    }),
    defineRoute({
      method: 'DELETE',
      path,
      summary: 'Let the writers of a fenced topic write again',
      access,
      handler: async (request) => {
        const { name } = refOf(request)
        if (!(await rooms.mirrors.fences.lift(name))) throw notFenced(name)
        tell(rooms, request, 'topic-unfenced')
        return done()
      },
    }),
  ]
}

function refOf(request: ApiRequest) {
  return { type: 'topic', name: request.param('name') } as const
}

function tell(rooms: Rooms, request: ApiRequest, action: string): void {
  auditOf(rooms).lifecycle(request, action, entityUrl(refOf(request)))
}

function notFenced(name: string): LinkspanError {
  return new LinkspanError('state-conflict', `Topic '${name}' is not fenced`)
}
