import type { KafkaErrorName } from '../../wire/errors.ts'
import type { MemberUsage } from './limits.ts'
import {
  bytesOf,
  type Member,
  type MemberChange,
  metadataFor,
  promisedBytes,
  refusedJoin,
  refusedSync,
} from './member.ts'
import { advance, type GroupEvent, type GroupState } from './state.ts'
import { subscribedTopics } from './subscription.ts'
import type { Timer, Timers } from './timers.ts'
import type {
  GroupDescription,
  GroupListing,
  JoinedMember,
  JoinResult,
  MemberIdentity,
  MemberProtocol,
} from './types.ts'

/** Protocol type of groups whose members are consumers, and whose metadata therefore can be read. */
export const consumerProtocolType = 'consumer'
/** A group keeps it as long as it is there. No client has one of more than some letters. */
const protocolTypeCharactersMax = 249

/**
 * One group: who is in it and how far it has come. It keeps its own books straight; what is to happen next, and when,
 * is decided in `rebalance.ts` and beside it.
 */
export class Group {
  readonly id: string
  readonly members = new Map<string, Member>()
  /** Ids that were given out and have not joined yet, with the time that they have for it. */
  readonly pending = new Map<string, Timer>()
  /** Members of this generation that have not asked for their assignment yet. */
  readonly unsynced = new Set<string>()
  /** Ends the round of joins. */
  readonly roundTimer: Timer
  /** Ends the wait for everybody's SyncGroup. */
  readonly syncTimer: Timer
  generation = 0
  /** Null: only offsets were ever committed. */
  protocolType: string | null = null
  protocolName: string | null = null
  leaderId: string | null = null
  /** The generation whose assignment is being stored; −1: none. */
  storing = -1
  #state: GroupState = { name: 'Empty', sinceMs: null }
  readonly #usage: MemberUsage
  readonly #statics = new Map<string, string>()
  /** How many members know each protocol. */
  readonly #supporters = new Map<string, number>()
  #joining = 0

  constructor(id: string, timers: Timers, usage: MemberUsage) {
    this.id = id
    this.#usage = usage
    this.roundTimer = timers.create()
    this.syncTimer = timers.create()
  }

  get state(): GroupState {
    return this.#state
  }

  /** How many members wait for the answer to their JoinGroup. */
  get joining(): number {
    return this.#joining
  }

  get allJoined(): boolean {
    return this.members.size === this.#joining && this.pending.size === 0
  }

  get rebalanceTimeoutMs(): number {
    let longestMs = 0
    for (const { rebalanceTimeoutMs } of this.members.values()) longestMs = Math.max(longestMs, rebalanceTimeoutMs)
    return longestMs
  }

  apply(event: GroupEvent): void {
    this.#state = advance(this.#state, event)
  }

  /** As it was stored. */
  restore(state: GroupState): void {
    this.#state = state
  }

