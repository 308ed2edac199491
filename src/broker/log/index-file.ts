import { assert } from '../../base/errors.ts'
import type { LogRoom } from './room.ts'

/** Entries that stay in memory after they were written: look-ups near the end of a log need no file. */
const keptEntries = 4096
const firstEntries = 32

/** A stretch of entries, one after the other. */
export interface Entries {
  bytes: Buffer
  count: number
}

const noEntries: Entries = { bytes: Buffer.alloc(0), count: 0 }

/**
 * Entries of one size, in order: a file on disk plus what has been added since it was written. Entries are lost by a
 * crash and made again from the log, so they are written in one go, when a checkpoint says up to where they count.
 */
export class IndexFile {
  readonly path: string
  readonly entryBytes: number
  #count: number
  #writtenCount: number
  #memory: Buffer = noEntries.bytes
  /** Number of the first entry in memory; those before it are in the file only. */
  #memoryStart: number

  constructor(path: string, entryBytes: number, countOnDisk: number) {
    this.path = path
    this.entryBytes = entryBytes
    this.#count = countOnDisk
    this.#writtenCount = countOnDisk
    this.#memoryStart = countOnDisk
  }

  get count(): number {
    return this.#count
  }

  /** Entries that are on disk. */
  get writtenCount(): number {
    return this.#writtenCount
  }

  /** What a look-up can do without the file; complete when nothing is in the file only. */
  get inMemory(): Entries {
    if (this.#memoryStart === this.#count) return noEntries
    return { bytes: this.#memory, count: this.#count - this.#memoryStart }
  }

  get isComplete(): boolean {
    return this.#memoryStart === 0
  }

  /** Room for one more entry: the caller writes it to these bytes, at the place that `fill` gets. */
  add(fill: (bytes: Buffer, at: number) => void): void {
    const at = (this.#count - this.#memoryStart) * this.entryBytes
    if (at + this.entryBytes > this.#memory.length) this.#grow(at)
    fill(this.#memory, at)
    this.#count += 1
  }

  /** The entries that are only in the file; fewer when somebody has damaged or removed it. */
  async beforeMemory(room: LogRoom): Promise<Entries> {
    if (this.#memoryStart === 0) return noEntries
    const bytes = await room.indexes.load(this.path, this.#memoryStart * this.entryBytes)
    return { bytes, count: Math.min(this.#memoryStart, Math.floor(bytes.length / this.entryBytes)) }
  }

  /** The same when the cache has it. */
  cachedBeforeMemory(room: LogRoom): Entries | undefined {
    if (this.#memoryStart === 0) return noEntries
    const bytes = room.indexes.get(this.path, this.#memoryStart * this.entryBytes)
    return bytes && { bytes, count: this.#memoryStart }
  }

  /** The last entry of a segment that gets no more, without what is before it; undefined when there is none. */
  async last(room: LogRoom): Promise<Buffer | undefined> {
    const entry = Buffer.alloc(this.entryBytes)
    if (this.#count === 0 || this.#memoryStart < this.#count) return undefined
    const file = room.files.open(this.path, 'existing')
    try {
      const length = await file.read(entry, entry.length, (this.#count - 1) * entry.length)
      return length === entry.length ? entry : undefined
    } finally {
      file.close()
    }
  }

  /** Durable up to entry number `count` once this resolves; the file's name as well, once its folder is synced. */
  async write(room: LogRoom, count: number): Promise<void> {
    if (count <= this.#writtenCount) return
    assert(count <= this.#count && this.#memoryStart <= this.#writtenCount, 'entries to write are in memory')
    const from = (this.#writtenCount - this.#memoryStart) * this.entryBytes
    const to = (count - this.#memoryStart) * this.entryBytes
    const file = room.files.open(this.path, 'create')
    try {
      // Entries behind a checkpoint that was never finished may stand there: they count for nothing.
      file.truncate(this.#writtenCount * this.entryBytes)
      file.write([this.#memory.subarray(from, to)], this.#writtenCount * this.entryBytes)
      await file.sync()
    } finally {
      file.close()
    }
    this.#writtenCount = count
    this.#forget(keptEntries)
  }

  /** For a segment that gets no more: what is written need not stay in memory. */
  seal(): void {
    if (this.#writtenCount === this.#count) this.#forget(0)
  }

  #grow(usedBytes: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(usedBytes * 2, firstEntries * this.entryBytes))
    grown.set(this.#memory.subarray(0, usedBytes))
    this.#memory = grown
  }

  #forget(keepMax: number): void {
    const start = Math.min(this.#writtenCount, this.#count - Math.min(keepMax, this.#count))
    if (start <= this.#memoryStart) return
    const from = (start - this.#memoryStart) * this.entryBytes
    const to = (this.#count - this.#memoryStart) * this.entryBytes
    this.#memory = from === to ? noEntries.bytes : Buffer.from(this.#memory.subarray(from, to))
    this.#memoryStart = start
  }
}

/** The last entry that `isAtMost` says yes to, or −1; those that it says yes to come before all others. */
export function lastWhere(entries: Entries, isAtMost: (index: number) => boolean): number {
  let low = -1
  let high = entries.count - 1
  while (low < high) {
    const middle = low + Math.ceil((high - low) / 2)
    if (isAtMost(middle)) low = middle
    else high = middle - 1
  }
  return low
}
