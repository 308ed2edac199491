import { BoundedQueue } from '../../base/queue.ts'
import { dataProducerId } from '../../records/producer-id.ts'
import type { PassingBatch } from './batches.ts'
import { LagRing } from './lag-ring.ts'
import { advance, type PartitionEvent, type PartitionState } from './partition-state.ts'
import { type Passing, producedBy, storedAs } from './passing.ts'
import type { PartitionStats, StartPartition, StopReason } from './protocol.ts'

/** Tiny batches cost more memory than their bytes: a partition holds no more of them than this. */
const queuedBatchesMax = 16_384

/** Brokers look for producers to forget every ten minutes by default: shorter pauses do not count. */
const pauseMs = 1000

/** One partition of a mirror: where it stands on both sides. Whoever changes it sets `changed`. */
export class PumpPartition {
  readonly start: StartPartition
  readonly key: string
  readonly producerId: bigint
  readonly passing: Passing
  readonly lag = new LagRing()
  readonly ending = new AbortController()
  state: PartitionState = { phase: 'waiting' }

  /** Raised by every doubt: answers to what was sent before change nothing but the count of what is unanswered. */
  generation = 0
  /** Batches that were read and wait to be sent. */
  readonly queue = new BoundedQueue<PassingBatch>(queuedBatchesMax)
  queuedBytes = 0
  /** Appends without an answer, of all generations. */
  unanswered = 0
  unansweredBytes = 0

  /** Where the source is read next. */
  nextOffset = 0
  /** End of what the destination has or is about to get: below `nextOffset` where the source has a gap. */
  copyEnd = 0
  /** Epoch of the last batch read, which tells the source's leader whether its log still is the one that we copied. */
  lastFetchedEpoch = -1
  sentEnd = 0
  acknowledgedEnd = 0
  confirmedEnd = -1
  sourceHighWatermark = -1

  /**
   * Until then (monotonic) late appends of earlier connections are possible: no old data is sent. Infinite until the
   * partition is open, since only a reachable broker can show whether something still comes.
   */
  quarantineUntilMs = 0
  /** End of all that was ever sent, as far as known: a log end there proves that nothing is late. */
  quarantineEnd: number | undefined
  /**
   * After a pause behind an old batch the broker may have forgotten us: then it would take a second batch in the place
   * of a first one that it refused. So the first goes alone.
   */
  #solo = false
  #lastOld = false
  /** Since when nothing is under way; infinite while something is. */
  #pausedMs = Number.POSITIVE_INFINITY
  /** When its topic was last known to be the pinned one, monotonic; see `topic-proof.ts`. */
  provenMs = Number.NEGATIVE_INFINITY
  /** When it began to flow, monotonic. */
  openedMs = 0
  /** A connection died with appends of ours unanswered, and it is not known yet what became of them. */
  lostAppends = false
  /** A source batch that cannot pass: the partition stops when all before it is acknowledged. */
  obstacle: StopReason | undefined
  /** The last fetch held only a part of the next batch: it is asked for first. */
  hungry = false

  bytes = 0
  batches = 0
  resumes = 0
  /** Doubts in a row without an acknowledged batch between them. */
  failures = 0
  trouble: PartitionStats['trouble']
  changed = true

  /** `raw`: to our embedded broker, as the batches are. */
  constructor(start: StartPartition, { raw = false } = {}) {
    this.start = start
    this.key = partitionKey(start)
    this.producerId = dataProducerId(start.mirrorId, start.partition)
    this.passing = raw ? storedAs(start.mirrorId, start.partition) : producedBy(this.producerId)
  }

  get phase(): PartitionState['phase'] {
    return this.state.phase
  }

  /** Whether batches may be read for it and sent. */
  get flows(): boolean {
    const { phase } = this.state
    return phase === 'flowing' || phase === 'alone'
  }

  get waits(): boolean {
    return this.state.phase === 'waiting'
  }

  /** Whether an opener is at work for it. */
  get opens(): boolean {
    const { phase } = this.state
    return phase === 'opening' || phase === 'draining'
  }

