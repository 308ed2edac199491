import { kafkaErrors } from '../../wire/errors.ts'
import type { Topic } from '../catalog/types.ts'
import type { Isolation, LogBounds, PartitionLog, ReadOutcome } from '../log/types.ts'
import type { FetchTarget } from './fetch-sessions.ts'
import type { RequestContext } from './handler.ts'
import { type FoundTopic, leaderEpochError, logOf, topicById, topicByName } from './partitions.ts'

export interface FetchLimits {
  readonly bytesMax: number
  readonly isolation: Isolation
  /** Topics are named by id. */
  readonly byId: boolean
  /** Another broker asks, to hold a replica. */
  readonly asReplica: boolean
}

export interface PartitionAnswer {
  partitionIndex: number
  errorCode: number
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
  abortedTransactions: { producerId: bigint; firstOffset: number }[] | null
  records: Uint8Array
}

/** A partition as it was when it was read, for whoever waits for more. */
export interface Watched {
  readonly log: PartitionLog
  readonly target: FetchTarget
  readonly highWatermark: number
  readonly lastStableOffset: number
}

const noRecords = new Uint8Array(0)

/** One reading of all partitions of a request. What was read is held until `release`. */
export class FetchRound {
  readonly answers: PartitionAnswer[] = []
  readonly watched: Watched[] = []
  readonly #context: RequestContext
  readonly #limits: FetchLimits
  readonly #releases: (() => void)[] = []
  #bytes = 0
  #failed = false
  #found: { topic: string; topicId: string; result: FoundTopic } | undefined

  constructor(context: RequestContext, limits: FetchLimits) {
    this.#context = context
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A partition has an error to tell: nobody waits with that. */
  get failed(): boolean {
    return this.#failed
  }

  /** In their order; the first batch comes whole, whatever the limits. */
  async read(targets: readonly FetchTarget[]): Promise<void> {
    for (const target of targets) {
      const found = this.#findTopic(target)
      const log = found.code === 0 ? this.#findLog(target, found.topic as Topic) : found.code
      if (typeof log === 'number') {
        this.#fail(target, log)
        continue
      }
      const { bounds } = log
      if (this.#hasNothing(target, bounds)) {
        this.#tell(target, log, bounds, noRecords, [])
        continue
      }
      const outcome = log.read({
        offset: target.fetchOffset,
        bytesMax: Math.max(0, Math.min(target.bytesMax, this.#limits.bytesMax - this.#bytes)),
        firstBatchWhole: this.#bytes === 0,
        isolation: this.#limits.isolation,
      })
      this.#take(target, log, outcome instanceof Promise ? await outcome : outcome)
    }
  }

  release(): void {
    for (const release of this.#releases) release()
    this.#releases.length = 0
  }

  #findTopic(target: FetchTarget): FoundTopic {
    const { topic, topicId } = target
    if (this.#found?.topic === topic && this.#found.topicId === topicId) return this.#found.result
    const { node, session } = this.#context
    const result = this.#limits.byId
      ? topicById(node, session, 'can_read', topicId)
      : topicByName(node, session, 'can_read', topic)
    this.#found = { topic, topicId, result }
    return result
  }

  #findLog(target: FetchTarget, topic: Topic): PartitionLog | number {
    // As Apache's leader answers a broker that is no replica of the partition.
    if (this.#limits.asReplica) return kafkaErrors.NOT_LEADER_OR_FOLLOWER
    const log = logOf(this.#context.node, topic, target.partition)
    return log ? leaderEpochError(target.currentLeaderEpoch) || log : kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
  }

  /** It is at its end, or there is no room for more. An offset outside of the log is told all the same. */
  #hasNothing({ fetchOffset }: FetchTarget, bounds: LogBounds): boolean {
    const { bytesMax, isolation } = this.#limits
    const end = isolation === 'committed' ? bounds.lastStableOffset : bounds.highWatermark
    if (fetchOffset === end) return true
    return this.#bytes > 0 && this.#bytes >= bytesMax && fetchOffset >= bounds.logStartOffset && fetchOffset < end
  }

  #take(target: FetchTarget, log: PartitionLog, outcome: ReadOutcome): void {
    if (!outcome.ok) {
      this.#fail(target, kafkaErrors[outcome.error])
      return
    }
    this.#bytes += outcome.records.length
    this.#releases.push(outcome.release)
    this.#tell(target, log, outcome.bounds, outcome.records, outcome.aborted)
  }

  #tell(
    target: FetchTarget,
    log: PartitionLog,
    bounds: LogBounds,
    records: Uint8Array,
    aborted: { producerId: bigint; firstOffset: number }[],
  ): void {
    const { highWatermark, lastStableOffset, logStartOffset } = bounds
    this.watched.push({ log, target, highWatermark, lastStableOffset })
    this.answers.push({
      partitionIndex: target.partition,
      errorCode: 0,
      highWatermark,
      lastStableOffset,
      logStartOffset,
      abortedTransactions: this.#limits.isolation === 'committed' ? aborted : null,
      records,
    })
  }

  #fail(target: FetchTarget, errorCode: number): void {
    this.#failed = true
    this.answers.push({
      partitionIndex: target.partition,
      errorCode,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      abortedTransactions: null,
      records: noRecords,
    })
  }
}
