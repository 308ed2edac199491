import type { Clock } from '../../base/clock.ts'
import { LinkspanError } from '../../base/errors.ts'
import type { EntityRef } from '../../contract/entities.ts'
import type { EventBus } from '../../events/bus.ts'
import type { Operations } from '../../events/operations.ts'
import type { Links } from '../../link/links.ts'
import type { LinkRow } from '../../link/rows.ts'
import type { Mirrors } from '../../mirror/mirrors.ts'
import type { ApiRequest } from '../request.ts'
import type { Answer, RouteAccess } from '../route.ts'

/** What the handlers of `/kafka/v3` work with. */
export interface V3Rooms {
  links: Links
  mirrors: Mirrors
  operations: Operations
  bus: EventBus
  clock: Clock
  /** Null while the Kafka that the daemon fronts was never reached. */
  kafkaClusterId: () => string | null
}

export const clustersPath = '/kafka/v3/clusters'
export const clusterPath = `${clustersPath}/:cluster`
export const linksPath = `${clusterPath}/links`
export const linkPath = `${linksPath}/:link`

/** The id in the path. Throws `not-found` for any but that of the Kafka that this daemon fronts. */
export function clusterOf(rooms: V3Rooms, request: ApiRequest): string {
  const id = request.param('cluster')
  if (id === rooms.kafkaClusterId()) return id
  throw new LinkspanError('not-found', `This Linkspan fronts no Kafka cluster with the id "${id}"`)
}

export function linkOf(rooms: V3Rooms, request: ApiRequest): LinkRow {
  clusterOf(rooms, request)
  return rooms.links.require(request.param('link'))
}

export function linkAccess(entitlement: 'can_view' | 'can_edit' | 'can_delete'): RouteAccess {
  return { kind: 'entitlement', entitlement, entity: (request) => linkRefOf(request.param('link')) }
}

export function linkRefOf(name: string): EntityRef {
  return { type: 'cluster_link', name }
}

export function topicRefOf(name: string): EntityRef {
  return { type: 'topic', name }
}

export function ok(body: unknown): Answer {
  return { status: 200, body }
}

/** What Confluent's published schema promises for changes: no body. */
export function noContent(): Answer {
  return { status: 204 }
}

/** Absolute, as their clients expect; the address is the one under which the caller reached us. */
export function urlOf(request: ApiRequest, ...segments: string[]): string {
  const scheme = request.caller.transport === 'tls' ? 'https' : 'http'
  const host = request.headers.host ?? 'localhost'
  return `${scheme}://${host}${[clustersPath, ...segments.map(encodeURIComponent)].join('/')}`
}

export function itemMetadata(self: string) {
  return { self, resource_name: null }
}

export function listOf<Item>(kind: string, self: string, data: Item[]) {
  return { kind, metadata: { self, next: null }, data }
}

export function isVisible(request: ApiRequest, link: LinkRow): boolean {
  return request.mayView(linkRefOf(link.name))
}
