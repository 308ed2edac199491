import type { Clock } from '../base/clock.ts'
import { type Entitlement, type EntityRef, implicationPaths } from '../contract/entities.ts'
import { isInternalName, parseEntityPattern, patternCovers, patternUrl } from '../contract/patterns.ts'
import { authorize, isOwnRight } from './authorize.ts'
import type { IdentityRow, PermissionRow } from './rows.ts'
import { type AccessSnapshot, administrator, type SnapshotIdentity, type Subject } from './snapshot.ts'

export interface Explanation {
  allowed: boolean
  /** What no group has to grant, or what keeps it from counting. */
  reason?: string
  grantedBy: Grant[]
  /** Each would be enough, the narrowest first; empty when no permission is missing. */
  wouldGrant: PermissionRow[]
}

/** One permission that gives what was asked. `implies`: how, from the permission to what was asked. */
export interface Grant {
  group: string
  permission: PermissionRow
  implies: string[]
}

export interface ExplainRequest {
  entitlement: Entitlement
  entity: EntityRef
  /** One that does not exist can only be granted with all of its type. */
  exists: boolean
}

/** Why an identity may do something, or what would let it. Without an identity: the local administrator. */
export function explainRight(
  snapshot: AccessSnapshot,
  row: IdentityRow | undefined,
  request: ExplainRequest,
  clock: Clock,
): Explanation {
  const { entitlement, entity } = request
  const identity = row && snapshotOf(row)
  const subject: Subject = identity ? { kind: 'identity', identity } : administrator
  const obstacle = row && obstacleOf(row, clock)
  // In a copy: what is remembered of a snapshot is for identities as they are in it.
  const allowed = obstacle === undefined && authorize({ ...snapshot }, subject, entitlement, entity).allowed
  const grantedBy = identity ? grantsOf(snapshot, identity, entitlement, entity) : []
  // What has been granted and does not count would not count twice either.
  const helps = !allowed && grantedBy.length === 0 && row?.kind !== 'restricted-client'
  const reason = obstacle ?? reasonOf(identity, entitlement, entity)
  return {
    allowed,
    ...(reason === undefined ? {} : { reason }),
    grantedBy,
    wouldGrant: helps ? wouldGrant(request) : [],
  }
}

/** As it will be judged once it is active. */
function snapshotOf({ id, name, kind, groups, certificate }: IdentityRow): SnapshotIdentity {
  const { validFromMs, validToMs } = certificate ?? { validFromMs: 0, validToMs: 0 }
  return { id, fingerprint: id, name, kind, groups, validFromMs, validToMs }
}

function obstacleOf({ pending, certificate }: IdentityRow, clock: Clock): string | undefined {
  if (pending) return 'Its token was not used yet: until then it can do nothing'
  const nowMs = clock.wallMs()
  if (certificate && (nowMs < certificate.validFromMs || nowMs > certificate.validToMs)) {
    return 'Its certificate is not valid now: give it another one'
  }
  return undefined
}

function reasonOf(
  identity: SnapshotIdentity | undefined,
  entitlement: Entitlement,
  entity: EntityRef,
): string | undefined {
  if (!identity) return 'The local administrator may do everything'
  if (identity.kind === 'unrestricted-client') return 'Its certificate is trusted without restriction'
  if (isOwnRight(identity, entitlement, entity)) {
    return entity.type === 'group' ? 'It is in this group, and may see it' : 'It may see and delete itself'
  }
  if (identity.kind === 'restricted-client') return 'Its certificate is restricted: it may see and delete itself only'
  return identity.groups.length === 0 ? 'It is in no group' : undefined
}

function grantsOf(
  snapshot: AccessSnapshot,
  identity: SnapshotIdentity,
  entitlement: Entitlement,
  entity: EntityRef,
): Grant[] {
  const paths = implicationPaths(entity.type, entitlement)
  const groups = snapshot.groups.filter(({ name }) => identity.groups.includes(name))
  return groups.flatMap((group) => {
    return group.permissions.flatMap((permission): Grant[] => {
      if (!covers(permission, entity)) return []
      const found = paths.find(([from]) => {
        return from!.type === permission.entity_type && from!.entitlement === permission.entitlement
      })
      if (!found) return []
      return [{ group: group.name, permission, implies: found.map((held) => `${held.type} ${held.entitlement}`) }]
    })
  })
}

/** As `authorize` has it: of what is internal, only its exact name and administrators. */
function covers({ url, entitlement }: PermissionRow, entity: EntityRef): boolean {
  const pattern = parseEntityPattern(url)
  if (pattern?.type === 'server') return !isInternalName(entity) || entitlement === 'admin'
  return pattern !== undefined && patternCovers(pattern, entity)
}

function wouldGrant({ entitlement, entity, exists }: ExplainRequest): PermissionRow[] {
  const { type, name } = entity
  const kind = exists ? 'exact' : 'all'
  if (kind === 'all' && isInternalName(entity)) return []
  const own = patternUrl({ type, kind: type === 'server' ? 'exact' : kind, name: kind === 'all' ? '' : name })
  return implicationPaths(type, entitlement).flatMap(([from]): PermissionRow[] => {
    const permission = {
      entity_type: from!.type,
      url: from!.type === type ? own : '/1.0',
      entitlement: from!.entitlement,
    }
    return covers(permission, entity) ? [permission] : []
  })
}
