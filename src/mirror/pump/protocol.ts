import type { ErrorCode } from '../../base/errors.ts'
import type { LinkId, MirrorId } from '../../base/ids.ts'
import type { ClusterSpec } from '../../kafka/spec.ts'
import type { PumpSettings } from './settings.ts'

/**
 * What the control thread and a pump worker say to each other: plain data, structured-clonable. Every request gets one
 * reply with its call number; notices come on their own. Specs hold secrets: no message is ever logged.
 */
export type PumpRequest = OpenLink | StartPartition | StopPartition | CloseLink | Shutdown

/** Replaces nothing: a link that is open is refused with `already-exists`. */
export interface OpenLink {
  kind: 'openLink'
  linkId: LinkId
  source: LinkEnd
  destination: LinkEnd
  settings: Partial<PumpSettings>
}

export interface LinkEnd {
  cluster: ClusterSpec
  /** Pinned: an answer that names another Kafka cluster id stops every partition of the link. */
  kafkaClusterId: string
}

export interface PartitionRef {
  linkId: LinkId
  mirrorId: MirrorId
  partition: number
}

/** Starts or resumes at the destination's log end. The reply comes at once; how it goes is told by notices. */
export interface StartPartition extends PartitionRef {
  kind: 'startPartition'
  sourceTopic: string
  /** Dashed UUIDs, pinned. */
  sourceTopicId: string
  topic: string
  topicId: string
  /**
   * Control knows durably that nothing of an earlier pump can still be under way: it has just minted the id, or the
   * last stop was reported `quiet`. Spares the grace that old data otherwise costs after a process start. False when
   * in doubt.
   */
  settled?: boolean
}

export interface StopPartition extends PartitionRef {
  kind: 'stopPartition'
  /** `drain`: what is under way is answered first. `now`: the connection is closed if anything is unanswered. */
  mode: 'drain' | 'now'
}

/** Stops every partition of the link as `now` does, and forgets it. A link that is not open is no error. */
export interface CloseLink {
  kind: 'closeLink'
  linkId: LinkId
}

/** Drains everything, for at most `drainMs`; the worker ends after the reply. */
export interface Shutdown {
  kind: 'shutdown'
  drainMs: number
}

/** What the pump knows for certain about a partition that it no longer writes to. */
export interface StopFacts {
  /** Every append was answered, or the connection that carried an unanswered one is closed. */
  settled: 'answered' | 'connection-closed'
  /** Nothing of this pump or an earlier one can still arrive: the next start may say `settled`. */
  quiet: boolean
  /** End of what the destination's leader acknowledged to us. */
  acknowledgedEnd: number
  /** End of what was handed to the connection: nothing of ours can appear at or beyond it. */
  sentEnd: number
  /** Destination high watermark as last seen. */
  confirmedEnd: number
  /** Log end at the destination's leader, asked after everything had settled; undefined when it could not be asked. */
  logEnd: number | undefined
  sourceHighWatermark: number | undefined
}

export interface PumpReplies {
  openLink: undefined
  startPartition: undefined
  /** Undefined when the partition was not running. */
  stopPartition: StopFacts | undefined
  closeLink: undefined
  shutdown: undefined
}

export interface PumpCall {
  call: number
  request: PumpRequest
}

export type PumpMessage = PumpReply | PumpNotice

export type PumpReply =
  | { kind: 'reply'; call: number; ok: true; value: PumpReplies[PumpRequest['kind']] }
  | { kind: 'reply'; call: number; ok: false; error: WireError }

/** A LinkspanError as data. */
export interface WireError {
  code: ErrorCode
  message: string
  details: Record<string, unknown>
}

export type PumpNotice = StatsNotice | StoppedNotice | EventNotice

/** At most every `statsIntervalMs`, only with partitions of which something has changed since. */
export interface StatsNotice {
  kind: 'stats'
  linkId: LinkId
  partitions: PartitionStats[]
}

/**
 * Where a partition stands. `draining`: old data waits until nothing late can arrive at the destination any more.
 * `alone`: one batch is on its way, the next ones wait for its answer. `flowing`: also with nothing to do.
 */
export type PartitionPhase = 'waiting' | 'opening' | 'draining' | 'alone' | 'flowing' | 'finishing' | 'stopped'

export interface PartitionStats {
  mirrorId: MirrorId
  partition: number
  phase: PartitionPhase
  /** Next offset to be read from the source. */
  nextOffset: number
  /** End of what the destination's leader has appended. */
  acknowledgedEnd: number
  /** Destination high watermark: what counts as mirrored. −1 until it was seen. */
  confirmedEnd: number
  /** −1 until it was seen. */
  sourceHighWatermark: number
  /** Source high watermark minus destination high watermark; undefined until both were seen. */
  lagRecords: number | undefined
  /** Age of the oldest source high watermark that is not confirmed yet, by our monotonic clock, when this was sent. */
  lagMs: number
  /** Passed since the pump was started. */
  bytes: number
  batches: number
  /** How often the partition was opened anew after a doubt. */
  resumes: number
  /** The latest obstacle that did not stop it; undefined once batches are acknowledged again. */
  trouble: { code: ErrorCode; message: string } | undefined
}

/** Why a partition stopped for good. Nothing more is written to it until control starts it again. */
export interface StopReason {
  code: ErrorCode
  /** One sentence: the cause and the way out. */
  message: string
  /** What kind of obstacle, for a person's next step and for the choice of another method. */
  cause: StopCause
  /** The offset where it stands or where the obstacle lies. */
  offset: number | undefined
  details: Record<string, unknown>
}

export type StopCause =
  | 'transactional'
  | 'control'
  | 'hole'
  | 'empty'
  | 'log-append-time'
  | 'old-format'
  | 'unknown-codec'
  | 'log-start'
  | 'inside-batch'
  | 'corrupt'
  | 'source-truncated'
  | 'source-recreated'
  | 'source-gone'
  | 'source-cluster'
  | 'destination-recreated'
  | 'destination-gone'
  | 'destination-cluster'
  | 'destination-tail'
  | 'destination-differs'
  | 'foreign-write'
  | 'fenced'
  | 'refused'
  | 'not-permitted'
  | 'internal'

export interface StoppedNotice {
  kind: 'stopped'
  linkId: LinkId
  mirrorId: MirrorId
  topic: string
  partition: number
  reason: StopReason
}

/** What an operator may want to see in the log; nothing has to be done about it. */
export interface EventNotice {
  kind: 'event'
  linkId: LinkId
  event:
    | { name: 'source-unreachable' | 'destination-unreachable'; code: ErrorCode; message: string }
    | { name: 'doubt'; mirrorId: MirrorId; partition: number; offset: number; message: string }
    | { name: 'draining'; mirrorId: MirrorId; partition: number; offset: number; graceMs: number }
    | { name: 'flowing'; mirrorId: MirrorId; partition: number; offset: number }
}
