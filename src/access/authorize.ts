import { type Entitlement, type EntityRef, type EntityType, type Impliers, impliersOf } from '../contract/entities.ts'
import { isInternalName, parseEntityPattern } from '../contract/patterns.ts'
import { isLegacy } from './rows.ts'
import type { AccessSnapshot, SnapshotGroup, SnapshotIdentity, Subject } from './snapshot.ts'

export interface Judgement {
  allowed: boolean
  /** What is not visible answers as if it were not there. Always true of the server itself. */
  visible: boolean
}

const granted: Judgement = { allowed: true, visible: true }
const refused: Judgement = { allowed: false, visible: false }
const remembered = 20_000

/**
 * The one decision: may this subject do this to that entity? A pure function of the snapshot, quick enough for every
 * request of a tunnel: groups are prepared once per snapshot, and answers are remembered as long as it lives.
 */
export function authorize(
  snapshot: AccessSnapshot,
  subject: Subject,
  entitlement: Entitlement,
  entity: EntityRef,
): Judgement {
  if (subject.kind === 'administrator') return granted
  if (subject.kind === 'untrusted') return entity.type === 'server' ? { allowed: false, visible: true } : refused
  if (subject.identity.kind === 'unrestricted-client') return granted
  const rights = rightsOf(snapshot, subject.identity)
  const key = `${entity.type} ${entitlement} ${entity.name}`
  const known = rights.judgements.get(key)
  if (known) return known
  const judgement = judge(rights, entitlement, entity)
  // A caller can ask for endless names: what is remembered of them has an end.
  if (rights.judgements.size >= remembered) rights.judgements.clear()
  rights.judgements.set(key, judgement)
  return judgement
}

export function mayView(snapshot: AccessSnapshot, subject: Subject, entity: EntityRef): boolean {
  return entity.type === 'server'
    ? subject.kind !== 'untrusted'
    : authorize(snapshot, subject, 'can_view', entity).allowed
}

interface Rights {
  identity: SnapshotIdentity
  groups: GroupRights[]
  judgements: Map<string, Judgement>
}

/** A group's permissions, sorted by how they are looked up. */
interface GroupRights {
  server: Set<string>
  types: Map<EntityType, TypeRights>
}

interface TypeRights {
  all: Set<string>
  exact: Map<string, Set<string>>
  prefixes: Map<string, Set<string>>
}

interface Prepared {
  groups: Map<string, GroupRights>
  identities: Map<string, Rights>
}

const prepared = new WeakMap<AccessSnapshot, Prepared>()

function rightsOf(snapshot: AccessSnapshot, identity: SnapshotIdentity): Rights {
  let ready = prepared.get(snapshot)
  if (!ready) {
    const groups = new Map(snapshot.groups.map((group) => [group.name, prepareGroup(group)]))
    ready = { groups, identities: new Map() }
    prepared.set(snapshot, ready)
  }
  let rights = ready.identities.get(identity.fingerprint)
  if (!rights) {
    const groups = identity.groups.flatMap((name) => ready.groups.get(name) ?? [])
    rights = { identity, groups, judgements: new Map() }
    ready.identities.set(identity.fingerprint, rights)
  }
  return rights
}

function prepareGroup(group: SnapshotGroup): GroupRights {
  const rights: GroupRights = { server: new Set(), types: new Map() }
  for (const { url, entitlement } of group.permissions) {
    const pattern = parseEntityPattern(url)
    if (!pattern) continue // of a newer version: what is not understood grants nothing
    if (pattern.type === 'server') {
      rights.server.add(entitlement)
      continue
    }
    const type = entryOf(rights.types, pattern.type, () => ({ all: new Set(), exact: new Map(), prefixes: new Map() }))
    if (pattern.kind === 'all') type.all.add(entitlement)
    else entryOf(pattern.kind === 'exact' ? type.exact : type.prefixes, pattern.name, () => new Set()).add(entitlement)
  }
  return rights
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

function judge(rights: Rights, entitlement: Entitlement, entity: EntityRef): Judgement {
  const allowed = isHeld(rights, entitlement, entity)
  if (allowed) return granted
  if (entity.type === 'server') return { allowed, visible: true }
  return { allowed, visible: entitlement !== 'can_view' && isHeld(rights, 'can_view', entity) }
}

function isHeld(rights: Rights, entitlement: Entitlement, entity: EntityRef): boolean {
  const impliers = impliersOf(entity.type, entitlement)
  if (!impliers) return false
  return (
    isOwnRight(rights.identity, entitlement, entity) || rights.groups.some((group) => holds(group, impliers, entity))
  )
}

/** Whoever is known may see and delete himself, and see the groups that he is in. */
export function isOwnRight(identity: SnapshotIdentity, entitlement: Entitlement, entity: EntityRef): boolean {
  const isSelf = entity.type === 'identity' || (entity.type === 'certificate' && isLegacy(identity))
  if (isSelf && entity.name === identity.id) {
    return entitlement === 'can_view' || entitlement === 'can_delete'
  }
  return entity.type === 'group' && entitlement === 'can_view' && identity.groups.includes(entity.name)
}

function holds(group: GroupRights, impliers: Impliers, entity: EntityRef): boolean {
  const internal = isInternalName(entity)
  // "All topics" by way of the server is no more than "all topics": internal ones are for administrators.
  if (internal ? group.server.has('admin') : intersects(group.server, impliers.server)) return true
  const type = group.types.get(entity.type)
  if (!type) return false
  const exact = type.exact.get(entity.name)
  if (exact && intersects(exact, impliers.own)) return true
  if (internal) return false
  if (intersects(type.all, impliers.own)) return true
  for (const [prefix, entitlements] of type.prefixes) {
    if (entity.name.startsWith(prefix) && intersects(entitlements, impliers.own)) return true
  }
  return false
}

function intersects(held: ReadonlySet<string>, impliers: ReadonlySet<string>): boolean {
  for (const entitlement of held) if (impliers.has(entitlement)) return true
  return false
}
