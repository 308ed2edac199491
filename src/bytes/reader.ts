import { LinkspanError } from '../base/errors.ts'

const two32 = 2 ** 32

/**
 * Big-endian cursor over bytes that somebody else wrote. Every read checks the bounds first and ends in `malformed`;
 * nothing is allocated by a length that the bytes merely claim. Views are returned, never copies.
 */
export class Reader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  #text: Buffer | undefined
  readonly end: number
  offset: number

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.offset = offset
    this.end = Math.min(end, bytes.length)
  }

  get remaining(): number {
    return this.end - this.offset
  }

  /** Moves the cursor over `count` bytes and returns where they start. */
  take(count: number): number {
    const start = this.offset
    if (count < 0 || count > this.end - start) {
      throw new LinkspanError('malformed', `Truncated: ${count} bytes wanted at ${start}, ${this.end - start} left`)
    }
    this.offset = start + count
    return start
  }

  int8(): number {
    return this.#view.getInt8(this.take(1))
  }

  uint8(): number {
    return this.bytes[this.take(1)] as number
  }

  int16(): number {
    return this.#view.getInt16(this.take(2))
  }

  uint16(): number {
    return this.#view.getUint16(this.take(2))
  }

  int32(): number {
    return this.#view.getInt32(this.take(4))
  }

  uint32(): number {
    return this.#view.getUint32(this.take(4))
  }

  /** Offsets, timestamps, sizes: refused outside ±2^53, where a number would lie. */
  int64(): number {
    const at = this.take(8)
    const value = this.#view.getInt32(at) * two32 + this.#view.getUint32(at + 4)
    if (!Number.isSafeInteger(value)) throw new LinkspanError('malformed', `Number out of range at ${at}`)
    return value
  }

  /** All 64 bits, for producer ids. */
  int64Bits(): bigint {
    return this.#view.getBigInt64(this.take(8))
  }

  float64(): number {
    return this.#view.getFloat64(this.take(8))
  }

  uvarint(): number {
    const start = this.offset
    const first = this.uint8()
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let factor = 128; factor < 2 ** 35; factor *= 128) {
      const byte = this.uint8()
      value += (byte & 0x7f) * factor
      if (byte >= 0x80) continue
      if (value >= two32) break
      return value
    }
    throw new LinkspanError('malformed', `Varint out of range at ${start}`)
  }

  /** Zigzag, 32 bits. */
  varint(): number {
    const raw = this.uvarint()
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** Zigzag, 64 bits; refused outside ±2^53. */
  varlong(): number {
    const start = this.offset
    const value = this.varlongNearest()
    if (!Number.isSafeInteger(value)) throw new LinkspanError('malformed', `Varlong out of range at ${start}`)
    return value
  }

  /** Zigzag, 64 bits; the nearest number outside ±2^53: for what is shown or compared, such as odd timestamps. */
  varlongNearest(): number {
    const start = this.offset
    let raw = 0
    for (let factor = 1; factor < 2 ** 49; factor *= 128) {
      const byte = this.uint8()
      raw += (byte & 0x7f) * factor
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
    }
    this.offset = start
    return Number(this.#longVarlong())
  }

  /** From 50 bits on, where a number is not exact before the zigzag is undone. */
  #longVarlong(): bigint {
    const start = this.offset
    let raw = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.uint8()
      raw |= BigInt(byte & 0x7f) << shift
      if (byte >= 0x80) continue
      if (raw >= 1n << 64n) break
      return (raw >> 1n) ^ -(raw & 1n)
    }
    throw new LinkspanError('malformed', `Varlong too long at ${start}`)
  }

  view(count: number): Uint8Array {
    const at = this.take(count)
    return this.bytes.subarray(at, at + count)
  }

  utf8(count: number): string {
    const at = this.take(count)
    this.#text ??= Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
    return this.#text.toString('utf8', at, at + count)
  }
}
