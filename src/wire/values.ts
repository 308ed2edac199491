import { LinkspanError } from '../base/errors.ts'
import { Reader } from '../bytes/reader.ts'
import type { Writer } from '../bytes/writer.ts'
import { zeroUuid } from './schema.ts'

/** Kafka's own limit, in both forms of a string. */
const stringBytesMax = 0x7fff
/** Kafka's own messages have a handful; a peer's word shall not keep us busy. */
const taggedFieldsMax = 64

/**
 * The length in front of an array: -1 for null. A count that the bytes left cannot hold is refused here, before
 * anything is allocated; `itemBytesMin` is the fewest bytes that one item takes.
 */
export function readCount(reader: Reader, compact: boolean, nullable: boolean, itemBytesMin: number): number {
  const count = compact ? reader.uvarint() - 1 : reader.int32()
  if (count === -1 && nullable) return -1
  if (count < 0) throw new LinkspanError('malformed', `Null or negative array at ${reader.offset}`)
  if (count * itemBytesMin <= reader.remaining) return count
  throw new LinkspanError('malformed', `Array of ${count} items at ${reader.offset}, ${reader.remaining} bytes left`)
}

export function readString(reader: Reader, compact: boolean, nullable: boolean): string | null {
  const size = compact ? reader.uvarint() - 1 : reader.int16()
  if (size >= 0 && size <= stringBytesMax) return reader.utf8(size)
  if (size === -1 && nullable) return null
  throw new LinkspanError('malformed', `String of ${size} bytes at ${reader.offset}`)
}

export function readBytes(reader: Reader, compact: boolean, nullable: boolean): Uint8Array | null {
  const size = compact ? reader.uvarint() - 1 : reader.int32()
  if (size >= 0) return reader.view(size)
  if (size === -1 && nullable) return null
  throw new LinkspanError('malformed', `Null or negative length at ${reader.offset}`)
}

export function writeCount(
  writer: Writer,
  items: readonly unknown[] | null,
  compact: boolean,
  nullable: boolean,
  name: string,
): void {
  if (items === null && !nullable) throw notNullable(name)
  const count = items === null ? -1 : items.length
  if (compact) writer.uvarint(count + 1)
  else writer.int32(count)
}

export function writeString(
  writer: Writer,
  text: string | null,
  compact: boolean,
  nullable: boolean,
  name: string,
): void {
  if (text === null && !nullable) throw notNullable(name)
  const size = text === null ? -1 : Buffer.byteLength(text)
  if (size > stringBytesMax) {
    throw new LinkspanError('too-large', `${name} is ${size} bytes long, Kafka takes at most ${stringBytesMax}`)
  }
  if (compact) writer.uvarint(size + 1)
  else writer.int16(size)
  if (text !== null) writer.utf8(text)
}

export function writeBytes(
  writer: Writer,
  bytes: Uint8Array | null,
  compact: boolean,
  nullable: boolean,
  name: string,
): void {
  if (bytes === null && !nullable) throw notNullable(name)
  const size = bytes === null ? -1 : bytes.length
  if (compact) writer.uvarint(size + 1)
  else writer.int32(size)
  if (bytes !== null) writer.raw(bytes)
}

function notNullable(name: string): LinkspanError {
  return new LinkspanError('unsupported', `Field ${name} cannot be null in this version`)
}

export function notExpressible(name: string, version: number): LinkspanError {
  return new LinkspanError('unsupported', `Field ${name} cannot be expressed in version ${version}`)
}

export function readTagCount(reader: Reader): number {
  const count = reader.uvarint()
  if (count > taggedFieldsMax) throw new LinkspanError('malformed', `${count} tagged fields are too many`)
  return count
}

/** The protocol has tags rise, so none can come twice. */
export function readTag(reader: Reader, last: number): number {
  const tag = reader.uvarint()
  if (tag <= last) throw new LinkspanError('malformed', `Tagged field ${tag} is out of order at ${reader.offset}`)
  return tag
}

/** Moves past the value of a tagged field and returns a reader of just that. */
export function readTagged(reader: Reader): Reader {
  const size = reader.uvarint()
  const start = reader.take(size)
  return new Reader(reader.bytes, start, start + size)
}

export function endTagged(inner: Reader, tag: number): void {
  if (inner.remaining > 0) throw new LinkspanError('malformed', `Tagged field ${tag} is too long at ${inner.offset}`)
}

export function writeTagged(writer: Writer, tag: number, value: Writer): void {
  writer.uvarint(tag)
  writer.uvarint(value.length)
  for (const chunk of value.chunks()) writer.raw(chunk)
}

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Value of a hex digit by its character code, -1 for anything else. */
const hexDigits = Int8Array.from({ length: 128 }, (_, code) => {
  return '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase())
})

export function readUuid(reader: Reader): string {
  const at = reader.take(16)
  const { bytes } = reader
  let text = ''
  for (let index = 0; index < 16; index += 1) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-'
    text += hexPairs[bytes[at + index] as number]
  }
  return text
}

export function writeUuid(writer: Writer, text: string): void {
  if (text === zeroUuid) {
    for (let word = 0; word < 4; word += 1) writer.uint32(0)
    return
  }
  if (text.length !== 36 && text.length !== 32) throw notUuid(text)
  let word = 0
  let digits = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === 0x2d) continue
    const digit = hexDigits[code] ?? -1
    if (digit < 0) throw notUuid(text)
    word = (word << 4) | digit
    digits += 1
    if (digits % 8 === 0) writer.int32(word)
  }
  if (digits !== 32) throw notUuid(text)
}

function notUuid(text: string): LinkspanError {
  return new LinkspanError('malformed', `"${text}" is not a UUID`)
}

/** Whether a caller's value says no more than the default does: parts left out count as default. */
export function sameValue(given: unknown, fallback: unknown): boolean {
  if (given === fallback || given === undefined) return true
  if (Array.isArray(given)) return Array.isArray(fallback) && given.length === 0 && fallback.length === 0
  if (given instanceof Uint8Array) {
    return fallback instanceof Uint8Array && given.length === 0 && fallback.length === 0
  }
  if (!given || !fallback || typeof given !== 'object' || typeof fallback !== 'object') return false
  return Object.entries(given).every(([name, value]) => sameValue(value, (fallback as Record<string, unknown>)[name]))
}
