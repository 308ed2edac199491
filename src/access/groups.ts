import { LinkspanError } from '../base/errors.ts'
import type { Permission } from '../contract/v1.ts'
import type { RowChange } from '../store/row-log.ts'
import type { RowsView } from '../store/rows.ts'
import type { AccessHooks } from './hooks.ts'
import { checkGroupName } from './names.ts'
import { checkPermissions, forgetEntitiesChanges, renameEntityChanges, renameIn } from './permissions.ts'
import { adminsGroup, type GroupRow, groupTable, identityTable } from './rows.ts'

const groupsMax = 2000
const descriptionCharactersMax = 4000

/** Sorted by name, the built-in group included. */
export function listGroups(rows: RowsView): GroupRow[] {
  const groups = [adminsGroup, ...rows.list(groupTable).map(({ row }) => row)]
  return groups.sort((one, other) => (one.name < other.name ? -1 : 1))
}

export function findGroup(rows: RowsView, name: string): GroupRow | undefined {
  return name === adminsGroup.name ? adminsGroup : name === '' ? undefined : rows.get(groupTable, name)
}

/** Throws `not-found`. */
export function getGroup(rows: RowsView, name: string): GroupRow {
  const group = findGroup(rows, name)
  if (!group) throw new LinkspanError('not-found', `Auth group ${JSON.stringify(name)} not found`)
  return group
}

/** Identifiers of the identities that are in it, sorted. */
export function membersOf(rows: RowsView, group: string): string[] {
  return rows
    .list(identityTable)
    .filter(({ row }) => row.groups.includes(group))
    .map(({ key }) => key)
}

/** Sorted, each once. Throws `not-found`, which names all that are not there. */
export function checkGroups(rows: RowsView, names: readonly string[]): string[] {
  const missing = names.filter((name) => !findGroup(rows, name))
  if (missing.length === 0) return [...new Set(names)].sort()
  const listed = missing.map((name) => JSON.stringify(name)).join(', ')
  throw new LinkspanError('not-found', `There is no auth group ${listed}: create it first`)
}

export interface GroupInput {
  description: string
  permissions: readonly Permission[]
}

export function createGroupChanges(
  rows: RowsView,
  hooks: AccessHooks,
  name: string,
  input: GroupInput,
): { changes: RowChange[]; group: GroupRow } {
  checkGroupName(name)
  checkFree(rows, name)
  if (rows.count(groupTable) >= groupsMax) {
    throw new LinkspanError('too-large', `There are ${groupsMax} auth groups already: delete some first`)
  }
  const group = groupFrom(rows, hooks, name, input)
  return { changes: [groupTable.put(name, group)], group }
}

export function replaceGroupChanges(rows: RowsView, hooks: AccessHooks, name: string, input: GroupInput): RowChange[] {
  getGroup(rows, name)
  refuseBuiltIn(name)
  return [groupTable.put(name, groupFrom(rows, hooks, name, input))]
}

/** Members and permissions on the group follow it. Onto its own name it is refused as well, as LXD does. */
export function renameGroupChanges(rows: RowsView, name: string, newName: string): RowChange[] {
  const group = getGroup(rows, name)
  refuseBuiltIn(name)
  checkGroupName(newName)
  checkFree(rows, newName)
  const [from, to] = [{ type: 'group', name } as const, { type: 'group', name: newName } as const]
  const moved = groupTable.put(newName, { ...group, name: newName, permissions: renameIn(group.permissions, from, to) })
  const others = renameEntityChanges(rows, from, to).filter(({ key }) => key !== name)
  return [groupTable.remove(name), moved, ...replaceInMembers(rows, name, [newName]), ...others]
}

export function deleteGroupChanges(rows: RowsView, name: string): RowChange[] {
  getGroup(rows, name)
  refuseBuiltIn(name)
  const forgotten = forgetEntitiesChanges(rows, [{ type: 'group', name }]).filter(({ key }) => key !== name)
  return [groupTable.remove(name), ...replaceInMembers(rows, name, []), ...forgotten]
}

function replaceInMembers(rows: RowsView, name: string, by: readonly string[]): RowChange[] {
  return rows
    .list(identityTable)
    .filter(({ row }) => row.groups.includes(name))
    .map(({ key, row }) => {
      const groups = [...row.groups.filter((group) => group !== name), ...by].sort()
      return identityTable.put(key, { ...row, groups })
    })
}

function groupFrom(rows: RowsView, hooks: AccessHooks, name: string, input: GroupInput): GroupRow {
  if (input.description.length > descriptionCharactersMax) {
    const sentence = `A description has at most ${descriptionCharactersMax} characters`
    throw new LinkspanError('invalid-request', sentence)
  }
  return { name, description: input.description, permissions: checkPermissions(rows, hooks, input.permissions) }
}

function checkFree(rows: RowsView, name: string): void {
  if (findGroup(rows, name)) {
    throw new LinkspanError('already-exists', `The auth group ${JSON.stringify(name)} already exists`)
  }
}

function refuseBuiltIn(name: string): void {
  if (name !== adminsGroup.name) return
  const sentence = `The group "${name}" is built in and cannot be changed: put identities in it, or make another group`
  throw new LinkspanError('invalid-request', sentence)
}
