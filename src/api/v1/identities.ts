import { readIdentityCertificate } from '../../access/access.ts'
import { deleteIdentityChanges, findIdentity, getIdentity, listIdentities } from '../../access/identities.ts'
import { isLegacy } from '../../access/rows.ts'
import { LinkspanError } from '../../base/errors.ts'
import { type EntityRef, entityUrl } from '../../contract/entities.ts'
import { Identity, IdentityInfo, IdentityPut } from '../../contract/v1.ts'
import { listOf } from '../../contract/v1-shape.ts'
import { linkOfIdentity } from '../../link/rows.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import { linkDeleted } from './cluster-link-events.ts'
import { done, sync, syncTagged } from './envelope.ts'
import { changeIdentity, requireChange } from './identity-change.ts'
import { createIdentityRoute } from './identity-create.ts'
import { describeIdentity, showIdentity } from './identity-view.ts'
import { listAnswer, recursionQuery, shownWithEntitlements } from './listing.ts'
import { auditOf, type V1Rooms } from './rooms.ts'

export const identitiesPath = '/1.0/auth/identities'
const item = `${identitiesPath}/tls/:nameOrId`

export function identityRoutes(rooms: V1Rooms): Route[] {
  return [
    listRoute(rooms, identitiesPath, 'List identities', () => true),
    listRoute(rooms, `${identitiesPath}/tls`, 'List identities that have certificates', () => true),
    // Ways to log in that LXD knows and we do not: nobody does so here.
    listRoute(rooms, `${identitiesPath}/oidc`, 'List OIDC identities: none', () => false),
    listRoute(rooms, `${identitiesPath}/bearer`, 'List bearer identities: none', () => false),
    createIdentityRoute(rooms),
    currentRoute(rooms),
    getRoute(rooms),
    changeRoute(rooms, 'PUT', 'Replace the groups, and perhaps the certificate, of an identity'),
    changeRoute(rooms, 'PATCH', 'Change the groups or the certificate of an identity'),
    deleteRoute(rooms),
  ]
}

function listRoute({ access }: V1Rooms, path: string, summary: string, listed: () => boolean): Route {
  return defineRoute({
    method: 'GET',
    path,
    summary,
    access: { kind: 'authenticated' },
    result: listOf(Identity),
    query: recursionQuery,
    handler: (request) => {
      const entries = listIdentities(access.rows).map((identity) => {
        const ref: EntityRef = { type: 'identity', name: identity.id }
        return { ref, url: entityUrl(ref), show: () => describeIdentity(access, identity) }
      })
      return listAnswer(request, 'identity', listed() ? entries : [])
    },
  })
}

function currentRoute({ access }: V1Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: `${identitiesPath}/current`,
    summary: 'Show who the caller is',
    result: IdentityInfo,
    access: { kind: 'authenticated' },
    handler: (request) => {
      if (request.subject.kind !== 'identity') {
        throw new LinkspanError('invalid-request', 'The local administrator has no identity: ask over HTTPS')
      }
      const identity = getIdentity(access.rows, request.subject.identity.id)
      const groups = request.snapshot.groups.filter(({ name }) => identity.groups.includes(name))
      const permissions = groups.flatMap((group) => group.permissions)
      const distinct = new Map(permissions.map((permission) => [Object.values(permission).join(' '), permission]))
      // What is ours comes last: people compare the text with LXD's.
      const { created_at: createdAt, last_used_at: lastUsedAt, ...shown } = describeIdentity(access, identity)
      const info: IdentityInfo = {
        ...shown,
        effective_groups: [...identity.groups],
        effective_permissions: [...distinct.values()],
        fine_grained: !isLegacy(identity),
        ...(createdAt === undefined ? {} : { created_at: createdAt }),
        ...(lastUsedAt === undefined ? {} : { last_used_at: lastUsedAt }),
      }
      return sync(info)
    },
  })
}

function getRoute(rooms: V1Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: item,
    summary: 'Show an identity',
    access: { kind: 'entitlement', entitlement: 'can_view', entity: (request) => identityOf(rooms, request) },
    result: Identity,
    handler: (request) => {
      const identity = getIdentity(rooms.access.rows, request.param('nameOrId'))
      const shown = describeIdentity(rooms.access, identity)
      return syncTagged(shownWithEntitlements(request, identityOf(rooms, request), shown), showIdentity(identity))
    },
  })
}

function changeRoute(rooms: V1Rooms, method: 'PUT' | 'PATCH', summary: string): Route {
  return defineRoute({
    method,
    path: item,
    summary,
    // Whoever may not edit an identity may still replace the certificate of his own.
    access: { kind: 'authenticated' },
    body: IdentityPut,
    handler: async (request) => {
      const ref = identityOf(rooms, request)
      const { privileged, isSelf } = requireChange(request, ref)
      const { tls_certificate: certificate, next_tls_certificate: next, generation } = request.body
      const identity = await changeIdentity(rooms, request, {
        privileged,
        isSelf,
        replacesGroups: method === 'PUT',
        ...(certificate ? { certificate: readIdentityCertificate(certificate, rooms.clock) } : {}),
        ...(next ? { next: readIdentityCertificate(next, rooms.clock) } : {}),
        ...(generation ? { generation } : {}),
      })
      if (identity) auditOf(rooms).identityChanged(request, 'updated', identity.id)
      return done()
    },
  })
}

function deleteRoute(rooms: V1Rooms): Route {
  const { access } = rooms
  return defineRoute({
    method: 'DELETE',
    path: item,
    summary: 'Delete an identity, and the cluster link that hangs on it',
    access: { kind: 'entitlement', entitlement: 'can_delete', entity: (request) => identityOf(rooms, request) },
    handler: async (request) => {
      const { id, link } = await access.execute('delete identity', (rows) => {
        const { id } = getIdentity(rows, request.param('nameOrId'))
        const link = linkOfIdentity(rows, id)
        return { changes: deleteIdentityChanges(rows, access.hooks, id), result: { id, link } }
      })
      if (link) linkDeleted(rooms, request, { link, identityId: id })
      else auditOf(rooms).identityChanged(request, 'deleted', id)
      return done()
    },
  })
}

/** By identifier or name; for one that is not there, what was typed, which nobody can view. */
export function identityOf({ access }: V1Rooms, request: ApiRequest): EntityRef {
  const typed = request.param('nameOrId')
  return { type: 'identity', name: findIdentity(access.rows, typed)?.id ?? typed }
}
