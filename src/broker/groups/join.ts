import { randomUUID } from 'node:crypto'
import type { Group } from './group.ts'
import { bytesOf, changeOf, createMember, type Member, matches, noBytes, refusedJoin } from './member.ts'
import {
  completeIfAllJoined,
  expectHeartbeat,
  newMemberJoinTimeoutMs,
  prepareRebalance,
  rebalanceOrComplete,
  rebalanceWithout,
} from './rebalance.ts'
import type { GroupRoom } from './room.ts'
import type { JoinRequest, JoinResult } from './types.ts'

type Answer = (result: JoinResult) => void

/** One JoinGroup at a group. */
interface Joining {
  room: GroupRoom
  group: Group
  request: JoinRequest
  /** Called when the round of joins is over, if there is no answer before. */
  answer: Answer
}

/** JoinGroup at a group that is there: what comes of it at once, else undefined. */
export function joinGroup(joining: Joining): JoinResult | undefined {
  const { room, group, request } = joining
  const { memberId } = request
  if (!hasRoom(joining)) {
    turnAway(room, group, memberId)
    return refusedJoin('GROUP_MAX_SIZE_REACHED', '')
  }
  if (!group.supports(request.protocolType, request.protocols)) {
    return refusedJoin('INCONSISTENT_GROUP_PROTOCOL', memberId)
  }
  if (memberId === '') return joinAsNew(joining)
  // Ids are given out in advance to dynamic members only.
  if (group.pending.has(memberId)) return joinAs({ ...joining, request: { ...request, instanceId: null } }, memberId)
  const error = group.validate(request)
  return error === 'NONE' ? rejoin(joining, group.members.get(memberId)!) : refusedJoin(error, memberId)
}

/** While a round goes on those who wait are counted: whoever comes last to a group that is too large is out. */
function hasRoom({ room, group, request }: Joining): boolean {
  const { groupMembersMax } = room.config
  const member = group.members.get(request.memberId)
  const promised = group.pending.has(request.memberId)
  const bytes = bytesOf({ ...request, assignment: noBytes }) - (member?.bytes ?? 0)
  if (!room.usage.fits({ members: member || promised ? 0 : 1, bytes: Math.max(0, bytes) })) return false
  if (!member && !promised && group.pending.size >= groupMembersMax) return false
  switch (group.state.name) {
    case 'Empty':
    case 'Dead':
      return true
    case 'PreparingRebalance':
      return member?.join !== undefined || group.joining < groupMembersMax
    case 'CompletingRebalance':
    case 'Stable':
      return member !== undefined || group.members.size < groupMembersMax
  }
}

function turnAway(room: GroupRoom, group: Group, memberId: string): void {
  const member = group.members.get(memberId)
  if (member) group.remove(member, 'GROUP_MAX_SIZE_REACHED')
  group.dropPending(memberId)
  if (member) rebalanceWithout(room, group, 'a member was one too many')
  else completeIfAllJoined(room, group)
}

function joinAsNew(joining: Joining): JoinResult | undefined {
  const { room, group, request } = joining
  const { instanceId, clientId, sessionTimeoutMs } = request
  const memberId = `${instanceId ?? clientId}-${randomUUID()}`
  const holder = instanceId === null ? undefined : group.staticMember(instanceId)
  if (holder) return takeOver(joining, holder, memberId)
  if (instanceId !== null || !request.requiresMemberId) return joinAs(joining, memberId)
  const timer = room.timers.create()
  group.addPending(memberId, timer)
  timer.start(sessionTimeoutMs, () => {
    group.dropPending(memberId)
    completeIfAllJoined(room, group)
  })
  return refusedJoin('MEMBER_ID_REQUIRED', memberId)
}

function joinAs({ room, group, request, answer }: Joining, memberId: string): undefined {
  const member = createMember(memberId, request, room.timers.create())
  group.apply({ kind: 'member-added' })
  group.add(member, request.protocolType)
  group.awaitJoin(member, answer)
  expectHeartbeat(room, group, member, newMemberJoinTimeoutMs)
  rebalanceOrComplete(room, group, 'a member has joined')
}

/** A member that is there asks again: because it was told to, or because it has something to change. */
function rejoin(joining: Joining, member: Member): JoinResult | undefined {
  const { group, request } = joining
  const same = matches(member, request.protocols)
  const leads = group.leaderId === member.memberId
  switch (group.state.name) {
    case 'PreparingRebalance':
      return joinAgain(joining, member, 'a member has joined again')
    case 'CompletingRebalance':
      // It may not have got the answer of the round: here it is.
      return same ? group.joined(member) : joinAgain(joining, member, 'a member has changed')
    case 'Stable':
      if (same && !leads) return group.joined(member)
      // A leader joins when something that only it sees, such as the topics' partitions, calls for other assignments.
      return joinAgain(joining, member, leads ? 'the leader asks for it' : 'a member has changed')
    case 'Empty':
    case 'Dead':
      return refusedJoin('UNKNOWN_MEMBER_ID', member.memberId)
  }
}

function joinAgain({ room, group, request, answer }: Joining, member: Member, reason: string): undefined {
  group.update(member, changeOf(request))
  group.awaitJoin(member, answer)
  rebalanceOrComplete(room, group, reason)
}

/**
 * A static member has started anew and comes without its old id: it gets a new one, and keeps its assignment without a
 * rebalance when the group's protocol stays what it is.
 */
function takeOver(joining: Joining, old: Member, memberId: string): undefined {
  const { room, group, request, answer } = joining
  const leaderBefore = group.leaderId ?? ''
  const fresh = createMember(memberId, request, room.timers.create())
  const member = { ...fresh, assignment: old.assignment, isNew: false }
  group.replace(old, member)
  group.awaitJoin(member, answer)
  expectHeartbeat(room, group, member)
  if (group.state.name === 'PreparingRebalance') {
    completeIfAllJoined(room, group)
  } else if (group.state.name === 'CompletingRebalance') {
    // The leader may be assigning to the old id at this moment.
    prepareRebalance(room, group, 'a static member is back under another id')
  } else if (group.chooseProtocol() !== group.protocolName) {
    prepareRebalance(room, group, 'a static member is back with other protocols')
  } else {
    void keepAssignment(joining, { old, member, leaderBefore })
  }
}

/** The new id has to survive a crash before its owner learns it. A rebalance that begins meanwhile answers instead. */
async function keepAssignment(
  { room, group, request, answer }: Joining,
  { old, member, leaderBefore }: { old: Member; member: Member; leaderBefore: string },
): Promise<void> {
  const { generation } = group
  const stored = await room.save(group)
  if (member.join !== answer || group.state.name !== 'Stable' || group.generation !== generation) return
  if (!stored) {
    group.answerJoin(member, refusedJoin('COORDINATOR_NOT_AVAILABLE', ''))
    group.replace(member, old)
    expectHeartbeat(room, group, old)
    return
  }
  // Its session may have run out, excused, while the disk was slow.
  expectHeartbeat(room, group, member)
  const joined = group.joined(member)
  const leads = group.leaderId === member.memberId
  // A leader of before v9 would assign anew: told the old leader's id, it takes itself for a follower.
  const untold = { leader: leaderBefore, members: [] }
  group.answerJoin(member, { ...joined, ...(request.skipsAssignment ? { skipAssignment: leads } : untold) })
}
