import { join } from 'node:path'
import { IndexFile } from './index-file.ts'
import { segmentFileName } from './layout.ts'
import type { LogRoom } from './room.ts'

/** Offset relative to the segment's base and position, 32 bits each, of a batch. */
export const offsetEntryBytes = 8
/** The largest timestamp so far, 64 bits, and the relative offset of the batch that has it, 32 bits. */
export const timeEntryBytes = 12
/** Producer id, first and last offset of an aborted transaction, last stable offset after it: 64 bits each. */
export const abortedEntryBytes = 32

/** Offsets in the index are relative and have 32 bits, of which Kafka uses 31. */
export const relativeOffsetMax = 2 ** 31 - 1

const two32 = 2 ** 32
const two63 = 2 ** 63

export interface LargestTimestamp {
  /** −1 when no batch has one. */
  timestampMs: number
  /** Base offset of the first batch that has it. */
  offset: number
}

/** What has to be known of a segment so that more can be appended to it. */
export interface SegmentTail {
  sizeBytes: number
  largest: LargestTimestamp
  /** Largest timestamp of the first batch; −1 before there is one. */
  firstTimestampMs: number
  offsetEntries: number
  timeEntries: number
  abortedEntries: number
}

export const emptyTail: SegmentTail = {
  sizeBytes: 0,
  largest: { timestampMs: -1, offset: -1 },
  firstTimestampMs: -1,
  offsetEntries: 0,
  timeEntries: 0,
  abortedEntries: 0,
}

/** One file of batches, whose name is the offset from which on it may hold some, and its indexes. */
export class Segment {
  readonly baseOffset: number
  readonly path: string
  readonly offsets: IndexFile
  readonly times: IndexFile
  readonly aborted: IndexFile
  /** Of all batches that were added, written or not. */
  sizeBytes: number
  firstTimestampMs: number
  /** Undefined for an old segment until somebody asks. */
  #largest: LargestTimestamp | undefined
  #bytesSinceEntry = 0
  #indexedTimestampMs: number

  constructor(folder: string, baseOffset: number, tail: Omit<SegmentTail, 'largest'> & { largest?: LargestTimestamp }) {
    this.baseOffset = baseOffset
    this.path = join(folder, segmentFileName(baseOffset, 'log'))
    const index = (kind: 'index' | 'timeindex' | 'txnindex') => join(folder, segmentFileName(baseOffset, kind))
    this.offsets = new IndexFile(index('index'), offsetEntryBytes, tail.offsetEntries)
    this.times = new IndexFile(index('timeindex'), timeEntryBytes, tail.timeEntries)
    this.aborted = new IndexFile(index('txnindex'), abortedEntryBytes, tail.abortedEntries)
    this.sizeBytes = tail.sizeBytes
    this.firstTimestampMs = tail.firstTimestampMs
    this.#largest = tail.largest
    // After a start the largest timestamp may be entered once more: harmless.
    this.#indexedTimestampMs = -1
  }

  get paths(): string[] {
    return [this.path, this.offsets.path, this.times.path, this.aborted.path]
  }

  get indexes(): IndexFile[] {
    return [this.offsets, this.times, this.aborted]
  }

  /** A batch that comes to stand at the end of the segment; `indexIntervalBytes` apart, batches get an entry. */
  add(baseOffset: number, batchBytes: number, maxTimestampMs: number, indexIntervalBytes: number): void {
    const largest = this.#largest ?? emptyTail.largest
    if (maxTimestampMs > largest.timestampMs) this.#largest = { timestampMs: maxTimestampMs, offset: baseOffset }
    if (this.sizeBytes === 0) this.firstTimestampMs = maxTimestampMs
    if (this.#bytesSinceEntry > indexIntervalBytes) {
      this.offsets.add((bytes, at) => {
        bytes.writeUInt32BE(baseOffset - this.baseOffset, at)
        bytes.writeUInt32BE(this.sizeBytes, at + 4)
      })
      this.#addTime()
      this.#bytesSinceEntry = 0
    }
    this.#bytesSinceEntry += batchBytes
    this.sizeBytes += batchBytes
  }

  /** No more comes: the last time entry tells the largest timestamp of the whole. */
  seal(): void {
    this.#addTime()
  }

  tail(): SegmentTail {
    return {
      sizeBytes: this.sizeBytes,
      largest: this.#largest ?? emptyTail.largest,
      firstTimestampMs: this.firstTimestampMs,
      offsetEntries: this.offsets.count,
      timeEntries: this.times.count,
      abortedEntries: this.aborted.count,
    }
  }

  async largest(room: LogRoom): Promise<LargestTimestamp> {
    this.#largest ??= await this.#readLargest(room)
    return this.#largest
  }

  async #readLargest(room: LogRoom): Promise<LargestTimestamp> {
    const entry = await this.times.last(room)
    return entry ? readTimeEntry(entry, 0, this.baseOffset) : emptyTail.largest
  }

  #addTime(): void {
    const largest = this.#largest ?? emptyTail.largest
    if (largest.timestampMs <= this.#indexedTimestampMs) return
    this.times.add((bytes, at) => {
      writeInt64(bytes, at, largest.timestampMs)
      bytes.writeUInt32BE(largest.offset - this.baseOffset, at + 8)
    })
    this.#indexedTimestampMs = largest.timestampMs
  }
}

export function readTimeEntry(bytes: Buffer, index: number, baseOffset: number): LargestTimestamp {
  const at = index * timeEntryBytes
  return { timestampMs: readInt64(bytes, at), offset: baseOffset + bytes.readUInt32BE(at + 8) }
}

/** The nearest number to 2^63 − 1, which a timestamp may be, is one too many. */
export function writeInt64(bytes: Buffer, at: number, value: number): void {
  if (value >= two63) {
    bytes.writeInt32BE(0x7fffffff, at)
    bytes.writeInt32BE(-1, at + 4)
    return
  }
  bytes.writeInt32BE(Math.floor(value / two32), at)
  bytes.writeUInt32BE(value - Math.floor(value / two32) * two32, at + 4)
}

/** The nearest number. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * two32 + bytes.readUInt32BE(at + 4)
}
