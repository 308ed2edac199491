import { entityUrl } from '../../contract/entities.ts'
import { ClusterLink, ClusterLinkPut, ClusterLinkState, NamePost } from '../../contract/v1.ts'
import { listOf } from '../../contract/v1-shape.ts'
import { type LinkRow, linkRef } from '../../link/rows.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route, type RouteAccess } from '../route.ts'
import { authTokenRoutes } from './auth-tokens.ts'
import { checkMember } from './cluster.ts'
import { linkAddressesRoute } from './cluster-link-addresses.ts'
import { createClusterLinkRoute } from './cluster-link-create.ts'
import { linkChanged, linkDeleted, linkRenamed } from './cluster-link-events.ts'
import { clusterLinksPath, type LinkRooms } from './cluster-link-rooms.ts'
import { linkTag, showLink } from './cluster-link-view.ts'
import { done, sync, syncTagged } from './envelope.ts'
import { checkMatch } from './etag.ts'
import { listAnswer, recursionQuery, shownWithEntitlements } from './listing.ts'

const item = `${clusterLinksPath}/:name`

export function clusterLinkRoutes(rooms: LinkRooms): Route[] {
  return [
    listRoute(rooms),
    createClusterLinkRoute(rooms),
    getRoute(rooms),
    changeRoute(rooms, 'PUT', 'Replace the description and the config of a cluster link'),
    changeRoute(rooms, 'PATCH', 'Change the description or the config of a cluster link'),
    renameRoute(rooms),
    deleteRoute(rooms),
    stateRoute(rooms),
    linkAddressesRoute(rooms),
    ...authTokenRoutes(rooms),
  ]
}

function needs(entitlement: 'can_view' | 'can_edit' | 'can_delete'): RouteAccess {
  return { kind: 'entitlement', entitlement, entity: refOf }
}

/** Whether or not there is such a link: what nobody may view answers alike. */
function refOf(request: ApiRequest) {
  return { type: 'cluster_link', name: request.param('name') } as const
}

function listRoute(rooms: LinkRooms): Route {
  return defineRoute({
    method: 'GET',
    path: clusterLinksPath,
    summary: 'List cluster links',
    result: listOf(ClusterLink),
    access: { kind: 'authenticated' },
    query: recursionQuery,
    handler: (request) => {
      const entries = rooms.links.list().map((link) => {
        const ref = linkRef(link)
        return { ref, url: entityUrl(ref), show: () => showLink(rooms, request, link) }
      })
      return listAnswer(request, 'cluster_link', entries)
    },
  })
}

function getRoute(rooms: LinkRooms): Route {
  return defineRoute({
    method: 'GET',
    path: item,
    summary: 'Show a cluster link',
    access: needs('can_view'),
    result: ClusterLink,
    handler: (request) => {
      const link = rooms.links.require(request.param('name'))
      const shown = shownWithEntitlements(request, linkRef(link), showLink(rooms, request, link))
      return syncTagged(shown, linkTag(link))
    },
  })
}

function changeRoute(rooms: LinkRooms, method: 'PUT' | 'PATCH', summary: string): Route {
  return defineRoute({
    method,
    path: item,
    summary,
    access: needs('can_edit'),
    body: ClusterLinkPut,
    handler: async (request) => {
      const { description, config } = request.body ?? {}
      const replace = method === 'PUT'
      const link = await rooms.links.update({
        name: request.param('name'),
        // As LXD's PATCH has it: an empty description means none was given.
        ...(replace ? { description: description ?? '' } : description ? { description } : {}),
        config: config ?? {},
        how: replace ? 'replace' : 'merge',
        check: (current: LinkRow) => checkMatch(request, linkTag(current)),
      })
      linkChanged(rooms, request, 'updated', link)
      return done()
    },
  })
}

function renameRoute(rooms: LinkRooms): Route {
  return defineRoute({
    method: 'POST',
    path: item,
    summary: 'Rename a cluster link',
    access: needs('can_edit'),
    body: NamePost,
    handler: async (request) => {
      const name = request.param('name')
      const link = await rooms.links.rename(name, request.body.name)
      linkRenamed(rooms, request, link, name)
      return done()
    },
  })
}

function deleteRoute(rooms: LinkRooms): Route {
  return defineRoute({
    method: 'DELETE',
    path: item,
    summary: 'Delete a cluster link, and with it the trust in the other side',
    access: needs('can_delete'),
    query: { force: 'true: fail its mirrors over first' },
    handler: async (request) => {
      const deleted = await rooms.links.delete(request.param('name'), { force: request.flag('force') })
      linkDeleted(rooms, request, deleted)
      return done()
    },
  })
}

function stateRoute(rooms: LinkRooms): Route {
  return defineRoute({
    method: 'GET',
    path: `${item}/state`,
    summary: 'Ask the other side of a cluster link whether it is there',
    access: needs('can_view'),
    query: { target: 'Name of the member that is to ask: the only one there is' },
    result: ClusterLinkState,
    handler: async (request) => {
      const target = request.query('target')
      if (target) checkMember(rooms.server, target)
      return sync(await rooms.links.state(request.param('name'), request.signal))
    },
  })
}