  /** Whether the next queued batch may be sent now. */
  get sendable(): boolean {
    if (this.queue.length === 0) return false
    const { phase } = this.state
    return (phase === 'flowing' && !this.#solo) || (this.flows && this.unanswered === 0)
  }

  get pendingBytes(): number {
    return this.queuedBytes + this.unansweredBytes
  }

  apply(event: PartitionEvent): PartitionState {
    this.state = advance(this.state, event)
    this.changed = true
    return this.state
  }

  enqueue(batch: PassingBatch): boolean {
    if (!this.queue.push(batch)) return false
    this.queuedBytes += batch.bytes.length
    this.nextOffset = batch.end
    this.copyEnd = batch.end
    return true
  }

  /** The next batch to send; it counts as sent from now on. */
  takeNext(nowMs: number): PassingBatch | undefined {
    const batch = this.queue.shift()
    if (!batch) return undefined
    this.queuedBytes -= batch.bytes.length
    this.#solo = this.#lastOld && nowMs - this.#pausedMs >= pauseMs
    this.#pausedMs = Number.POSITIVE_INFINITY
    this.#lastOld = batch.old
    this.unanswered += 1
    this.unansweredBytes += batch.bytes.length
    this.sentEnd = batch.end
    return batch
  }

  answered(batch: PassingBatch): void {
    this.unanswered -= 1
    this.unansweredBytes -= batch.bytes.length
    this.changed = true
    batch.release()
  }

  acknowledge(batch: PassingBatch, nowMs: number): void {
    this.acknowledgedEnd = batch.end
    this.#solo = false
    if (this.unanswered === 0 && this.queue.length === 0) this.#pausedMs = nowMs
    this.bytes += batch.bytes.length
    this.batches += 1
    this.failures = 0
    this.trouble = undefined
  }

  /** What was read and not sent is read again later. */
  dropQueue(): void {
    for (let batch = this.queue.shift(); batch; batch = this.queue.shift()) batch.release()
    this.queuedBytes = 0
  }

  /** Everything starts over at the destination's log end; `readFrom` is beyond it where the source has a gap. */
  resumeAt(logEnd: number, epoch: number, readFrom = logEnd): void {
    this.nextOffset = readFrom
    this.copyEnd = logEnd
    this.sentEnd = logEnd
    this.acknowledgedEnd = logEnd
    this.lastFetchedEpoch = epoch
    this.obstacle = undefined
    this.hungry = false
    this.changed = true
  }

  /** Something that was sent may arrive late. `sentEnd` undefined: nobody knows how far was sent. */
  beginQuarantine(sentEnd: number | undefined): void {
    if (this.passing.raw) return
    const unknown = sentEnd === undefined || (this.quarantineUntilMs > 0 && this.quarantineEnd === undefined)
    this.quarantineEnd = unknown ? undefined : Math.max(sentEnd, this.quarantineEnd ?? 0)
    this.quarantineUntilMs = Number.POSITIVE_INFINITY
  }

  /** It goes on from the beginning, unless it was over. */
  prolongQuarantine(nowMs: number): void {
    if (this.quarantineUntilMs > nowMs) this.quarantineUntilMs = Number.POSITIVE_INFINITY
    else this.endQuarantine()
  }

  endQuarantine(): void {
    this.quarantineUntilMs = 0
    this.quarantineEnd = undefined
    this.lostAppends = false
  }

  seeSource(highWatermark: number, nowMs: number): void {
    if (highWatermark === this.sourceHighWatermark) return
    this.sourceHighWatermark = highWatermark
    this.lag.see(highWatermark, nowMs)
    if (this.confirmedEnd >= highWatermark) this.lag.confirm(this.confirmedEnd)
    this.changed = true
  }

  confirm(highWatermark: number): void {
    if (highWatermark === this.confirmedEnd) return
    this.confirmedEnd = highWatermark
    this.lag.confirm(highWatermark)
    this.changed = true
  }

  /** With nothing to send the one batch that goes alone is nobody's concern. */
  #shownPhase(): PartitionState['phase'] {
    const idle = this.pendingBytes === 0 && this.nextOffset >= this.sourceHighWatermark
    return this.phase === 'alone' && idle ? 'flowing' : this.phase
  }

  stats(nowMs: number): PartitionStats {
    const seen = this.confirmedEnd >= 0 && this.sourceHighWatermark >= 0
    return {
      mirrorId: this.start.mirrorId,
      partition: this.start.partition,
      phase: this.#shownPhase(),
      nextOffset: this.nextOffset,
      acknowledgedEnd: this.acknowledgedEnd,
      confirmedEnd: this.confirmedEnd,
      sourceHighWatermark: this.sourceHighWatermark,
      lagRecords: seen ? Math.max(0, this.sourceHighWatermark - this.confirmedEnd) : undefined,
      lagMs: this.lag.ageMs(nowMs),
      bytes: this.bytes,
      batches: this.batches,
      resumes: this.resumes,
      trouble: this.trouble,
    }
  }
}

export function partitionKey(ref: { mirrorId: string; partition: number }): string {
  return `${ref.mirrorId}/${ref.partition}`
}
