import type { Fingerprint, LinkId } from '../base/ids.ts'
import type { Reach } from '../contract/config-key.ts'
import type { EntityRef } from '../contract/entities.ts'
import type { ClusterLinkType } from '../contract/v1.ts'
import type { RowsView } from '../store/rows.ts'
import { defineTable } from '../store/table.ts'
import type { Pin } from '../transport/pinned.ts'

/** One cluster link, as this side sees it. The name is this side's own; the other side has its own row. */
export interface LinkRow {
  /** The row's key. */
  id: LinkId
  /** Unique among links, and of its identity too if it has one. */
  name: string
  description: string
  type: ClusterLinkType
  reach: Reach
  /**
   * `pending`: its token was not used yet; or, with a `peer`, the other side's answer to a token that was used here is
   * not known yet.
   */
  state: 'pending' | 'active'
  /** Of the identity that hangs on it: the peer's fingerprint, a UUID while pending. One-way links have none. */
  identityId?: string
  /** The pin of the other side's cluster certificate. */
  peer?: LinkPeer
  /** Sensitive values are sealed: read them by `Links.config`. */
  config: Record<string, string>
  /** The Kafka at the other end, once it is known; it never changes from then on. */
  remoteKafkaClusterId?: string
  createdMs: number
  /** Our own addresses, as the peer was last told; missing until it was. */
  announced?: string[]
}

export interface LinkPeer {
  fingerprint: Fingerprint
  certificatePem: string
  /** Of the certificate that it has announced: both are accepted for a time. */
  next?: Fingerprint
}

export const linkTable = defineTable<LinkRow>('link', 1)

/** Sorted by name. */
export function listLinks(rows: RowsView): LinkRow[] {
  return rows
    .list(linkTable)
    .map(({ row }) => row)
    .sort((one, other) => (one.name < other.name ? -1 : 1))
}

export function findLink(rows: RowsView, name: string): LinkRow | undefined {
  return listLinks(rows).find((link) => link.name === name)
}

export function linkOfIdentity(rows: RowsView, identityId: string): LinkRow | undefined {
  return listLinks(rows).find((link) => link.identityId === identityId)
}

export function linkOfPeer(rows: RowsView, fingerprint: Fingerprint): LinkRow | undefined {
  return listLinks(rows).find(({ peer }) => peer?.fingerprint === fingerprint || peer?.next === fingerprint)
}

export function linkRef(link: Pick<LinkRow, 'name'>): EntityRef {
  return { type: 'cluster_link', name: link.name }
}

/** A token was used here, and whether the other side took it is still to be found out. */
export function isEstablishing(link: LinkRow): boolean {
  return link.state === 'pending' && link.peer !== undefined
}

/** What the other side has to present. */
export function pinOf({ fingerprint, next }: LinkPeer): Pin {
  return next === undefined ? fingerprint : [fingerprint, next]
}

/** The peer's `host:port`s. */
export function addressesOf(link: LinkRow): string[] {
  return (link.config['volatile.addresses'] ?? '').split(',').filter((address) => address !== '')
}
