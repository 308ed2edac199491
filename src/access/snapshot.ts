import type { Clock } from '../base/clock.ts'
import type { Caller } from '../transport/caller.ts'
import {
  adminsGroup,
  type GroupRow,
  type IdentityCertificate,
  type IdentityKind,
  type IdentityRow,
  type PermissionRow,
} from './rows.ts'

/**
 * Who may do what at one moment, as plain data: it is sent to the gateway worker at every change. Rights that only
 * follow from others are not in it.
 */
export interface AccessSnapshot {
  identities: readonly SnapshotIdentity[]
  groups: readonly SnapshotGroup[]
}

/** An identity that is active; pending ones can do nothing. */
export interface SnapshotIdentity {
  /** Its identifier, by which permissions name it. */
  id: string
  /** Of a certificate that it may present: that of its identifier, or one that it has announced. */
  fingerprint: string
  name: string
  kind: IdentityKind
  groups: readonly string[]
  /** Of the certificate, which is not accepted outside of these. */
  validFromMs: number
  validToMs: number
}

export interface SnapshotGroup {
  name: string
  permissions: readonly PermissionRow[]
}

export const emptySnapshot: AccessSnapshot = { identities: [], groups: [] }

export function accessSnapshot(identities: Iterable<IdentityRow>, groups: Iterable<GroupRow>): AccessSnapshot {
  const active = [...identities].flatMap(({ id, certificate, next, name, kind, groups: groupNames }) => {
    const presented = ({ fingerprint, validFromMs, validToMs }: IdentityCertificate): SnapshotIdentity => {
      return { id, fingerprint, name, kind, groups: groupNames, validFromMs, validToMs }
    }
    if (!certificate) return []
    if (!next) return [presented(certificate)]
    const announced = presented(next.certificate)
    return [presented(certificate), { ...announced, validToMs: Math.min(announced.validToMs, next.untilMs) }]
  })
  const all = [adminsGroup, ...groups].map(({ name, permissions }) => ({ name, permissions }))
  return { identities: active, groups: all }
}

/** Who a caller is at this moment. `administrator`: whoever can open the administrator's socket. */
export type Subject =
  | { kind: 'administrator' }
  | { kind: 'identity'; identity: SnapshotIdentity }
  | { kind: 'untrusted' }

export const administrator: Subject = { kind: 'administrator' }
export const untrusted: Subject = { kind: 'untrusted' }

export function subjectOf(snapshot: AccessSnapshot, caller: Caller, clock: Clock): Subject {
  if (caller.transport === 'unix') return administrator
  return subjectOfFingerprint(snapshot, caller.fingerprint, clock)
}

export function subjectOfFingerprint(snapshot: AccessSnapshot, fingerprint: string | undefined, clock: Clock): Subject {
  const identity = fingerprint === undefined ? undefined : indexOf(snapshot).get(fingerprint)
  if (!identity) return untrusted
  const nowMs = clock.wallMs()
  return nowMs >= identity.validFromMs && nowMs <= identity.validToMs ? { kind: 'identity', identity } : untrusted
}

const indices = new WeakMap<AccessSnapshot, Map<string, SnapshotIdentity>>()

function indexOf(snapshot: AccessSnapshot): Map<string, SnapshotIdentity> {
  let index = indices.get(snapshot)
  if (!index) {
    index = new Map(snapshot.identities.map((identity) => [identity.fingerprint, identity]))
    indices.set(snapshot, index)
  }
  return index
}

/** For logs and events: LXD's words. */
export function usernameOf(subject: Subject): { username: string; protocol: string } {
  if (subject.kind === 'administrator') return { username: 'root', protocol: 'unix' }
  if (subject.kind === 'identity') return { username: subject.identity.id, protocol: 'tls' }
  return { username: '', protocol: '' }
}
