import type { Clock } from '../../base/clock.ts'
import { explainError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Store } from '../../store/store.ts'
import type { KafkaErrorName } from '../../wire/errors.ts'
import type { BrokerConfig } from '../config.ts'
import { expiredOffsets } from './expiry.ts'
import { consumerProtocolType, Group } from './group.ts'
import { joinGroup } from './join.ts'
import { type GroupLimits, groupLimits, MemberUsage } from './limits.ts'
import { refusedJoin, refusedSync } from './member.ts'
import { heartbeatOf, leaveGroup, syncGroup, validateCommit } from './membership.ts'
import { Offsets } from './offsets.ts'
import { expectHeartbeat } from './rebalance.ts'
import type { GroupRoom } from './room.ts'
import { groupChange, groupKey, groupTable, restoreGroup } from './rows.ts'
import { type Alarm, Timers } from './timers.ts'
import type {
  CommitRequest,
  CommittedOffset,
  GroupDescription,
  GroupListing,
  GroupTopicPartition,
  JoinRequest,
  JoinResult,
  LeaveResult,
  MemberCall,
  MemberIdentity,
  SyncRequest,
  SyncResult,
} from './types.ts'

export interface GroupCoordinatorOptions {
  store: Store
  clock: Clock
  log: Log
  config: BrokerConfig
  /** For tests: the only real timer, and smaller limits. */
  alarm?: Alarm
  limits?: Partial<GroupLimits>
}

/**
 * Consumer groups of the classic protocol and their offsets: what Apache's group coordinator does, for one broker. Each
 * call takes effect at once, in the order of the calls; promises wait for other members, or for the disk.
 */
export class GroupCoordinator implements AsyncDisposable {
  readonly #store: Store
  readonly #clock: Clock
  readonly #log: Log
  readonly #config: BrokerConfig
  readonly #limits: GroupLimits
  readonly #offsets: Offsets
  readonly #room: GroupRoom
  /** Those with members, or with offsets, or with neither for a little while. */
  readonly #groups = new Map<string, Group>()
  #groupCharacters = 0
  #closed = false

