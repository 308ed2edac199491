/** Smaller reads share this size: most answers of a live tail fit. */
const classBytesMin = 64 * 1024
/** Larger buffers are made for one read and left to the garbage collector. */
const classBytesMax = 16 * 1024 * 1024
/** Free buffers that are kept for the next reads. */
const freeBytesMax = 16 * 1024 * 1024

/** Buffers for what is read from segments, used again and again: a fetch answer leaves no garbage. */
export class ReadBuffers {
  readonly #free = new Map<number, Buffer[]>()
  #freeBytes = 0

  /** At least `bytesMin` long, with anything in it. */
  take(bytesMin: number): Buffer {
    const sizeBytes = classOf(bytesMin)
    const buffer = this.#free.get(sizeBytes)?.pop()
    if (buffer === undefined) return Buffer.allocUnsafeSlow(sizeBytes)
    this.#freeBytes -= sizeBytes
    return buffer
  }

  /** Once per `take`: whoever gives back twice hands one buffer to two readers. */
  giveBack(buffer: Buffer): void {
    if (buffer.length > classBytesMax || this.#freeBytes + buffer.length > freeBytesMax) return
    const free = this.#free.get(buffer.length)
    if (free) free.push(buffer)
    else this.#free.set(buffer.length, [buffer])
    this.#freeBytes += buffer.length
  }
}

function classOf(bytesMin: number): number {
  if (bytesMin > classBytesMax) return bytesMin
  let sizeBytes = classBytesMin
  while (sizeBytes < bytesMin) sizeBytes *= 2
  return sizeBytes
}
