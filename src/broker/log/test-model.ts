import assert from 'node:assert/strict'
import { decodeBatch } from '../../records/decode.ts'
import * as header from '../../records/header.ts'
import { markerType } from '../../records/marker.ts'
import { batchOf, controlBatch, readAll, startMs } from './test-world.ts'
import type { AppendOutcome, PartitionLog } from './types.ts'

/** Batches of one producer that may be unanswered: a resend of the oldest has to be recognised. */
const inFlightMax = 4

interface Attempt {
  label: string
  count: number
  producerId: bigint
  sequence: number
  /** Set when the append was acknowledged, or when the batch was found after a restart. */
  baseOffset?: number
}

/**
 * What clients of one plain log were told, and so what must hold after any loss of power: every acknowledged batch
 * stands where it was said to stand, once, and the log start is not below what was acknowledged.
 */
export class PlainModel {
  readonly #attempts = new Map<string, Attempt>()
  readonly #sequences = new Map<bigint, number>()
  readonly #inFlight = new Map<bigint, number>()
  #labels = 0
  #startMin = 0
  #startMax = 0

  /** Undefined when the producer waits for answers. */
  append(log: PartitionLog, producer: number, count: number, size: number): Promise<void> | undefined {
    const producerId = BigInt(producer) - 1n
    const sequence = this.#sequences.get(producerId) ?? 0
    const inFlight = this.#inFlight.get(producerId) ?? 0
    if (producerId >= 0n && inFlight >= inFlightMax) return undefined
    this.#labels += 1
    const attempt: Attempt = { label: `batch-${this.#labels}`, count, producerId, sequence }
    this.#attempts.set(attempt.label, attempt)
    const values = Array.from({ length: count }, () => `${attempt.label}/${'v'.repeat(size)}`)
    const fields = producerId < 0n ? {} : { producerId, producerEpoch: 0, baseSequence: sequence }
    this.#sequences.set(producerId, sequence + count)
    this.#inFlight.set(producerId, inFlight + 1)
    return log.append(batchOf(values, fields)).then((outcome) => this.#answered(attempt, outcome))
  }

  async deleteRecords(log: PartitionLog, fraction: number): Promise<void> {
    const { logStartOffset, highWatermark } = log.bounds
    const offset = logStartOffset + Math.floor(fraction * (highWatermark - logStartOffset))
    this.#startMax = Math.max(this.#startMax, offset)
    const outcome = await log.deleteRecords(offset)
    if (outcome.ok) this.#startMin = Math.max(this.#startMin, outcome.logStartOffset)
  }

  /** Retention may move the log start to any segment that is on disk by then. */
  retained(): void {
    this.#startMax = Number.POSITIVE_INFINITY
  }

  /** After a restart: what is there is checked, and counts as acknowledged from now on. */
  async reconcile(log: PartitionLog): Promise<void> {
    const { logStartOffset, highWatermark } = log.bounds
    assert.ok(logStartOffset >= this.#startMin, `log start ${logStartOffset}, ${this.#startMin} was acknowledged`)
    assert.ok(logStartOffset <= this.#startMax, `log start ${logStartOffset}, ${this.#startMax} was asked for`)
    assert.equal(log.logEndOffset, highWatermark)
    const found = await this.#find(log)
    for (const attempt of this.#attempts.values()) {
      const { baseOffset, label, count } = attempt
      const at = found.get(label)
      if (baseOffset !== undefined && baseOffset + count > logStartOffset) assert.equal(at, baseOffset, label)
      if (baseOffset !== undefined) assert.ok(baseOffset + count <= highWatermark, `${label} was acknowledged`)
      if (at !== undefined) attempt.baseOffset = at
      else if (baseOffset === undefined) this.#attempts.delete(label)
    }
    this.#startMin = logStartOffset
    this.#startMax = logStartOffset
    this.#inFlight.clear()
    await this.#checkProducers(log)
  }

  async #find(log: PartitionLog): Promise<Map<string, number>> {
    const found = new Map<string, number>()
    let next: number | undefined
    for (const batch of await readAll(log)) {
      const records = decodeBatch(batch, 0, { decompressedBytesMax: 1 << 20, checkCrc: true })
      const label = Buffer.from(records[0]!.value!).toString().split('/')[0]!
      const attempt = this.#attempts.get(label)
      assert.ok(attempt && attempt.count === records.length, `${label} was sent so`)
      assert.ok(!found.has(label), `${label} is there once`)
      if (next !== undefined) assert.equal(header.baseOffset(batch, 0), next, 'offsets follow each other')
      next = header.lastOffset(batch, 0) + 1
      found.set(label, header.baseOffset(batch, 0))
    }
    assert.equal(next ?? log.bounds.highWatermark, log.bounds.highWatermark)
    return found
  }

  /** The last batch of every producer is recognised, and the next one is taken. */
  async #checkProducers(log: PartitionLog): Promise<void> {
    const views = new Map(log.producers().map((view) => [view.producerId, view]))
    for (const producerId of this.#sequences.keys()) {
      if (producerId < 0n) continue
      const last = [...this.#attempts.values()].filter((one) => one.producerId === producerId).at(-1)
      this.#sequences.set(producerId, last ? last.sequence + last.count : 0)
      if (!last) continue
      assert.equal(views.get(producerId)?.lastSequence, last.sequence + last.count - 1, `producer ${producerId}`)
      const values = Array.from({ length: last.count }, () => 'again')
      const batch = batchOf(values, { producerId, producerEpoch: 0, baseSequence: last.sequence })
      const outcome = await log.append(batch)
      assert.ok(outcome.ok && outcome.value.baseOffset === last.baseOffset, `${last.label} sent again`)
    }
  }

  #answered(attempt: Attempt, outcome: AppendOutcome): void {
    const { producerId } = attempt
    this.#inFlight.set(producerId, (this.#inFlight.get(producerId) ?? 0) - 1)
    if (outcome.ok) {
      attempt.baseOffset = outcome.value.baseOffset
      return
    }
    // What follows is refused too: the producer goes on where it was refused, as its epoch is the same.
    assert.ok(['KAFKA_STORAGE_ERROR', 'OUT_OF_ORDER_SEQUENCE_NUMBER'].includes(outcome.error), outcome.error)
    if (producerId >= 0n) this.#sequences.set(producerId, Math.min(this.#sequences.get(producerId)!, attempt.sequence))
  }
}

interface RawAttempt {
  bytes: Buffer
  isAcknowledged: boolean
}

interface Life {
  start: number
  attempts: RawAttempt[]
  isAcknowledged: boolean
}

/** What our own mirror wrote to one log: batches with gaps and transactions, and restarts at other offsets. */
export class RawModel {
  /** Since the last restart, or the one before, when that was not acknowledged. */
  #lives: Life[] = [{ start: 0, attempts: [], isAcknowledged: true }]
  #labels = 0