  /** Whether somebody who knows these could be a member. */
  supports(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (this.#state.name === 'Empty') {
      return protocolType !== '' && protocolType.length <= protocolTypeCharactersMax && protocols.length > 0
    }
    return this.protocolType === protocolType && protocols.some(({ name }) => this.#isCommon(name))
  }

  staticMember(instanceId: string): Member | undefined {
    return this.members.get(this.#statics.get(instanceId) ?? '')
  }

  /** Whether somebody is the member that it says it is. */
  validate({ memberId, instanceId }: MemberIdentity): KafkaErrorName {
    if (instanceId !== null) {
      const holder = this.staticMember(instanceId)
      if (!holder) return 'UNKNOWN_MEMBER_ID'
      if (holder.memberId !== memberId) return 'FENCED_INSTANCE_ID'
    }
    return this.members.has(memberId) ? 'NONE' : 'UNKNOWN_MEMBER_ID'
  }

  add(member: Member, protocolType: string): void {
    if (this.members.size === 0) this.protocolType = protocolType
    this.members.set(member.memberId, member)
    if (member.instanceId !== null) this.#statics.set(member.instanceId, member.memberId)
    this.leaderId ??= member.memberId
    this.#countProtocols(member, 1)
    this.#usage.members += 1
    this.account(member)
    this.dropPending(member.memberId)
  }

  /** Takes a member out; whatever it waits for is answered with `error`. */
  remove(member: Member, error: KafkaErrorName): void {
    this.answerJoin(member, refusedJoin(error, ''))
    this.answerSync(member, refusedSync(error))
    member.session.stop()
    this.#forget(member)
    if (this.leaderId === member.memberId) this.leaderId = this.members.keys().next().value ?? null
    if (member.instanceId !== null) this.#statics.delete(member.instanceId)
  }

  /** The same static member under another id. Whoever still waits under the old one is fenced. */
  replace(old: Member, successor: Member): void {
    this.answerJoin(old, refusedJoin('FENCED_INSTANCE_ID', old.memberId))
    this.answerSync(old, refusedSync('FENCED_INSTANCE_ID'))
    old.session.stop()
    const leads = this.leaderId === old.memberId
    this.#forget(old)
    this.add(successor, this.protocolType!)
    if (leads) this.leaderId = successor.memberId
  }

  update(member: Member, change: MemberChange): void {
    this.#countProtocols(member, -1)
    Object.assign(member, change)
    this.#countProtocols(member, 1)
    this.account(member)
  }

  /** Counts what a member takes now. */
  account(member: Member): void {
    const bytes = bytesOf(member)
    this.#usage.bytes += bytes - member.bytes
    member.bytes = bytes
  }

  addPending(memberId: string, timer: Timer): void {
    this.pending.set(memberId, timer)
    this.#usage.members += 1
    this.#usage.bytes += promisedBytes(memberId)
  }

  dropPending(memberId: string): void {
    const timer = this.pending.get(memberId)
    if (!timer) return
    timer.stop()
    this.pending.delete(memberId)
    this.#usage.members -= 1
    this.#usage.bytes -= promisedBytes(memberId)
  }

  /** Keeps the answer to a JoinGroup for later. One that waits already has been given up by its client. */
  awaitJoin(member: Member, answer: (result: JoinResult) => void): void {
    this.answerJoin(member, refusedJoin('REBALANCE_IN_PROGRESS', member.memberId))
    member.join = answer
    this.#joining += 1
  }

  answerJoin(member: Member, result: JoinResult): void {
    const { join } = member
    if (!join) return
    member.join = undefined
    this.#joining -= 1
    join(result)
  }

  answerSync(member: Member, result: Parameters<NonNullable<Member['sync']>>[0]): boolean {
    const { sync } = member
    member.sync = undefined
    sync?.(result)
    return sync !== undefined
  }

  /** The protocol that everybody knows and most prefer. */
  chooseProtocol(): string {
    const votes = new Map<string, number>()
    for (const { protocols } of this.members.values()) {
      const vote = protocols.find(({ name }) => this.#isCommon(name))?.name
      if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1)
    }
    const most = Math.max(...votes.values())
    return [...votes].find(([, count]) => count === most)![0]
  }

  /** A leader that has not joined again loses its place to one who has; false when nobody has. */
  electLeader(): boolean {
    const leader = this.members.get(this.leaderId ?? '')
    if (!leader) return false
    if (leader.join) return true
    for (const { memberId, join } of this.members.values()) {
      if (!join) continue
      this.leaderId = memberId
      return true
    }
    return false
  }

  nextGeneration(nowMs: number): void {
    this.generation += 1
    this.protocolName = this.members.size > 0 ? this.chooseProtocol() : null
    this.apply({ kind: 'round-over', members: this.members.size, nowMs })
  }

  /** What a member of this generation is told when it has joined. */
  joined(member: Member): JoinResult {
    return {
      error: 'NONE',
      memberId: member.memberId,
      generation: this.generation,
      protocolType: this.protocolType,
      protocolName: this.protocolName,
      leader: this.leaderId ?? '',
      skipAssignment: false,
      members: member.memberId === this.leaderId ? this.allMetadata() : [],
    }
  }

  allMetadata(): JoinedMember[] {
    return [...this.members.values()].map((member) => {
      const { memberId, instanceId } = member
      return { memberId, instanceId, metadata: metadataFor(member, this.protocolName) }
    })
  }

  /** A group of consumers whose metadata nobody can read could be subscribed to anything. */
  isSubscribed(topic: string): boolean {
    if (this.protocolType !== consumerProtocolType) return false
    return this.subscribedTopics()?.has(topic) ?? true
  }

  /** Undefined when it is not known. */
  subscribedTopics(): Set<string> | undefined {
    if (this.protocolType !== consumerProtocolType) return undefined
    if (this.members.size === 0) return new Set()
    return this.protocolName === null ? undefined : subscribedTopics(this.allMetadata().map((one) => one.metadata))
  }

  list(): GroupListing {
    return { groupId: this.id, state: this.#state.name, protocolType: this.protocolType ?? '' }
  }

  describe(): GroupDescription {
    const stable = this.#state.name === 'Stable'
    const members = [...this.members.values()].map((member) => {
      const { memberId, instanceId, clientId, clientHost, assignment } = member
      const metadata = metadataFor(member, stable ? this.protocolName : null)
      return {
        memberId,
        instanceId,
        clientId,
        clientHost,
        metadata,
        assignment: stable ? assignment : new Uint8Array(),
      }
    })
    return { ...this.list(), protocolName: (stable && this.protocolName) || '', members }
  }

  #isCommon(protocol: string): boolean {
    return (this.#supporters.get(protocol) ?? 0) === this.members.size
  }

  #forget(member: Member): void {
    if (!this.members.delete(member.memberId)) return
    this.unsynced.delete(member.memberId)
    this.#countProtocols(member, -1)
    this.#usage.members -= 1
    this.#usage.bytes -= member.bytes
    member.bytes = 0
  }

  #countProtocols(member: Member, step: 1 | -1): void {
    for (const { name } of member.protocols) {
      const count = (this.#supporters.get(name) ?? 0) + step
      if (count > 0) this.#supporters.set(name, count)
      else this.#supporters.delete(name)
    }
  }
}
