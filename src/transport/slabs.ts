/** A reused read buffer, shared by the frames that lie in it; it returns to its pool when the last one is released. */
export interface Slab {
  readonly bytes: Buffer
  retain(): void
  release(): void
}

/**
 * The read buffers of a pump: their number bounds its memory, so an empty pool is back-pressure. Fresh memory costs a page
 * fault per 4 KiB, about five times what reading costs; hence reuse.
 */
export class SlabPool {
  readonly slabBytes: number
  readonly #slabsMax: number
  readonly #free: PooledSlab[] = []
  readonly #waiting: (() => void)[] = []
  #made = 0

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

  /** Calls `wake` once when a slab is free again. */
  whenFree(wake: () => void): void {
    this.#waiting.push(wake)
  }

  #giveBack(slab: PooledSlab): void {
    this.#free.push(slab)
    this.#waiting.shift()?.()
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
