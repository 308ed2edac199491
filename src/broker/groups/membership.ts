import type { KafkaErrorName } from '../../wire/errors.ts'
import type { Group } from './group.ts'
import { type Member, noBytes, refusedSync } from './member.ts'
import { dropAssignments, expectHeartbeat, rebalanceOrComplete, rebalanceWithout } from './rebalance.ts'
import type { GroupRoom } from './room.ts'
import type { LeaveResult, MemberCall, MemberIdentity, SyncRequest, SyncResult } from './types.ts'

/** SyncGroup: what comes of it at once; else undefined, and `answer` is called once the leader has assigned. */
export function syncGroup(
  room: GroupRoom,
  group: Group,
  request: SyncRequest,
  answer: (result: SyncResult) => void,
): SyncResult | undefined {
  const error = validateSync(group, request)
  if (error !== 'NONE') return refusedSync(error)
  const member = group.members.get(request.memberId)!
  switch (group.state.name) {
    case 'Empty':
    case 'Dead':
      return refusedSync('UNKNOWN_MEMBER_ID')
    case 'PreparingRebalance':
      return refusedSync('REBALANCE_IN_PROGRESS')
    case 'CompletingRebalance':
      // One that waits already has been given up by its client.
      group.answerSync(member, refusedSync('REBALANCE_IN_PROGRESS'))
      member.sync = answer
      hasSynced(group, member)
      if (group.leaderId === member.memberId && group.storing !== group.generation) void assign(room, group, request)
      return undefined
    case 'Stable':
      hasSynced(group, member)
      return assignmentOf(group, member)
  }
}

function validateSync(group: Group, request: SyncRequest): KafkaErrorName {
  const error = group.validate(request)
  if (error !== 'NONE') return error
  if (request.generation !== group.generation) return 'ILLEGAL_GENERATION'
  const { protocolType, protocolName } = request
  const consistent =
    (protocolType === null || protocolType === group.protocolType) &&
    (protocolName === null || protocolName === group.protocolName)
  return consistent ? 'NONE' : 'INCONSISTENT_GROUP_PROTOCOL'
}

function hasSynced(group: Group, member: Member): void {
  group.unsynced.delete(member.memberId)
  if (group.unsynced.size === 0) group.syncTimer.stop()
}

/** What the leader has assigned is stored first, and told then, unless the group has moved on meanwhile. */
async function assign(room: GroupRoom, group: Group, { assignments }: SyncRequest): Promise<void> {
  const { generation } = group
  if (!takeAssignments(room, group, assignments)) {
    undo(room, group, 'UNKNOWN_SERVER_ERROR')
    return
  }
  group.storing = generation
  const stored = await room.save(group)
  if (group.generation !== generation || group.state.name !== 'CompletingRebalance') return
  group.storing = -1
  if (!stored) {
    undo(room, group, 'COORDINATOR_NOT_AVAILABLE')
    return
  }
  group.apply({ kind: 'assigned' })
  room.log.debug({ group: group.id, generation, members: group.members.size }, 'A consumer group is stable')
  for (const member of group.members.values()) {
    if (group.answerSync(member, assignmentOf(group, member))) expectHeartbeat(room, group, member)
  }
}

/** False when they are more than this broker keeps. */
function takeAssignments(room: GroupRoom, group: Group, assignments: SyncRequest['assignments']): boolean {
  const given = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]))
  for (const member of group.members.values()) {
    const assignment = given.get(member.memberId) ?? noBytes
    const more = Math.max(0, assignment.length - member.assignment.length)
    if (!room.usage.fits({ members: 0, bytes: more })) return false
    member.assignment = Buffer.from(assignment)
    group.account(member)
  }
  return true
}

function undo(room: GroupRoom, group: Group, error: KafkaErrorName): void {
  dropAssignments(room, group, error)
  rebalanceOrComplete(room, group, 'the assignment could not be kept')
}

function assignmentOf(group: Group, { assignment }: Member): SyncResult {
  const { protocolType, protocolName } = group
  return { error: 'NONE', protocolType, protocolName, assignment }
}

/** Heartbeat. */
export function heartbeatOf(room: GroupRoom, group: Group, call: MemberCall): KafkaErrorName {
  const error = group.validate(call)
  if (error !== 'NONE') return error
  if (call.generation !== group.generation) return 'ILLEGAL_GENERATION'
  switch (group.state.name) {
    case 'Empty':
    case 'Dead':
      return 'UNKNOWN_MEMBER_ID'
    case 'PreparingRebalance':
      expectHeartbeat(room, group, group.members.get(call.memberId)!)
      return 'REBALANCE_IN_PROGRESS'
    case 'CompletingRebalance':
    case 'Stable':
      expectHeartbeat(room, group, group.members.get(call.memberId)!)
      return 'NONE'
  }
}

/** LeaveGroup: all that can go are gone, then the others rebalance once. */
export function leaveGroup(room: GroupRoom, group: Group, leaving: readonly MemberIdentity[]): LeaveResult[] {
  const results = leaving.map(({ memberId, instanceId }) => {
    return { memberId, instanceId, error: leave(group, { memberId, instanceId }) }
  })
  const gone = results.filter(({ error }) => error === 'NONE').length
  if (gone > 0) rebalanceWithout(room, group, `${gone} members have left`)
  return results
}

/** An operator removes a static member by its instance id alone. */
function leave(group: Group, identity: MemberIdentity): KafkaErrorName {
  const { memberId, instanceId } = identity
  if (memberId === '') {
    const member = instanceId === null ? undefined : group.staticMember(instanceId)
    if (!member) return 'UNKNOWN_MEMBER_ID'
    group.remove(member, 'UNKNOWN_MEMBER_ID')
    return 'NONE'
  }
  if (group.pending.has(memberId)) {
    group.dropPending(memberId)
    return 'NONE'
  }
  const error = group.validate(identity)
  if (error === 'NONE') group.remove(group.members.get(memberId)!, 'UNKNOWN_MEMBER_ID')
  return error
}

/** Whether offsets may be committed so. */
export function validateCommit(group: Group, call: MemberCall): KafkaErrorName {
  const { memberId, instanceId, generation } = call
  const { name } = group.state
  // From outside: an operator, or a consumer that is assigned by hand.
  if (generation < 0 && name === 'Empty') return 'NONE'
  if (generation < 0 && memberId === '' && instanceId === null) return 'UNKNOWN_MEMBER_ID'
  const error = group.validate(call)
  if (error !== 'NONE') return error
  if (generation !== group.generation) return 'ILLEGAL_GENERATION'
  return name === 'CompletingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
}
