import type { KafkaErrorName } from '../../wire/errors.ts'

/** What of a topic's configs concerns its logs. Durations in milliseconds, −1: no limit. */
export interface LogConfig {
  segmentBytes: number
  segmentMs: number
  retentionMs: number
  retentionBytes: number
  messageBytesMax: number
  timestampType: 'CreateTime' | 'LogAppendTime'
  /** How far a record's timestamp may lie before and after the broker's clock. */
  timestampBeforeMaxMs: number
  timestampAfterMaxMs: number
  indexIntervalBytes: number
}

export interface AppendRefusal {
  error: KafkaErrorName
  message?: string
  recordErrors?: { batchIndex: number; message: string }[]
}

/** Offsets as appended, on disk when the promise that holds this resolves. */
export interface Appended {
  /** Of a duplicate, where its batch went the first time. */
  baseOffset: number
  /** −1 unless the topic stamps. */
  logAppendTimeMs: number
  logStartOffset: number
}

export type AppendOutcome = { ok: true; value: Appended } | ({ ok: false } & AppendRefusal)

export type Isolation = 'uncommitted' | 'committed'

export interface ReadOptions {
  offset: number
  /** The first batch comes even if it is larger (`firstBatchWhole`). */
  bytesMax: number
  firstBatchWhole: boolean
  isolation: Isolation
}

export type ReadOutcome =
  | { ok: false; error: KafkaErrorName; bounds: LogBounds }
  | {
      ok: true
      /** Whole batches as stored, from the one that holds `offset`. Valid until `release`. */
      records: Uint8Array
      bounds: LogBounds
      /** Asked for `committed`: transactions that were aborted within what is read. */
      aborted: { producerId: bigint; firstOffset: number }[]
      release: () => void
    }

export interface LogBounds {
  logStartOffset: number
  /** End of what is on disk for certain: consumers see nothing beyond. */
  highWatermark: number
  /** Where the first open transaction began, else the high watermark. */
  lastStableOffset: number
}

export interface ProducerStateView {
  producerId: bigint
  producerEpoch: number
  lastSequence: number
  lastTimestampMs: number
  coordinatorEpoch: number
  /** −1: none is open. */
  currentTransactionStartOffset: number
}

/**
 * The log of one partition. Calls take effect in the order in which they are made; nothing is durable before its
 * promise resolves.
 */
export interface PartitionLog {
  readonly topicId: string
  readonly topic: string
  readonly partition: number
  readonly bounds: LogBounds
  /** One past the last appended record, on disk or not yet. */
  readonly logEndOffset: number
  readonly sizeBytes: number
  /**
   * One batch of a client, as it came (it is copied or written before this returns its promise; its header may be
   * changed in place). Judged as Apache's broker does: format, CRC, counts, sizes, timestamps, producer and sequence.
   * No transactional batches.
   */
  append(batch: Buffer): Promise<AppendOutcome>
  /**
   * Batches of our own mirror, with the offsets that they are to have: gaps, control batches, transactions and any
   * timestamps are kept. The first must not begin before the log end (`OFFSET_OUT_OF_RANGE` tells it); CRCs are
   * checked; the leader epoch becomes 0. What follows a gap of 2^31 offsets begins a call of its own, with nothing
   * unsynced before.
   */
  appendRaw(batches: Buffer): Promise<AppendOutcome>
  read(options: ReadOptions): ReadOutcome | Promise<ReadOutcome>
  /** First record at or after a time; undefined when there is none. */
  findByTimestamp(timestampMs: number): Promise<{ offset: number; timestampMs: number } | undefined>
  /** The record with the largest timestamp; undefined in an empty log. */
  findMaxTimestamp(): Promise<{ offset: number; timestampMs: number } | undefined>
  /** Moves the log start up, at most to the high watermark, which is −1 here too; returns the start. */
  deleteRecords(offset: number): Promise<{ ok: true; logStartOffset: number } | ({ ok: false } & AppendRefusal)>
  /**
   * Of an own mirror: forgets everything, so that the log starts and ends at `offset`. Appends are refused until it has
   * resolved, or throws `storage`.
   */
  restartAt(offset: number): Promise<void>
  producers(): ProducerStateView[]
  configure(config: LogConfig): void
  /** Called whenever the high watermark or the log start has moved; returns what ends that. */
  onAdvance(listener: () => void): () => void
}

/** All logs of this broker, in one folder. */
export interface Logs extends AsyncDisposable {
  /** Undefined when there is none. */
  get(topicId: string, partition: number): PartitionLog | undefined
  /** Makes the log if it is not there. */
  open(at: { topicId: string; topic: string; partition: number }, config: LogConfig): Promise<PartitionLog>
  /** Gone at once for everybody; its files go in the background. */
  delete(topicId: string, partition: number): Promise<void>
  /** Applies the topics' retention; called by the owner on a timer. Expires producers too. */
  checkRetention(): Promise<void>
  /** Bytes of all logs, and of the disk they are on. */
  usage(): Promise<{ totalBytes: number; usableBytes: number }>
}
