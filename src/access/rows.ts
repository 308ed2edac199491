import type { IdentityType } from '../contract/v1.ts'
import { defineTable } from '../store/table.ts'

/**
 * `client`: a person or a program. `cluster-link`: a linked cluster, known by its cluster certificate. The other two
 * are of LXD's older trust store, in no groups: they may do everything, or nothing but see and delete themselves.
 */
export type IdentityKind = 'client' | 'cluster-link' | LegacyKind
export type LegacyKind = 'unrestricted-client' | 'restricted-client'

/** Whoever is known here by a certificate, or by the secret of a token that was not spent yet. */
export interface IdentityRow {
  /** The certificate's fingerprint; a UUID while pending. The row's key. */
  id: string
  kind: IdentityKind
  /** Unique among identities. */
  name: string
  /** Sorted, each once. */
  groups: string[]
  certificate: IdentityCertificate | null
  /** Null once it is active. */
  pending: PendingSecret | null
  createdAtMs: number
  /** The certificate that it has announced: accepted beside its own, until it takes its place or its time is over. */
  next?: AnnouncedCertificate
  /** Of the cluster behind it: one more each time that it is restored from a backup. Missing: it has told none. */
  generation?: number
  /** Certificates whose holder was replaced by a restored one, newest first. */
  superseded?: SupersededCertificate[]
}

export interface AnnouncedCertificate {
  certificate: IdentityCertificate
  untilMs: number
  generation: number
}

export interface SupersededCertificate {
  fingerprint: string
  /** Of the one that took its place. */
  generation: number
}

export interface IdentityCertificate {
  pem: string
  fingerprint: string
  validFromMs: number
  validToMs: number
}

export interface PendingSecret {
  secretHash: string
  /** Null is never. */
  expiresAtMs: number | null
  /** Of a token that was issued again; missing: it is the identity's first. */
  issuedAtMs?: number
}

export interface GroupRow {
  /** The row's key. */
  name: string
  description: string
  permissions: PermissionRow[]
}

/** One grant. `url` is the pattern in its one written form. */
export interface PermissionRow {
  entity_type: string
  url: string
  entitlement: string
}

export const identityTable = defineTable<IdentityRow>('identity', 1)
export const groupTable = defineTable<GroupRow>('group', 1)
export const accessTables = [identityTable, groupTable]

/** LXD's name of an identity's type. */
export function identityTypeName(identity: Pick<IdentityRow, 'kind' | 'pending'>): IdentityType {
  const pending = identity.pending !== null
  if (identity.kind === 'unrestricted-client') return 'Client certificate (unrestricted)'
  if (identity.kind === 'restricted-client') return 'Client certificate (restricted)'
  if (identity.kind === 'client') return pending ? 'Client certificate (pending)' : 'Client certificate'
  return pending ? 'Cluster link certificate (pending)' : 'Cluster link certificate'
}

export function isLegacy(identity: { kind: IdentityKind }): identity is { kind: LegacyKind } {
  return identity.kind === 'unrestricted-client' || identity.kind === 'restricted-client'
}

/** The group that is always there, holds everything, and cannot be changed. It has no row. */
export const adminsGroup: Readonly<GroupRow> = Object.freeze({
  name: 'admins',
  description: 'Server administrators',
  permissions: [{ entity_type: 'server', url: '/1.0', entitlement: 'admin' }],
})
