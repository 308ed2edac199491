import { createHash } from 'node:crypto'
import { isLinkspanError } from '../../base/errors.ts'
import type { RowChange } from '../../store/row-log.ts'
import { defineTable } from '../../store/table.ts'
import { Group } from './group.ts'
import type { MemberUsage } from './limits.ts'
import type { Timers } from './timers.ts'
import type { CommittedOffset, GroupTopicPartition, MemberIdentity } from './types.ts'

export interface OffsetRow extends CommittedOffset, GroupTopicPartition {
  group: string
}

/** A group as of its last stable generation, or since it became empty: what survives a restart of the broker. */
export interface GroupRow {
  group: string
  protocolType: string | null
  protocolName: string | null
  generation: number
  leaderId: string | null
  /** When it became so, wall time. */
  sinceMs: number
  /** Empty for a group without members; also for one whose members are too large for one row: those join again. */
  members: MemberRow[]
}

export interface MemberRow extends MemberIdentity {
  clientId: string
  clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  /**
   * All that it knows, in its order, with metadata in Base64. Apache's broker stores the chosen one alone, and after a
   * restart takes nobody who knows only the others.
   */
  protocols: { name: string; metadata: string }[]
  /** Base64. */
  assignment: string
}

export const offsetTable = defineTable<OffsetRow>('broker-offset', 1)
export const groupTable = defineTable<GroupRow>('broker-group', 1)
export const groupTables = [offsetTable, groupTable]

/** Keys of the store are shorter than names of groups can be, and hold no NUL. */
const plainCharactersMax = 700

/** Neither topics nor partitions have slashes. */
export function offsetKey(group: string, { topic, partition }: GroupTopicPartition): string {
  const isPlain = isPlainName(group) && /^[\w.-]{1,249}$/.test(topic)
  return isPlain ? `${topic}/${partition}/${group}` : digest([topic, partition, group])
}

export function groupKey(group: string): string {
  return isPlainName(group) ? `/${group}` : digest([group])
}

function isPlainName(name: string): boolean {
  return name.length <= plainCharactersMax && name.isWellFormed() && !name.includes('\0')
}

function digest(parts: (string | number)[]): string {
  return `#${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`
}

/** The change that stores a group as it is: stable, or about to be, or empty. */
export function groupChange(group: Group, nowMs: number): RowChange {
  const { id, protocolType, protocolName, generation, leaderId, state } = group
  const sinceMs = state.name === 'Empty' ? (state.sinceMs ?? nowMs) : nowMs
  const row = { group: id, protocolType, protocolName, generation, leaderId, sinceMs }
  const key = groupKey(id)
  try {
    return groupTable.put(key, { ...row, members: memberRows(group) })
  } catch (error) {
    if (!isLinkspanError(error, 'too-large')) throw error
    return groupTable.put(key, { ...row, protocolName: null, leaderId: null, members: [] })
  }
}

function memberRows(group: Group): MemberRow[] {
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    instanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    sessionTimeoutMs: member.sessionTimeoutMs,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    protocols: member.protocols.map(({ name, metadata }) => ({ name, metadata: encode(metadata) })),
    assignment: encode(member.assignment),
  }))
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

function decode(encoded: string): Uint8Array {
  return Buffer.from(encoded, 'base64')
}

/** A group as it was stored. Its members' sessions are still to be started. */
export function restoreGroup(row: GroupRow, timers: Timers, usage: MemberUsage): Group {
  const group = new Group(row.group, timers, usage)
  for (const { protocols, assignment, ...member } of row.members) {
    const restored = {
      ...member,
      protocols: protocols.map(({ name, metadata }) => ({ name, metadata: decode(metadata) })),
      assignment: decode(assignment),
      isNew: false,
      join: undefined,
      sync: undefined,
      session: timers.create(),
      bytes: 0,
    }
    group.add(restored, row.protocolType ?? '')
  }
  group.generation = row.generation
  group.protocolType = row.protocolType
  group.protocolName = row.protocolName
  group.leaderId = row.leaderId
  group.restore(row.members.length > 0 ? { name: 'Stable' } : { name: 'Empty', sinceMs: row.sinceMs })
  return group
}
