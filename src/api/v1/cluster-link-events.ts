import { entityUrl } from '../../contract/entities.ts'
import type { DeletedLink } from '../../link/links.ts'
import { type LinkRow, linkRef } from '../../link/rows.ts'
import type { ApiRequest } from '../request.ts'
import { auditOf, type V1Rooms } from './rooms.ts'

/** Links belong to LXD's default project. */
const project = 'default'

/** LXD's events, in its order: the link first, then its identity. */
export function linkCreated(rooms: Pick<V1Rooms, 'bus'>, request: ApiRequest, link: LinkRow): void {
  linkEvent(rooms, request, 'created', link)
  if (link.identityId) auditOf(rooms).identityChanged(request, 'created', link.identityId)
}

/** The other side used the token: LXD says once more that the link was made. */
export function linkActivated(rooms: Pick<V1Rooms, 'bus'>, request: ApiRequest, link: LinkRow): void {
  linkEvent(rooms, request, 'created', link)
  if (link.identityId) auditOf(rooms).identityChanged(request, 'updated', link.identityId)
}

export function linkChanged(rooms: Pick<V1Rooms, 'bus'>, request: ApiRequest, change: 'updated', link: LinkRow): void {
  linkEvent(rooms, request, change, link)
}

export function linkRenamed(rooms: Pick<V1Rooms, 'bus'>, request: ApiRequest, link: LinkRow, oldName: string): void {
  linkEvent(rooms, request, 'renamed', link, { old_name: oldName })
  if (link.identityId) auditOf(rooms).identityChanged(request, 'updated', link.identityId)
}

export function linkDeleted(rooms: Pick<V1Rooms, 'bus'>, request: ApiRequest, { link, identityId }: DeletedLink): void {
  linkEvent(rooms, request, 'deleted', link)
  if (identityId) auditOf(rooms).identityChanged(request, 'deleted', identityId)
}

function linkEvent(
  rooms: Pick<V1Rooms, 'bus'>,
  request: ApiRequest,
  change: 'created' | 'updated' | 'renamed' | 'deleted',
  link: LinkRow,
  context?: Record<string, unknown>,
): void {
  const extra = { name: link.name, project, ...(context ? { context } : {}) }
  auditOf(rooms).lifecycle(request, `cluster-link-${change}`, entityUrl(linkRef(link)), extra)
}
