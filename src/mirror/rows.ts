import type { LinkId, MirrorId } from '../base/ids.ts'
import type { AclBinding } from '../kafka/admin/acl-names.ts'
import { defineTable } from '../store/table.ts'
import type { MirrorState } from './lifecycle.ts'
import type { ReadOnlyMode } from './plan/read-only.ts'

/** One topic that is, or was, a mirror. The row's key is the mirror id. */
export interface MirrorRow {
  mirrorId: MirrorId
  linkId: LinkId
  topic: string
  sourceTopic: string
  /** Dashed UUIDs, pinned; `topicId` is null until the topic is made. */
  topicId: string | null
  sourceTopicId: string
  /** Kafka's own cluster ids of both sides, pinned. */
  kafkaClusterId: string
  sourceKafkaClusterId: string
  partitions: PartitionRow[]
  state: MirrorState
  /** When it came into that state. */
  stateMs: number
  createdMs: number
  /** An existing copy was taken over; otherwise the topic was made by us. */
  adopted: boolean
  /** Null: the broker's default. */
  replicationFactor: number | null
  /** What the source says of every config that follows it, as of the last comparison: works with the source dead. */
  sourceConfigs: Record<string, string>
  /** Given at creation, never touched by the comparison. */
  localConfigs: Record<string, string>
  /** How foreign writers are kept out. */
  readOnly: { mode: ReadOnlyMode; reason: string; acls: AclBinding[] }
  /** What keeps late appends of our own out after a stop; empty when nothing does. */
  selfDenial: AclBinding[]
  /** How the source's writers are kept out for a promotion; null when nobody is. */
  sourceFence: SourceFence | null
  /** What was about to be done to Kafka: committed before, taken away after. The janitor finishes or undoes it. */
  intent: MirrorIntent | null
  /** What a stop has shown; null before. */
  stop: StopReport | null
}

export type MirrorIntent =
  /** The topic is being made or adopted, with these configs; each partition begins where `logStarts` says, or at 0. */
  | { kind: 'create'; configs: Record<string, string>; logStarts?: number[] }
  /** It could not be: what was made goes again. */
  | { kind: 'abandon' }
  /** It was restored from a backup: its topic is to be proven first. `paused`: it stays so then. */
  | { kind: 'restore'; paused: boolean }
  /** It becomes an ordinary topic. */
  | { kind: 'release' }
  | { kind: 'delete' }

/** `kafka`: by ACLs that we made at the source ourselves; `peer`: by the daemon at the far end of the link. */
export type SourceFence = { by: 'kafka'; acls: AclBinding[] } | { by: 'peer' }

export interface PartitionRow {
  /**
   * Nothing of an earlier pump can be under way any more. Written false before a pump starts, true only when it has
   * stopped so.
   */
  quiet: boolean
  /** As last known when the pump stopped; −1: never seen. */
  sourceHighWatermark: number
  /** The destination's high watermark then; −1: never seen. */
  end: number
}

export interface StopReport {
  partitions: PartitionStop[]
  /** Of our own producer, seen in the ten minutes after; null: none so far. */
  lateWrite: string | null
}

export interface PartitionStop {
  /** The mirror ends there. */
  end: number
  /** What the source had then; −1: unknown. Of a promotion both are equal. */
  sourceHighWatermark: number
  /** When that was seen. */
  atMs: number
}

export const mirrorTable = defineTable<MirrorRow>('mirror', 2, (row) => {
  return { selfDenial: [], sourceFence: null, ...row } as unknown as MirrorRow
})

/** A topic of this cluster whose writers are denied until somebody lifts it. The key is the topic. */
export interface FenceRow {
  topic: string
  acls: AclBinding[]
  sinceMs: number
}

export const fenceTable = defineTable<FenceRow>('topic-fence', 1)

/** Consumer groups whose offsets we have written. The key is the link id and the group. */
export interface SyncedGroupRow {
  linkId: LinkId
  /** As it is called here. */
  group: string
  topics: string[]
}

export const syncedGroupTable = defineTable<SyncedGroupRow>('mirror-group', 1)

export function syncedGroupKey(linkId: LinkId, group: string): string {
  return `${linkId}/${group}`
}

export function freshPartition(): PartitionRow {
  return { quiet: true, sourceHighWatermark: -1, end: -1 }
}
