/** A reused read buffer, shared by the frames that lie in it; it returns to its pool when the last one is released. */
export interface Slab {
  readonly bytes: Buffer
  /** True while nobody but the caller holds it, so that its bytes may be moved. */
  readonly exclusive: boolean
  retain(): void
  release(): void
}

/**
 * The read buffers of a pump: their number bounds its memory, so an empty pool is back-pressure. Fresh memory costs a
 * page fault per 4 KiB, about five times what reading costs; hence reuse. At least one slab for every reader is needed,
 * and one more for all of them.
 */
export class SlabPool {
  readonly slabBytes: number
  readonly #slabsMax: number
  readonly #free: PooledSlab[] = []
  readonly #waiting = new Set<() => void>()
  #made = 0
  #waking = false

  constructor(options: { slabBytes: number; slabsMax: number }) {
    this.slabBytes = options.slabBytes
    this.#slabsMax = options.slabsMax
  }

  /** Slabs that are held by somebody. */
  get used(): number {
    return this.#made - this.#free.length
  }

  /** A slab with one reference, or undefined when all are in use. */
  take(): Slab | undefined {
    const slab = this.#free.pop()
    if (slab) {
      slab.references = 1
      return slab
    }
    if (this.#made >= this.#slabsMax) return undefined
    this.#made += 1
    return new PooledSlab(Buffer.allocUnsafeSlow(this.slabBytes), (freed) => this.#giveBack(freed))
  }

  /** Calls `wake` once when a slab is free again, in a turn of its own; the function returned calls that off. */
  whenFree(wake: () => void): () => void {
    this.#waiting.add(wake)
    if (this.#free.length > 0 || this.#made < this.#slabsMax) this.#wakeSoon()
    return () => this.#waiting.delete(wake)
  }

  #giveBack(slab: PooledSlab): void {
    this.#free.push(slab)
    if (this.#waiting.size > 0) this.#wakeSoon()
  }

  /** Later, because whoever releases a frame is in the middle of its own work. */
  #wakeSoon(): void {
    if (this.#waking) return
    this.#waking = true
    queueMicrotask(() => {
      this.#waking = false
      for (const wake of [...this.#waiting]) {
        if (this.#free.length === 0 && this.#made >= this.#slabsMax) return
        this.#waiting.delete(wake)
        wake()
      }
    })
  }
}

class PooledSlab implements Slab {
  readonly bytes: Buffer
  references = 1
  readonly #whenUnused: (slab: PooledSlab) => void

  constructor(bytes: Buffer, whenUnused: (slab: PooledSlab) => void) {
    this.bytes = bytes
    this.#whenUnused = whenUnused
  }

  get exclusive(): boolean {
    return this.references === 1
  }

  retain(): void {
    this.references += 1
  }

  release(): void {
    this.references -= 1
    if (this.references === 0) this.#whenUnused(this)
  }
}

/** A buffer of its own for one frame that is larger than a slab; the garbage collector takes it back. */
export function oversizedSlab(sizeBytes: number): Slab {
  return new PooledSlab(Buffer.allocUnsafeSlow(sizeBytes), () => {})
}
