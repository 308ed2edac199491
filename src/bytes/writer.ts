import { LinkspanError } from '../base/errors.ts'

const two32 = 2 ** 32
/** Larger views are referenced, not copied: about where a copy costs more than another entry in a vectored write. */
const referenceBytesMin = 4096
/** Up to this length a loop over an ASCII text beats the call into the runtime. */
const asciiLoopBytesMax = 40

/**
 * Big-endian builder of one message. Small values are copied into a growing buffer; large views (record batches) are
 * kept as references, so that `chunks()` can go to a vectored write without one concatenation.
 */
export class Writer {
  #buffer: Buffer
  #view: DataView
  #used = 0
  #flushed = 0
  #chunks: Uint8Array[] = []
  #chunkBytes = 0

  constructor(initialBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(initialBytes)
    this.#view = viewOf(this.#buffer)
  }

  /** Bytes written so far, references included. */
  get length(): number {
    return this.#chunkBytes + this.#used - this.#flushed
  }

  /** Where `count` new bytes start. May replace the buffer: call it before the buffer is touched, never within. */
  #room(count: number): number {
    const at = this.#used
    if (at + count > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(
        Math.max((this.#buffer.length - this.#flushed) * 2, at - this.#flushed + count, 256),
      )
      this.#buffer.copy(grown, 0, this.#flushed, at)
      this.#buffer = grown
      this.#view = viewOf(grown)
      this.#used = at - this.#flushed + count
      this.#flushed = 0
      return this.#used - count
    }
    this.#used = at + count
    return at
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) throw outOfRange(value, 'int8')
    const at = this.#room(1)
    this.#view.setInt8(at, value)
  }

  uint8(value: number): void {
    if ((value & 0xff) !== value) throw outOfRange(value, 'uint8')
    const at = this.#room(1)
    this.#view.setUint8(at, value)
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) throw outOfRange(value, 'int16')
    const at = this.#room(2)
    this.#view.setInt16(at, value)
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) throw outOfRange(value, 'uint16')
    const at = this.#room(2)
    this.#view.setUint16(at, value)
  }

  int32(value: number): void {
    if ((value | 0) !== value) throw outOfRange(value, 'int32')
    const at = this.#room(4)
    this.#view.setInt32(at, value)
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) throw outOfRange(value, 'uint32')
    const at = this.#room(4)
    this.#view.setUint32(at, value)
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) throw outOfRange(value, 'int64 that a number holds exactly')
    const high = Math.floor(value / two32)
    const at = this.#room(8)
    this.#view.setInt32(at, high)
    this.#view.setUint32(at + 4, value - high * two32)
  }

  int64Bits(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw outOfRange(value, 'int64')
    const at = this.#room(8)
    this.#view.setBigInt64(at, value)
  }

  float64(value: number): void {
    const at = this.#room(8)
    this.#view.setFloat64(at, value)
  }

  /** Up to 2^32 - 1. */
  uvarint(value: number): void {
    if (value >>> 0 !== value) throw outOfRange(value, 'unsigned varint')
    if (value < 0x80) this.uint8(value)
    else this.#septets(value)
  }

  #septets(value: number): void {
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
    if (!Number.isSafeInteger(value)) throw new LinkspanError('malformed', `${value} is no safe integer`)
    if (value >= -(2 ** 51) && value < 2 ** 51) {
      this.#septets(value < 0 ? -value * 2 - 1 : value * 2)
      return
    }
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
      const at = this.#room(bytes.length)
      this.#buffer.set(bytes, at)
      return
    }
    this.#flush()
    this.#chunks.push(bytes)
    this.#chunkBytes += bytes.length
  }

  utf8(text: string): void {
    const count = Buffer.byteLength(text)
    const at = this.#room(count)
    if (count > asciiLoopBytesMax || count !== text.length) {
      this.#buffer.write(text, at, count, 'utf8')
      return
    }
    for (let index = 0; index < count; index += 1) this.#buffer[at + index] = text.charCodeAt(index)
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

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

function outOfRange(value: unknown, type: string): LinkspanError {
  return new LinkspanError('malformed', `${value} is no ${type}`)
}
