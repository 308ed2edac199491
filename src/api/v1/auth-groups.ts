import {
  createGroupChanges,
  deleteGroupChanges,
  type GroupInput,
  getGroup,
  listGroups,
  membersOf,
  renameGroupChanges,
  replaceGroupChanges,
} from '../../access/groups.ts'
import type { GroupRow } from '../../access/rows.ts'
import type { EntityRef } from '../../contract/entities.ts'
import { entityUrl } from '../../contract/entities.ts'
import { AuthGroup, AuthGroupPut, AuthGroupsPost, NamePost } from '../../contract/v1.ts'
import { listOf, Texts } from '../../contract/v1-shape.ts'
import type { RowsView } from '../../store/rows.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import { created, done, sync, syncTagged } from './envelope.ts'
import { checkMatch } from './etag.ts'
import { listAnswer, recursionQuery, shownWithEntitlements } from './listing.ts'
import { auditOf, type V1Rooms } from './rooms.ts'

const collection = '/1.0/auth/groups'
const item = `${collection}/:name`

const groupOf = (request: ApiRequest): EntityRef => ({ type: 'group', name: request.param('name') })
const needs = (entitlement: 'can_view' | 'can_edit' | 'can_delete') => {
  return { kind: 'entitlement', entitlement, entity: groupOf } as const
}

export function authGroupRoutes(rooms: V1Rooms): Route[] {
  return [
    listRoute(rooms),
    createRoute(rooms),
    getRoute(rooms),
    replaceRoute(rooms),
    patchRoute(rooms),
    renameRoute(rooms),
    deleteRoute(rooms),
    identityProviderRoute(),
  ]
}

function listRoute({ access }: V1Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: collection,
    summary: 'List auth groups',
    result: listOf(AuthGroup),
    access: { kind: 'authenticated' },
    query: recursionQuery,
    handler: (request) => {
      const entries = listGroups(access.rows).map((group) => {
        const ref: EntityRef = { type: 'group', name: group.name }
        return { ref, url: entityUrl(ref), show: () => showGroup(access.rows, group, request) }
      })
      return listAnswer(request, 'group', entries)
    },
  })
}

function createRoute(rooms: V1Rooms): Route {
  const { access } = rooms
  return defineRoute({
    method: 'POST',
    path: collection,
    summary: 'Create an auth group',
    access: { kind: 'entitlement', entitlement: 'can_create_groups', entity: () => ({ type: 'server', name: '' }) },
    body: AuthGroupsPost,
    answers: [201],
    handler: async (request) => {
      const { name } = request.body
      await access.execute('create group', (rows) => {
        const { changes } = createGroupChanges(rows, access.hooks, name, inputOf(request.body))
        return { changes, result: undefined }
      })
      auditOf(rooms).groupChanged(request, 'created', name)
      return created(entityUrl({ type: 'group', name }))
    },
  })
}

function getRoute({ access }: V1Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: item,
    summary: 'Show an auth group',
    access: needs('can_view'),
    result: AuthGroup,
    handler: (request) => {
      const group = getGroup(access.rows, request.param('name'))
      const shown = showGroup(access.rows, group, request)
      return syncTagged(shownWithEntitlements(request, groupOf(request), shown), showWhole(access.rows, group))
    },
  })
}

function replaceRoute(rooms: V1Rooms): Route {
  return defineRoute({
    method: 'PUT',
    path: item,
    summary: 'Replace the description and the permissions of an auth group',
    access: needs('can_edit'),
    body: AuthGroupPut,
    handler: async (request) => {
      await update(rooms, request, () => inputOf(request.body))
      return done()
    },
  })
}

function patchRoute(rooms: V1Rooms): Route {
  return defineRoute({
    method: 'PATCH',
    path: item,
    summary: 'Add permissions to an auth group, and describe it anew',
    access: needs('can_edit'),
    body: AuthGroupPut,
    handler: async (request) => {
      await update(rooms, request, (group) => ({
        description: request.body.description || group.description,
        permissions: [...group.permissions, ...(request.body.permissions ?? [])],
      }))
      return done()
    },
  })
}

async function update(
  rooms: V1Rooms,
  request: ApiRequest,
  inputFrom: (group: Readonly<GroupRow>) => GroupInput,
): Promise<void> {
  const { access } = rooms
  const name = request.param('name')
  await access.execute('update group', (rows) => {
    const group = getGroup(rows, name)
    checkMatch(request, showWhole(rows, group))
    return { changes: replaceGroupChanges(rows, access.hooks, name, inputFrom(group)), result: undefined }
  })
  auditOf(rooms).groupChanged(request, 'updated', name)
}

function renameRoute(rooms: V1Rooms): Route {
  const { access } = rooms
  return defineRoute({
    method: 'POST',
    path: item,
    summary: 'Rename an auth group',
    access: needs('can_edit'),
    body: NamePost,
    answers: [201],
    handler: async (request) => {
      const [oldName, name] = [request.param('name'), request.body.name]
      await access.execute('rename group', (rows) => {
        return { changes: renameGroupChanges(rows, oldName, name), result: undefined }
      })
      auditOf(rooms).groupChanged(request, 'renamed', name, oldName)
      return created(entityUrl({ type: 'group', name }))
    },
  })
}

function deleteRoute(rooms: V1Rooms): Route {
  const { access } = rooms
  return defineRoute({
    method: 'DELETE',
    path: item,
    summary: 'Delete an auth group',
    access: needs('can_delete'),
    handler: async (request) => {
      const name = request.param('name')
      await access.execute('delete group', (rows) => ({ changes: deleteGroupChanges(rows, name), result: undefined }))
      auditOf(rooms).groupChanged(request, 'deleted', name)
      return done()
    },
  })
}

/** Of logins by an identity provider, which there are none of: LXD's clients may ask all the same. */
function identityProviderRoute(): Route {
  return defineRoute({
    method: 'GET',
    path: '/1.0/auth/identity-provider-groups',
    summary: 'List identity provider groups: none',
    access: { kind: 'authenticated' },
    query: recursionQuery,
    result: Texts,
    handler: () => sync([]),
  })
}

function inputOf(body: AuthGroupPut): GroupInput {
  return { description: body.description ?? '', permissions: body.permissions ?? [] }
}

/** Members only as far as the caller may see them. */
function showGroup(rows: RowsView, group: Readonly<GroupRow>, request: ApiRequest): AuthGroup {
  const whole = showWhole(rows, group)
  const tls = (whole.identities.tls ?? []).filter((name) => request.mayView({ type: 'identity', name }))
  return { ...whole, identities: tls.length > 0 ? { tls } : {} }
}

/** What the ETag covers: the same for every caller. */
function showWhole(rows: RowsView, group: Readonly<GroupRow>): AuthGroup {
  const { name, description, permissions } = group
  const tls = membersOf(rows, name)
  const identities: Record<string, string[]> = tls.length > 0 ? { tls } : {}
  return { name, description, permissions: [...permissions], identities, identity_provider_groups: [] }
}
