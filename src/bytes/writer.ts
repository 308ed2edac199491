import { LinkspanError } from '../base/errors.ts'

const two32 = 2 ** 32
/** Larger views are referenced, not copied: about where a copy costs more than another entry in a vectored write. */
const referenceBytesMin = 4096

/**
 * Big-endian builder of one message. Small values are copied into a growing buffer; large views (record batches) are
 * kept as references, so that `chunks()` can go to a vectored write without one concatenation.
 */
export class Writer {
  #buffer: Buffer
  #used = 0
  #flushed = 0
  #chunks: Uint8Array[] = []
  #chunkBytes = 0

  constructor(initialBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(initialBytes)
  }

  /** Bytes written so far, references included. */
  get length(): number {
    return this.#chunkBytes + this.#used - this.#flushed
  }

  #room(count: number): number {
    const at = this.#used
    if (at + count > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(
        Math.max((this.#buffer.length - this.#flushed) * 2, at - this.#flushed + count, 256),
      )
      this.#buffer.copy(grown, 0, this.#flushed, at)
      this.#buffer = grown
      this.#used = at - this.#flushed + count
      this.#flushed = 0
      return this.#used - count
    }
    this.#used = at + count
    return at
  }

  int8(value: number): void {
    this.#buffer.writeInt8(value, this.#room(1))
  }

  uint8(value: number): void {
    this.#buffer.writeUInt8(value, this.#room(1))
  }

  int16(value: number): void {
    this.#buffer.writeInt16BE(value, this.#room(2))
  }

  uint16(value: number): void {
    this.#buffer.writeUInt16BE(value, this.#room(2))
  }

  int32(value: number): void {
    this.#buffer.writeInt32BE(value, this.#room(4))
  }

  uint32(value: number): void {
    this.#buffer.writeUInt32BE(value, this.#room(4))
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) throw new LinkspanError('malformed', `${value} is no safe integer`)
    const at = this.#room(8)
    this.#buffer.writeInt32BE(Math.floor(value / two32), at)
    this.#buffer.writeUInt32BE(value - Math.floor(value / two32) * two32, at + 4)
  }

  int64Bits(value: bigint): void {
    this.#buffer.writeBigInt64BE(value, this.#room(8))
  }

  float64(value: number): void {
    this.#buffer.writeDoubleBE(value, this.#room(8))
  }

  uvarint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.uint8((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.uint8(rest)
  }

  varint(value: number): void {
    this.uvarint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  varlong(value: number): void {
    let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
    while (rest >= 0x80n) {
      this.uint8(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.uint8(Number(rest))
  }

  /** Appends bytes; from `referenceBytesMin` on the caller's memory is referenced and must not change until written. */
  raw(bytes: Uint8Array): void {
    if (bytes.length < referenceBytesMin) {
      this.#buffer.set(bytes, this.#room(bytes.length))
      return
    }
    this.#flush()
    this.#chunks.push(bytes)
    this.#chunkBytes += bytes.length
  }

  utf8(text: string): void {
    const count = Buffer.byteLength(text)
    this.#buffer.write(text, this.#room(count), count, 'utf8')
  }

  /** Overwrites the first four bytes, which the caller wrote as a placeholder for a size. */
  patchFirst32(value: number): void {
    const first = this.#chunks[0] ?? this.#buffer
    Buffer.from(first.buffer, first.byteOffset, 4).writeInt32BE(value)
  }

  #flush(): void {
    if (this.#used === this.#flushed) return
    this.#chunks.push(this.#buffer.subarray(this.#flushed, this.#used))
    this.#chunkBytes += this.#used - this.#flushed
    this.#flushed = this.#used
  }

  /** The message as the pieces of a vectored write. */
  chunks(): Uint8Array[] {
    this.#flush()
    return this.#chunks
  }

  /** The message as one buffer; copies only when there are several pieces. */
  toBuffer(): Buffer {
    const chunks = this.chunks()
    const first = chunks[0]
    if (chunks.length === 1 && first) return Buffer.from(first.buffer, first.byteOffset, first.length)
    return Buffer.concat(chunks)
  }
}
