import { LinkspanError } from '../../base/errors.ts'
import { fetchBatches } from '../../kafka/admin/fetch.ts'
import type { KafkaCluster } from '../../kafka/cluster.ts'
import { type DecodedRecord, decodeBatch } from '../../records/decode.ts'
import { baseOffset, isControl, lastOffset, recordCount } from '../../records/header.ts'
import { BatchCursor } from '../../records/walk.ts'

export interface LogRange {
  topic: string
  partition: number
  /** Records from here on, up to the one before `to`. */
  from: number
  to: number
}

/** One batch as it is stored; the bytes are shared with others, and only good until the next is asked for. */
export interface StoredBatch {
  bytes: Buffer
  at: number
  size: number
  base: number
  last: number
  records: number
}

const fetchBytes = 1024 * 1024
const batchBytesMax = 100 * 1024 * 1024
const decompressedBytesMax = 256 * 1024 * 1024

/**
 * Reads a range of one partition, batch by batch or, from within a batch on, record by record. Holds one answer of a
 * broker, and at most one decoded batch.
 */
export class LogReader {
  readonly #cluster: KafkaCluster
  readonly #range: LogRange
  readonly #signal: AbortSignal | undefined
  readonly #cursor = new BatchCursor()
  #bytes: Buffer = Buffer.alloc(0)
  #batch: StoredBatch | undefined
  #records: DecodedRecord[] | undefined
  #index = 0
  #position: number
  #fetchedFrom = -1

  constructor(cluster: KafkaCluster, range: LogRange, signal: AbortSignal | undefined) {
    this.#cluster = cluster
    this.#range = range
    this.#signal = signal
    this.#position = range.from
    this.#cursor.open(this.#bytes, 0, 0, batchBytesMax)
  }

  /** Offset of the next record that was not taken yet, as far as known. */
  get position(): number {
    return this.#position
  }

  /** The batch in which the next record is; undefined at the end of the range. Errors: as of a fetch, and `corrupt`. */
  async batch(): Promise<StoredBatch | undefined> {
    while (!this.#batch) {
      if (this.#position >= this.#range.to) return undefined
      if (this.#cursor.next()) this.#enter()
      else if (!(await this.#fetch())) return undefined
    }
    return this.#batch
  }

  /** Whether the batch can be taken as a whole: all of it is in the range, and nothing of it was taken. */
  get isWhole(): boolean {
    const batch = this.#batch
    return batch !== undefined && !this.#records && batch.base >= this.#range.from && batch.last < this.#range.to
  }

  get isControl(): boolean {
    return this.#batch !== undefined && isControl(this.#batch.bytes, this.#batch.at)
  }

  takeBatch(): void {
    if (this.#batch) this.#position = Math.max(this.#position, this.#batch.last + 1)
    this.#batch = undefined
    this.#records = undefined
  }

  /** The next record of the range; it stays until it is taken. */
  async record(): Promise<DecodedRecord | undefined> {
    for (;;) {
      const batch = await this.batch()
      if (!batch) return undefined
      if (!this.#records) {
        this.#records = decodeBatch(batch.bytes, batch.at, { decompressedBytesMax, checkCrc: true })
        this.#index = 0
      }
      for (; this.#index < this.#records.length; this.#index += 1) {
        const record = this.#records[this.#index] as DecodedRecord
        if (record.offset >= this.#range.to) break
        if (record.offset >= this.#range.from) return record
      }
      this.takeBatch()
    }
  }

  takeRecord(): void {
    const record = this.#records?.[this.#index]
    if (record) this.#position = Math.max(this.#position, record.offset + 1)
    this.#index += 1
  }

  #enter(): void {
    const bytes = this.#bytes
    const { at, size } = this.#cursor
    const base = baseOffset(bytes, at)
    const last = lastOffset(bytes, at)
    if (last < this.#position) return
    if (base >= this.#range.to) this.#position = this.#range.to
    else this.#batch = { bytes, at, size, base, last, records: recordCount(bytes, at) }
  }

  /** False: there is nothing more in the range. */
  async #fetch(): Promise<boolean> {
    const { topic, partition } = this.#range
    const { stop, problem } = this.#cursor
    if (stop !== 'end' && stop !== 'incomplete') {
      const where = `${topic}-${partition}, from offset ${this.#position} on`
      throw new LinkspanError('corrupt', `What the broker sent of ${where} cannot be read: ${problem}`)
    }
    if (this.#fetchedFrom === this.#position) {
      const where = `partition ${topic}-${partition}, offset ${this.#position}`
      throw new LinkspanError('malformed', `A broker's answer holds no whole batch (${where})`)
    }
    this.#fetchedFrom = this.#position
    const from = { topic, partition, offset: this.#position }
    const { records } = await fetchBatches(this.#cluster, from, { bytesMax: fetchBytes, signal: this.#signal })
    this.#bytes = records
    this.#cursor.open(records, 0, records.length, batchBytesMax)
    return records.length > 0
  }
}
