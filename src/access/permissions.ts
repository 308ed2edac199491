import { LinkspanError } from '../base/errors.ts'
import {
  type EntityRef,
  entitlementsOf,
  entityTypes,
  entityUrl,
  isEntitlementOf,
  isEntityType,
} from '../contract/entities.ts'
import { type EntityPattern, isInternalName, parseEntityPattern, patternUrl } from '../contract/patterns.ts'
import type { Permission } from '../contract/v1.ts'
import type { RowChange } from '../store/row-log.ts'
import type { RowsView } from '../store/rows.ts'
import type { AccessHooks } from './hooks.ts'
import { adminsGroup, type GroupRow, groupTable, identityTable, isLegacy, type PermissionRow } from './rows.ts'

const permissionsMax = 4000
const urlCharactersMax = 2000

/** The permissions as they are stored: each once, in their written form, sorted. Throws `invalid-request`. */
export function checkPermissions(rows: RowsView, hooks: AccessHooks, given: readonly Permission[]): PermissionRow[] {
  const stored = given.map((permission) => checkPermission(rows, hooks, permission))
  const byText = new Map(stored.map((permission) => [Object.values(permission).join(' '), permission]))
  if (byText.size > permissionsMax) {
    throw invalid(`A group holds at most ${permissionsMax} permissions: use a prefix such as /1.0/topics/orders-*`)
  }
  return [...byText].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, permission]) => permission)
}

function checkPermission(rows: RowsView, hooks: AccessHooks, permission: Permission): PermissionRow {
  const { entity_type: type, url, entitlement } = permission
  if (!isEntityType(type)) {
    throw invalid(`Unknown entity type ${shown(type)}; there are ${entityTypes.join(', ')}`)
  }
  if (url.length > urlCharactersMax) throw invalid(`The URL of a permission has at most ${urlCharactersMax} characters`)
  const pattern = parseEntityPattern(url)
  if (!pattern) throw invalid(`${shown(url)} is not the URL of an entity`)
  if (pattern.type !== type) throw invalid(`${shown(url)} is the URL of a ${pattern.type}, not of a ${type}`)
  if (!isEntitlementOf(type, entitlement)) {
    throw invalid(`A ${type} has no entitlement ${shown(entitlement)}; it has ${entitlementsOf(type).join(', ')}`)
  }
  checkTarget(rows, hooks, pattern)
  return { entity_type: type, url: patternUrl(pattern), entitlement }
}

function checkTarget(rows: RowsView, hooks: AccessHooks, pattern: EntityPattern): void {
  const { type, kind, name } = pattern
  const ref: EntityRef = { type, name }
  if (kind === 'prefix' && isInternalName(ref)) {
    throw invalid('A prefix never covers topics that start with two underscores: name each of them')
  }
  if (kind === 'exact' && !existsHere(rows, hooks, ref)) throw invalid(`There is no ${type} ${shown(name)} here`)
}

/** Whether permissions may name it. */
export function existsHere(rows: RowsView, hooks: AccessHooks, ref: EntityRef): boolean {
  if (ref.type === 'identity') return rows.has(identityTable, ref.name)
  if (ref.type === 'certificate') return isLegacy(rows.get(identityTable, ref.name) ?? { kind: 'client' })
  if (ref.type === 'group') return ref.name === adminsGroup.name || rows.has(groupTable, ref.name)
  return hooks.mayExist(rows, ref)
}

/** The changes that take these entities out of every group's permissions. Call it once for all that go together. */
export function forgetEntitiesChanges(rows: RowsView, gone: readonly EntityRef[]): RowChange[] {
  const urls = new Set(gone.map(exactUrl))
  return changeGroups(rows, (permissions) => permissions.filter(({ url }) => !urls.has(url)))
}

/** The changes that make permissions follow an entity to its new name. */
export function renameEntityChanges(rows: RowsView, from: EntityRef, to: EntityRef): RowChange[] {
  return renameEntitiesChanges(rows, [from], [to])
}

/** The same for one thing that permissions know by several references; both lists are in the same order. */
export function renameEntitiesChanges(
  rows: RowsView,
  from: readonly EntityRef[],
  to: readonly EntityRef[],
): RowChange[] {
  return changeGroups(rows, (permissions) => {
    return from.reduce((renamed, ref, index) => renameIn(renamed, ref, to[index]!), permissions)
  })
}

export function renameIn(permissions: readonly PermissionRow[], from: EntityRef, to: EntityRef): PermissionRow[] {
  const [before, after] = [exactUrl(from), exactUrl(to)]
  return permissions.map((permission) => (permission.url === before ? { ...permission, url: after } : permission))
}

function changeGroups(rows: RowsView, change: (permissions: PermissionRow[]) => PermissionRow[]): RowChange[] {
  return rows.list(groupTable).flatMap(({ key, row }): RowChange[] => {
    const permissions = change(row.permissions)
    const same = permissions.every((permission, index) => permission === row.permissions[index])
    if (same && permissions.length === row.permissions.length) return []
    return [groupTable.put(key, { ...row, permissions } satisfies GroupRow)]
  })
}

/** How a permission names this one entity. */
export function exactUrl(ref: EntityRef): string {
  return ref.name.includes('*') ? patternUrl({ type: ref.type, kind: 'exact', name: ref.name }) : entityUrl(ref)
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}

function invalid(sentence: string): LinkspanError {
  return new LinkspanError('invalid-request', sentence)
}
