import type { KafkaErrorName } from '../../wire/errors.ts'
import type { ProducerEntry, RememberedBatch } from './producer-entry.ts'
import * as entries from './producer-entry.ts'
import { Transactions } from './transactions.ts'
import type { ProducerStateView } from './types.ts'

/** Kafka has no limit here; beyond ours the producer that has been silent for longest is forgotten. */
const producersMax = 100_000

/** A batch that names its producer. */
export interface ProducedBatch {
  producerId: bigint
  epoch: number
  baseSequence: number
  firstOffset: number
  lastOffset: number
  timestampMs: number
  isTransactional: boolean
}

export interface Marker {
  producerId: bigint
  epoch: number
  coordinatorEpoch: number
  isAbort: boolean
  offset: number
  timestampMs: number
}

export interface AbortedTransaction {
  producerId: bigint
  firstOffset: number
  lastOffset: number
  lastStableOffset: number
}

export type ProducerVerdict =
  | { kind: 'append' }
  | { kind: 'duplicate'; of: RememberedBatch }
  | { kind: 'refuse'; error: KafkaErrorName; message: string }

const append: ProducerVerdict = { kind: 'append' }

/**
 * The producers of one partition: duplicates and gaps are told by them (kafka-exact.md 3.2). Negative ids other than
 * −1 are no producers to Kafka, so that their batches are never checked.
 */
export class Producers {
  /** The one that was silent for longest first. */
  readonly #byId = new Map<bigint, ProducerEntry>()
  readonly transactions = new Transactions()

  get size(): number {
    return this.#byId.size
  }

  /** Judges a client's batch; changes nothing. */
  judge(producerId: bigint, epoch: number, baseSequence: number, offsetDelta: number): ProducerVerdict {
    const entry = this.#byId.get(producerId)
    if (entry === undefined) return append
    const last = entries.sequencePlus(baseSequence, offsetDelta)
    const duplicate = entries.findDuplicate(entry, epoch, baseSequence, last)
    if (duplicate) return { kind: 'duplicate', of: duplicate }
    if (epoch < entry.epoch) {
      const message = `The epoch ${epoch} of producer ${producerId} is older than ${entry.epoch}, which has been seen`
      return { kind: 'refuse', error: 'INVALID_PRODUCER_EPOCH', message }
    }
    const isNewEpoch = epoch !== entry.epoch
    const expected = isNewEpoch ? 0 : entries.sequencePlus(entries.lastSequence(entry), 1)
    // Only an id, no epoch yet: nothing to compare with.
    if (entry.epoch !== -1 && baseSequence !== expected) {
      const message = `Producer ${producerId}, epoch ${epoch}: sequence ${baseSequence} came, ${expected} was expected`
      return { kind: 'refuse', error: 'OUT_OF_ORDER_SEQUENCE_NUMBER', message }
    }
    if (entry.transactionStartOffset !== -1) {
      const message = `Producer ${producerId} has a transaction open, and this batch is not a part of it`
      return { kind: 'refuse', error: 'INVALID_TXN_STATE', message }
    }
    return append
  }

  /** A batch that is in the log now. */
  add(batch: ProducedBatch): void {
    const entry = this.#touch(batch.producerId)
    const offsetDelta = batch.lastOffset - batch.firstOffset
    entries.addBatch(entry, batch.epoch, {
      lastSequence: entries.sequencePlus(batch.baseSequence, offsetDelta),
      lastOffset: batch.lastOffset,
      offsetDelta,
      timestampMs: batch.timestampMs,
    })
    if (batch.isTransactional && entry.transactionStartOffset === -1) {
      entry.transactionStartOffset = batch.firstOffset
      this.transactions.begin(batch.producerId, batch.firstOffset)
    }
  }

  /** A marker that is in the log now; returns what readers of committed data have to know, if it aborts something. */
  addMarker(marker: Marker): AbortedTransaction | undefined {
    const entry = this.#touch(marker.producerId)
    const firstOffset = entry.transactionStartOffset
    entries.setEpoch(entry, marker.epoch)
    entry.transactionStartOffset = -1
    entry.coordinatorEpoch = marker.coordinatorEpoch
    entry.lastTimestampMs = marker.timestampMs
    if (firstOffset === -1) return undefined
    const decided = { producerId: marker.producerId, firstOffset, lastOffset: marker.offset }
    const lastStableOffset = this.transactions.decide(decided)
    return marker.isAbort ? { ...decided, lastStableOffset } : undefined
  }

  /** By the timestamps of their batches, not by when these came (kafka-exact.md 3.5); never within a transaction. */
  expire(nowMs: number, producerExpirationMs: number): void {
    for (const entry of this.#byId.values()) {
      if (entry.transactionStartOffset !== -1) continue
      if (nowMs - entry.lastTimestampMs >= producerExpirationMs) this.#byId.delete(entry.producerId)
    }
  }

  list(): ProducerStateView[] {
    return [...this.#byId.values()].map((entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.epoch,
      lastSequence: entries.lastSequence(entry),
      lastTimestampMs: entry.lastTimestampMs,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTransactionStartOffset: entry.transactionStartOffset,
    }))
  }

  /** For snapshots, in the order in which they were active. */
  all(): Iterable<ProducerEntry> {
    return this.#byId.values()
  }

  /** From a snapshot; transactions that were open are begun again in the order of their offsets. */
  restore(restored: readonly ProducerEntry[]): void {
    for (const entry of restored) this.#byId.set(entry.producerId, entry)
    const open = restored.filter((entry) => entry.transactionStartOffset !== -1)
    open.sort((left, right) => left.transactionStartOffset - right.transactionStartOffset)
    for (const entry of open) this.transactions.begin(entry.producerId, entry.transactionStartOffset)
  }

  #touch(producerId: bigint): ProducerEntry {
    const known = this.#byId.get(producerId)
    if (known) this.#byId.delete(producerId)
    else if (this.#byId.size >= producersMax) this.#forgetOldest()
    const entry = known ?? entries.newProducerEntry(producerId)
    this.#byId.set(producerId, entry)
    return entry
  }

  #forgetOldest(): void {
    for (const entry of this.#byId.values()) {
      if (entry.transactionStartOffset !== -1) continue
      this.#byId.delete(entry.producerId)
      return
    }
  }
}