  async append(log: PartitionLog, choice: number, gap: number): Promise<void> {
    this.#labels += 1
    const baseOffset = log.logEndOffset + gap
    const bytes = this.#batch(choice, baseOffset)
    const attempt = { bytes: Buffer.from(bytes), isAcknowledged: false }
    attempt.bytes.writeInt32BE(0, header.leaderEpochAt)
    this.#lives.at(-1)!.attempts.push(attempt)
    const outcome = await log.appendRaw(bytes)
    attempt.isAcknowledged = outcome.ok
  }

  async restartAt(log: PartitionLog, offset: number): Promise<void> {
    const life = { start: offset, attempts: [], isAcknowledged: false }
    this.#lives.push(life)
    await log.restartAt(offset)
    this.#lives.splice(0, this.#lives.indexOf(life))
    life.isAcknowledged = true
  }

  async reconcile(log: PartitionLog): Promise<void> {
    const batches = await readAll(log)
    const life = this.#lives.findLast((one) => this.#isLife(one, log, batches))
    assert.ok(life, 'the log is one that was written')
    const first = this.#lives.findLast((one) => one.isAcknowledged)!
    assert.ok(this.#lives.indexOf(life) >= this.#lives.indexOf(first), 'an acknowledged restart stays')
    life.attempts = batches.map((bytes) => ({ bytes, isAcknowledged: true }))
    life.isAcknowledged = true
    this.#lives = [life]
    await checkTransactions(log, batches)
  }

  /** Some batches of a life, in order, among them all that were acknowledged. */
  #isLife(life: Life, log: PartitionLog, batches: readonly Buffer[]): boolean {
    if (log.bounds.logStartOffset !== life.start) return false
    const rest = [...batches]
    for (const { bytes, isAcknowledged } of life.attempts) {
      if (rest[0]?.equals(bytes)) rest.shift()
      else if (isAcknowledged) return false
    }
    return rest.length === 0
  }

  #batch(choice: number, baseOffset: number): Buffer {
    const producerId = BigInt(choice % 3)
    const fields = { producerId, producerEpoch: 0, baseOffset, timestampMs: startMs + this.#labels }
    if (choice % 7 === 0) return controlBatch('abort', fields)
    if (choice % 7 === 1) return controlBatch('commit', fields)
    const isTransactional = choice % 7 !== 2
    return batchOf([`raw-${this.#labels}`], { ...fields, baseSequence: this.#labels, isTransactional })
  }
}

/** Compared with what a look at all batches says. */
export async function checkTransactions(log: PartitionLog, batches: readonly Buffer[]): Promise<void> {
  const open = new Map<bigint, number>()
  const aborted: { producerId: bigint; firstOffset: number; lastOffset: number }[] = []
  for (const batch of batches) {
    const producerId = header.producerId(batch, 0)
    const type = markerType(batch, 0)
    const firstOffset = open.get(producerId)
    if (type !== undefined) {
      if (type === 'abort' && firstOffset !== undefined) {
        aborted.push({ producerId, firstOffset, lastOffset: header.lastOffset(batch, 0) })
      }
      open.delete(producerId)
    } else if (header.isTransactional(batch, 0) && firstOffset === undefined) {
      open.set(producerId, header.baseOffset(batch, 0))
    }
  }
  const { lastStableOffset, highWatermark } = log.bounds
  assert.equal(lastStableOffset, Math.min(highWatermark, ...open.values()))
  const committed = await readAll(log, { isolation: 'committed' })
  assert.deepEqual(
    committed,
    batches.filter((batch) => header.baseOffset(batch, 0) < lastStableOffset),
  )
  for (const batch of committed) {
    const offset = header.baseOffset(batch, 0)
    const end = header.lastOffset(batch, 0) + 1
    const outcome = await log.read({ offset, bytesMax: 1, firstBatchWhole: true, isolation: 'committed' })
    assert.ok(outcome.ok)
    const expected = aborted.filter(({ firstOffset, lastOffset }) => lastOffset >= offset && firstOffset < end)
    assert.deepEqual(
      outcome.aborted,
      expected.map(({ producerId, firstOffset }) => ({ producerId, firstOffset })),
    )
    outcome.release()
  }
}