  constructor(options: GroupCoordinatorOptions) {
    const { store, clock, log, config, alarm, limits } = options
    this.#store = store
    this.#clock = clock
    this.#log = log
    this.#config = config
    this.#limits = { ...groupLimits, ...limits }
    this.#offsets = new Offsets({ store, log, limits: this.#limits })
    const usage = new MemberUsage(this.#limits)
    const timers = new Timers({ clock, log, ...(alarm ? { alarm } : {}) })
    this.#room = { config, clock, log, timers, usage, save: (group) => this.#save(group) }
    this.#restore()
  }

  join(request: JoinRequest): Promise<JoinResult> {
    const { groupSessionTimeoutMinMs, groupSessionTimeoutMaxMs } = this.#config
    const { groupId, memberId, sessionTimeoutMs } = request
    if (this.#closed) return Promise.resolve(refusedJoin('COORDINATOR_NOT_AVAILABLE', memberId))
    if (sessionTimeoutMs < groupSessionTimeoutMinMs || sessionTimeoutMs > groupSessionTimeoutMaxMs) {
      return Promise.resolve(refusedJoin('INVALID_SESSION_TIMEOUT', memberId))
    }
    const known = this.#groups.get(groupId)
    if (!known && memberId !== '') return Promise.resolve(refusedJoin('UNKNOWN_MEMBER_ID', memberId))
    const group = known ?? this.#create(groupId)
    if (!group) return Promise.resolve(refusedJoin('GROUP_MAX_SIZE_REACHED', memberId))
    return new Promise((answer) => {
      const now = joinGroup({ room: this.#room, group, request: sane(request), answer })
      if (now) answer(now)
    })
  }

  sync(request: SyncRequest): Promise<SyncResult> {
    const group = this.#groups.get(request.groupId)
    if (!group) return Promise.resolve(refusedSync(this.#missing()))
    return new Promise((answer) => {
      const now = syncGroup(this.#room, group, request, answer)
      if (now) answer(now)
    })
  }

  heartbeat(call: MemberCall): KafkaErrorName {
    const group = this.#groups.get(call.groupId)
    return group ? heartbeatOf(this.#room, group, call) : this.#missing()
  }

  leave(groupId: string, members: readonly MemberIdentity[]): LeaveResult[] {
    const group = this.#groups.get(groupId)
    if (group) return leaveGroup(this.#room, group, members)
    return members.map(({ memberId, instanceId }) => ({ memberId, instanceId, error: this.#missing() }))
  }

  /** Undefined when there is no such group. */
  describe(groupId: string): GroupDescription | undefined {
    return this.#groups.get(groupId)?.describe()
  }

  list(): GroupListing[] {
    return [...this.#groups.values()].map((group) => group.list())
  }

  /** A group without members goes, and its offsets with it. */
  async delete(groupId: string): Promise<KafkaErrorName> {
    const group = this.#groups.get(groupId)
    if (!group) return this.#closed ? 'COORDINATOR_NOT_AVAILABLE' : 'GROUP_ID_NOT_FOUND'
    if (group.state.name !== 'Empty') return 'NON_EMPTY_GROUP'
    try {
      await this.#deleteGroup(group)
      return 'NONE'
    } catch (error) {
      this.#log.warn({ group: groupId, reason: explainError(error) }, 'A consumer group could not be deleted')
      return 'COORDINATOR_NOT_AVAILABLE'
    }
  }

  /** One error for each partition, in the order of the request, once all are durable. */
  async commit(request: CommitRequest): Promise<KafkaErrorName[]> {
    const { groupId, partitions, retentionMs } = request
    const error = this.#admitCommit(request)
    if (error !== 'NONE') return partitions.map(() => error)
    const fits = ({ metadata }: { metadata: string }) => metadata.length <= this.#config.offsetMetadataBytesMax
    const commitTimestampMs = this.#clock.wallMs()
    const expireTimestampMs = retentionMs < 0 ? null : Math.min(commitTimestampMs + retentionMs, timestampMsMax)
    const times = { commitTimestampMs, expireTimestampMs }
    const stored = await this.#offsets.commit(groupId, partitions.filter(fits), times)
    return partitions.map((partition) => (fits(partition) ? stored.shift()! : 'OFFSET_METADATA_TOO_LARGE'))
  }

  /** Undefined: nothing committed. */
  offset(groupId: string, at: GroupTopicPartition): CommittedOffset | undefined {
    return this.#offsets.get(groupId, at)
  }

  offsets(groupId: string): (GroupTopicPartition & { committed: CommittedOffset })[] {
    return [...this.#offsets.slots(groupId)].flatMap(({ topic, partition, durable }) => {
      return durable ? [{ topic, partition, committed: durable }] : []
    })
  }

  /** Consumers keep the offsets of what they subscribe to; of other groups with members nobody knows. */
  async deleteOffsets(groupId: string, partitions: readonly GroupTopicPartition[]): Promise<DeletedOffsets> {
    const group = this.#groups.get(groupId)
    const refuse = (error: KafkaErrorName) => ({ error, partitions: [] })
    if (!group) return refuse(this.#closed ? 'COORDINATOR_NOT_AVAILABLE' : 'GROUP_ID_NOT_FOUND')
    const blind = group.protocolType !== consumerProtocolType
    if (group.state.name !== 'Empty' && blind) return refuse('NON_EMPTY_GROUP')
    const subscribed = new Set(
      [...new Set(partitions.map(({ topic }) => topic))].filter((at) => group.isSubscribed(at)),
    )
    const going = new Set(partitions.filter(({ topic }) => !subscribed.has(topic)).map(placeOf))
    try {
      await this.#offsets.remove([...this.#offsets.slots(groupId)].filter((slot) => going.has(placeOf(slot))))
    } catch (error) {
      this.#log.warn({ group: groupId, reason: explainError(error) }, 'Committed offsets could not be deleted')
      return refuse('COORDINATOR_NOT_AVAILABLE')
    }
    const errorOf = (topic: string) => (subscribed.has(topic) ? 'GROUP_SUBSCRIBED_TO_TOPIC' : 'NONE')
    return { error: 'NONE', partitions: partitions.map(({ topic }) => errorOf(topic)) }
  }

  /** Takes away what nobody has used for too long. Called every `retentionCheckIntervalMs`. */
  async checkRetention(): Promise<void> {
    const nowMs = this.#clock.wallMs()
    const expired = [...this.#groups.values()].flatMap((group) => {
      return expiredOffsets(group, this.#offsets.slots(group.id), nowMs, this.#config.offsetsRetentionMs)
    })
    try {
      await this.#offsets.expire(expired)
      for (const group of [...this.#groups.values()]) if (this.#isUnused(group)) await this.#deleteGroup(group)
    } catch (error) {
      this.#log.warn({ reason: explainError(error) }, 'Expired offsets could not be deleted, it is tried again')
    }
  }

  /** The topic is gone, and with it all offsets in it. Throws what the store throws. */
  async forgetTopic(name: string): Promise<void> {
    await this.#offsets.remove(this.#offsets.of(({ topic }) => topic === name))
  }

  /** The same for all topics that are not there: a crash can come between a topic's end and that of its offsets. */
  async forgetMissingTopics(exists: (name: string) => boolean): Promise<void> {
    await this.#offsets.remove(this.#offsets.of(({ topic }) => !exists(topic)))
  }

  /** Everybody who waits is answered: clients look for the coordinator again. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#room.timers[Symbol.dispose]()
    for (const group of this.#groups.values()) {
      group.apply({ kind: 'end' })
      for (const member of group.members.values()) {
        group.answerJoin(member, refusedJoin('COORDINATOR_NOT_AVAILABLE', member.memberId))
        group.answerSync(member, refusedSync('COORDINATOR_NOT_AVAILABLE'))
      }
    }
    this.#groups.clear()
    this.#groupCharacters = 0
    this.#offsets[Symbol.dispose]()
  }

  /** Members go on where they were: their sessions begin anew, as nobody could reach us meanwhile. */
  #restore(): void {
    for (const { row } of this.#store.rows.list(groupTable)) {
      const group = restoreGroup(row, this.#room.timers, this.#room.usage)
      this.#keep(group)
      for (const member of group.members.values()) expectHeartbeat(this.#room, group, member)
    }
    for (const groupId of this.#offsets.groups()) {
      if (!this.#groups.has(groupId)) this.#keep(this.#open(groupId))
    }
  }

  #open(groupId: string): Group {
    return new Group(groupId, this.#room.timers, this.#room.usage)
  }

  /** Undefined when there are as many as can be kept. */
  #create(groupId: string): Group | undefined {
    if (!this.#hasRoomFor(groupId)) this.#dropUnused()
    if (!this.#hasRoomFor(groupId)) return undefined
    const group = this.#open(groupId)
    this.#keep(group)
    return group
  }

  #hasRoomFor(groupId: string): boolean {
    const { groupsMax, groupCharactersMax } = this.#limits
    return this.#groups.size < groupsMax && this.#groupCharacters + groupId.length <= groupCharactersMax
  }

  #keep(group: Group): void {
    this.#groups.set(group.id, group)
    this.#groupCharacters += group.id.length
  }

  #drop(group: Group): void {
    if (this.#groups.delete(group.id)) this.#groupCharacters -= group.id.length
  }

  /** Those that never came to anything: they have no row either. */
  #dropUnused(): void {
    for (const group of this.#groups.values()) {
      if (group.generation === 0 && this.#isUnused(group)) this.#drop(group)
    }
  }

  #isUnused(group: Group): boolean {
    return group.state.name === 'Empty' && group.pending.size === 0 && !this.#offsets.has(group.id)
  }

  /** Gone for everybody at once; back again when the store could not do it. */
  async #deleteGroup(group: Group): Promise<void> {
    const { state, id } = group
    for (const memberId of [...group.pending.keys()]) group.dropPending(memberId)
    group.apply({ kind: 'end' })
    this.#drop(group)
    try {
      await this.#store.execute('group.delete', () => {
        return { changes: [...this.#offsets.removalsOf(id), groupTable.remove(groupKey(id))], result: undefined }
      })
    } catch (error) {
      group.restore(state)
      if (!this.#groups.has(id) && !this.#closed) this.#keep(group)
      throw error
    }
  }

  async #save(group: Group): Promise<boolean> {
    try {
      await this.#store.execute('group.save', () => {
        return { changes: [groupChange(group, this.#clock.wallMs())], result: undefined }
      })
      return true
    } catch (error) {
      this.#log.warn({ group: group.id, reason: explainError(error) }, 'A consumer group could not be stored')
      return false
    }
  }

  /** From outside, a group comes to be by its first offsets. A member's commit keeps its session. */
  #admitCommit(request: CommitRequest): KafkaErrorName {
    const { groupId, generation, memberId } = request
    if (this.#closed) return 'COORDINATOR_NOT_AVAILABLE'
    const group = this.#groups.get(groupId)
    if (!group) {
      if (generation >= 0) return request.tellsMissingGroup ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION'
      return this.#create(groupId) ? 'NONE' : 'INVALID_COMMIT_OFFSET_SIZE'
    }
    const error = validateCommit(group, request)
    const member = group.members.get(memberId)
    if (error === 'NONE' && member) expectHeartbeat(this.#room, group, member)
    return error
  }

  #missing(): KafkaErrorName {
    return this.#closed ? 'COORDINATOR_NOT_AVAILABLE' : 'UNKNOWN_MEMBER_ID'
  }
}

export interface DeletedOffsets {
  /** Of the whole request; then there is nothing about its partitions. */
  error: KafkaErrorName
  partitions: KafkaErrorName[]
}

/** A protocol counts once, and nobody waits for less than no time. */
function sane(request: JoinRequest): JoinRequest {
  const names = new Set<string>()
  const protocols = request.protocols.filter(({ name }) => !names.has(name) && names.add(name))
  return { ...request, protocols, rebalanceTimeoutMs: Math.max(0, request.rebalanceTimeoutMs) }
}

/** The largest that the wire carries safely, whatever a client asks for. */
const timestampMsMax = Number.MAX_SAFE_INTEGER

function placeOf({ topic, partition }: GroupTopicPartition): string {
  return `${partition}/${topic}`
}
