import type { KafkaErrorName } from '../../wire/errors.ts'
import type { Group } from './group.ts'
import { type Member, noBytes, refusedSync } from './member.ts'
import type { GroupRoom } from './room.ts'
import type { Opening } from './state.ts'

/** A new member has no session yet, and its client may be gone: so long it may wait (Apache's fixed five minutes). */
export const newMemberJoinTimeoutMs = 300_000
/** When nobody has joined again, the next look comes no sooner than this, whatever members ask for. */
const emptyRoundMsMin = 1000

/** Something has changed that concerns all members: a round begins, or the one under way may be complete now. */
export function rebalanceOrComplete(room: GroupRoom, group: Group, reason: string): void {
  switch (group.state.name) {
    case 'Empty':
    case 'CompletingRebalance':
    case 'Stable':
      prepareRebalance(room, group, reason)
      break
    case 'PreparingRebalance':
      completeIfAllJoined(room, group)
      break
    case 'Dead':
      break
  }
}

/** A member has gone. */
export function rebalanceWithout(room: GroupRoom, group: Group, reason: string): void {
  if (group.state.name !== 'Empty') rebalanceOrComplete(room, group, reason)
}

/** Begins a round: members learn from their heartbeats that they have to join again. */
export function prepareRebalance(room: GroupRoom, group: Group, reason: string): void {
  if (group.state.name === 'CompletingRebalance') dropAssignments(room, group, 'REBALANCE_IN_PROGRESS')
  group.syncTimer.stop()
  const opens = group.state.name === 'Empty'
  const delayMs = room.config.groupInitialRebalanceDelayMs
  const opening = { delayMs, remainingMs: Math.max(0, group.rebalanceTimeoutMs - delayMs), memberAdded: false }
  group.apply({ kind: 'rebalance', opening })
  room.log.debug({ group: group.id, generation: group.generation, reason }, 'A consumer group rebalances')
  if (opens) startOpening(room, group, opening)
  else if (group.allJoined) completeRound(room, group)
  else group.roundTimer.start(group.rebalanceTimeoutMs, () => completeRound(room, group))
}

function startOpening(room: GroupRoom, group: Group, opening: Opening): void {
  group.roundTimer.start(opening.delayMs, () => endOpening(room, group))
}

/** Whoever has come during the delay may be followed by others: within the rebalance timeout it begins anew. */
function endOpening(room: GroupRoom, group: Group): void {
  const opening = group.state.name === 'PreparingRebalance' ? group.state.opening : null
  if (!opening?.memberAdded || opening.remainingMs === 0) {
    completeRound(room, group)
    return
  }
  const delayMs = Math.min(room.config.groupInitialRebalanceDelayMs, opening.remainingMs)
  const remainingMs = Math.max(0, opening.remainingMs - opening.delayMs)
  const extended = { delayMs, remainingMs, memberAdded: false }
  group.apply({ kind: 'opening-extended', opening: extended })
  startOpening(room, group, extended)
}

/** Everybody is there: no need to wait for the end of the round. The first round of a group always takes its time. */
export function completeIfAllJoined(room: GroupRoom, group: Group): void {
  const { state } = group
  if (state.name === 'PreparingRebalance' && !state.opening && group.allJoined) completeRound(room, group)
}

/** Who has not joined is out, except for static members, who may be back before their session ends. */
function completeRound(room: GroupRoom, group: Group): void {
  group.roundTimer.stop()
  if (group.state.name !== 'PreparingRebalance') return
  for (const member of [...group.members.values()]) {
    if (!member.join && member.instanceId === null) group.remove(member, 'UNKNOWN_MEMBER_ID')
  }
  if (group.members.size > 0 && !group.electLeader()) {
    const againMs = Math.max(group.rebalanceTimeoutMs, emptyRoundMsMin)
    group.roundTimer.start(againMs, () => completeRound(room, group))
    return
  }
  group.nextGeneration(room.clock.wallMs())
  const { generation, id } = group
  room.log.debug({ group: id, generation, members: group.members.size }, 'A consumer group has a new generation')
  if (group.members.size === 0) {
    void room.save(group)
    return
  }
  for (const member of group.members.values()) {
    group.answerJoin(member, group.joined(member))
    member.isNew = false
    group.unsynced.add(member.memberId)
    expectHeartbeat(room, group, member)
  }
  group.syncTimer.start(group.rebalanceTimeoutMs, () => expireSyncs(room, group))
}

/** Who has joined and then not asked for its assignment is out. */
function expireSyncs(room: GroupRoom, group: Group): void {
  const late = [...group.unsynced].flatMap((memberId) => group.members.get(memberId) ?? [])
  if (late.length === 0) return
  for (const member of late) group.remove(member, 'UNKNOWN_MEMBER_ID')
  rebalanceWithout(room, group, `${late.length} members have not synchronised in time`)
}

/** Nobody's assignment counts any more; whoever waits for it is told why. */
export function dropAssignments(room: GroupRoom, group: Group, error: KafkaErrorName): void {
  for (const member of group.members.values()) {
    member.assignment = noBytes
    group.account(member)
    if (group.answerSync(member, refusedSync(error))) expectHeartbeat(room, group, member)
  }
}

/** Starts a member's session anew. */
export function expectHeartbeat(
  room: GroupRoom,
  group: Group,
  member: Member,
  timeoutMs: number = member.sessionTimeoutMs,
): void {
  member.session.start(timeoutMs, () => expireSession(room, group, member))
}

/** Whoever waits for an answer is excused, unless it is new: its session begins again with that answer. */
function expireSession(room: GroupRoom, group: Group, member: Member): void {
  if (group.members.get(member.memberId) !== member) return
  if (!member.isNew && (member.join || member.sync)) return
  room.log.debug({ group: group.id, member: member.memberId }, 'A member of a consumer group has lost its session')
  group.remove(member, 'UNKNOWN_MEMBER_ID')
  rebalanceWithout(room, group, 'a member has lost its session')
}
