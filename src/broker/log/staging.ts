/** Batches of one turn of the event loop, of all logs; a full slab is written early. */
const slabBytes = 1024 * 1024
/** From here on a batch is written at once: copying it would cost as much as the call that it saves (4 µs). */
export const copiedBytesMax = 16 * 1024

export interface StagingLog {
  /** Writes what it has staged: the slab is used again. */
  writeStaged(): void
  /** The turn is over: what was written is to become durable. */
  endTurn(): void
}

/**
 * Collects what one turn of the event loop appends: small batches are copied into one slab, so that each log writes
 * them with one call, and each log that has got something syncs once.
 */
export class Staging {
  #slab: Buffer | undefined
  #usedBytes = 0
  readonly #logs = new Set<StagingLog>()

  /** At most `copiedBytesMax` bytes; the copy is good until the log is told to write. */
  copy(log: StagingLog, bytes: Uint8Array): Buffer {
    if (this.#usedBytes + bytes.length > slabBytes) this.#writeAll()
    this.#slab ??= Buffer.allocUnsafeSlow(slabBytes)
    const at = this.#usedBytes
    this.#slab.set(bytes, at)
    this.#usedBytes += bytes.length
    this.schedule(log)
    return this.#slab.subarray(at, this.#usedBytes)
  }

  /** Has the log told when this turn ends. */
  schedule(log: StagingLog): void {
    if (this.#logs.size === 0) setImmediate(() => this.#endTurn())
    this.#logs.add(log)
  }

  #endTurn(): void {
    const logs = [...this.#logs]
    this.#writeAll()
    this.#logs.clear()
    for (const log of logs) log.endTurn()
  }

  #writeAll(): void {
    for (const log of this.#logs) log.writeStaged()
    this.#usedBytes = 0
  }
}
