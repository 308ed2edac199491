import { LinkspanError } from '../../base/errors.ts'
import { serverRef } from '../../contract/entities.ts'
import { type Warning, WarningPut, Warning as WarningSchema } from '../../contract/v1.ts'
import { listOf } from '../../contract/v1-shape.ts'
import type { WarningRow } from '../../events/warnings.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import { done, sync, syncTagged } from './envelope.ts'
import { checkMatch } from './etag.ts'
import { recursionQuery, wantsObjects } from './listing.ts'
import { auditOf, type V1Rooms } from './rooms.ts'

const collection = '/1.0/warnings'
const item = `${collection}/:uuid`

const view = { kind: 'entitlement', entitlement: 'can_view_warnings', entity: () => serverRef } as const
const edit = { kind: 'entitlement', entitlement: 'can_edit', entity: () => serverRef } as const

export function warningRoutes(rooms: V1Rooms): Route[] {
  return [
    listRoute(rooms),
    getRoute(rooms),
    changeRoute(rooms, 'PUT', 'Acknowledge a warning, or make it new again'),
    changeRoute(rooms, 'PATCH', 'The same as PUT'),
    deleteRoute(rooms),
  ]
}

function listRoute({ warnings }: V1Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: collection,
    summary: 'List warnings',
    result: listOf(WarningSchema),
    access: view,
    query: { recursion: recursionQuery.recursion },
    handler: (request) => {
      const rows = warnings.list()
      return sync(wantsObjects(request) ? rows.map(showWarning) : rows.map(({ uuid }) => urlOf(uuid)))
    },
  })
}

function getRoute({ warnings }: V1Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: item,
    summary: 'Show a warning',
    access: view,
    result: WarningSchema,
    handler: (request) => syncTagged(showWarning(warnings.get(request.param('uuid')))),
  })
}

function changeRoute(rooms: V1Rooms, method: 'PUT' | 'PATCH', summary: string): Route {
  return defineRoute({
    method,
    path: item,
    summary,
    access: edit,
    body: WarningPut,
    handler: async (request: ApiRequest<WarningPut>) => {
      const uuid = request.param('uuid')
      const { status } = request.body
      // It is over when it is over: that is nothing to be wished for.
      if (status !== 'acknowledged' && status !== 'new') {
        throw new LinkspanError('invalid-request', 'The status of a warning can be set to "acknowledged" or to "new"')
      }
      await rooms.warnings.setStatus(uuid, status, (row) => checkMatch(request, showWarning(row)))
      auditOf(rooms).lifecycle(request, status === 'new' ? 'warning-reset' : 'warning-acknowledged', urlOf(uuid))
      return done()
    },
  })
}

function deleteRoute(rooms: V1Rooms): Route {
  return defineRoute({
    method: 'DELETE',
    path: item,
    summary: 'Delete a warning; it comes again if what it tells of is still so',
    access: edit,
    handler: async (request) => {
      const uuid = request.param('uuid')
      await rooms.warnings.delete(uuid)
      auditOf(rooms).lifecycle(request, 'warning-deleted', urlOf(uuid))
      return done()
    },
  })
}

function urlOf(uuid: string): string {
  return `${collection}/${encodeURIComponent(uuid)}`
}

function showWarning(row: WarningRow): Warning {
  const { uuid, type, count, firstSeenMs, lastSeenMs, message, severity, status, entity } = row
  return {
    uuid,
    location: 'none',
    project: '',
    type,
    count,
    first_seen_at: new Date(firstSeenMs).toISOString(),
    last_seen_at: new Date(lastSeenMs).toISOString(),
    last_message: message,
    severity,
    status,
    entity_url: entity,
  }
}
