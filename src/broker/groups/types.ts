import type { KafkaErrorName } from '../../wire/errors.ts'

/** Offsets that groups have committed, durable. */
export interface CommittedOffset {
  offset: number
  /** −1: not told. */
  leaderEpoch: number
  metadata: string
  commitTimestampMs: number
  /** Set by commits that bring a retention time of their own (up to v4); null: the broker's retention decides. */
  expireTimestampMs: number | null
}

export interface GroupTopicPartition {
  /** Names, as the offsets of Apache's classic groups are kept. */
  topic: string
  partition: number
}

/** Who a member says that it is. */
export interface MemberIdentity {
  /** Empty: it has none yet. */
  memberId: string
  /** Null for dynamic members. */
  instanceId: string | null
}

/** A way to assign that a member knows, with what the leader needs to know of it. In order of preference. */
export interface MemberProtocol {
  name: string
  metadata: Uint8Array
}

export interface JoinRequest extends MemberIdentity {
  groupId: string
  clientId: string
  clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocolType: string
  protocols: MemberProtocol[]
  /** From v4 on a dynamic member is told its id first and joins with that. */
  requiresMemberId: boolean
  /** From v9 on a leader can be told that nothing is to be assigned. */
  skipsAssignment: boolean
}

export interface JoinResult {
  error: KafkaErrorName
  memberId: string
  generation: number
  protocolType: string | null
  protocolName: string | null
  leader: string
  skipAssignment: boolean
  /** For the leader: everybody. */
  members: JoinedMember[]
}

export interface JoinedMember extends MemberIdentity {
  metadata: Uint8Array
}

/** What a member of a generation calls with. */
export interface MemberCall extends MemberIdentity {
  groupId: string
  generation: number
}

export interface SyncRequest extends MemberCall {
  /** Null: not told. */
  protocolType: string | null
  protocolName: string | null
  /** By the leader only. */
  assignments: { memberId: string; assignment: Uint8Array }[]
}

export interface SyncResult {
  error: KafkaErrorName
  protocolType: string | null
  protocolName: string | null
  assignment: Uint8Array
}

export interface LeaveResult extends MemberIdentity {
  error: KafkaErrorName
}

/** Under Kafka's own names. */
export type GroupStateName = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export interface GroupListing {
  groupId: string
  state: GroupStateName
  /** Empty when only offsets were ever committed. */
  protocolType: string
}

export interface GroupDescription extends GroupListing {
  /** The protocol chosen; empty unless the group is stable. */
  protocolName: string
  members: DescribedMember[]
}

export interface DescribedMember extends MemberIdentity {
  clientId: string
  clientHost: string
  /** Both empty unless the group is stable. */
  metadata: Uint8Array
  assignment: Uint8Array
}

export interface CommitRequest extends MemberCall {
  /** −1: the broker's. */
  retentionMs: number
  /** From v9 on a generation of a group that is not there has an error of its own. */
  tellsMissingGroup: boolean
  partitions: CommitPartition[]
}

export interface CommitPartition extends GroupTopicPartition {
  offset: number
  leaderEpoch: number
  metadata: string
}
