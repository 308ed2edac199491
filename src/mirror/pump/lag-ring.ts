const samplesMax = 256
/** Samples closer together are one: the age is shown in steps no finer than that. */
const spacingMs = 5

/**
 * When each source high watermark was first seen, for those that the destination has not confirmed yet: the age of the
 * oldest is the lag in time. Bounded: when it is full, neighbours are joined to the later watermark and the earlier
 * time, so that the age is never shown too small.
 */
export class LagRing {
  #ends: number[] = []
  #seenMs: number[] = []
  #head = 0
  #highest = -1

  /** `end` is a high watermark of the source, `nowMs` monotonic. */
  see(end: number, nowMs: number): void {
    if (end <= this.#highest) return
    this.#highest = end
    const last = this.#ends.length - 1
    if (last >= this.#head && nowMs - this.#seenMs[last]! < spacingMs) {
      this.#ends[last] = end
      return
    }
    if (last + 1 - this.#head >= samplesMax) this.#thin()
    this.#ends.push(end)
    this.#seenMs.push(nowMs)
  }

  /** The destination has everything below `end`. */
  confirm(end: number): void {
    while (this.#head < this.#ends.length && this.#ends[this.#head]! <= end) this.#head += 1
    if (this.#head < samplesMax && this.#head < this.#ends.length) return
    this.#ends.splice(0, this.#head)
    this.#seenMs.splice(0, this.#head)
    this.#head = 0
  }

  /** 0 when everything seen is confirmed. */
  ageMs(nowMs: number): number {
    const oldest = this.#seenMs[this.#head]
    return oldest === undefined ? 0 : Math.max(0, nowMs - oldest)
  }

  #thin(): void {
    const ends: number[] = []
    const seenMs: number[] = []
    for (let index = this.#head; index < this.#ends.length; index += 2) {
      seenMs.push(this.#seenMs[index]!)
      ends.push(this.#ends[index + 1] ?? this.#ends[index]!)
    }
    this.#ends = ends
    this.#seenMs = seenMs
    this.#head = 0
  }
}
