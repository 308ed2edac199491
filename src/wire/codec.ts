import { LinkspanError } from '../base/errors.ts'
import { Reader } from '../bytes/reader.ts'
import { Writer } from '../bytes/writer.ts'
import {
  type Api,
  type Field,
  type Input,
  type RequestInput,
  type RequestOf,
  type ResponseInput,
  type ResponseOf,
  type Scalar,
  type Struct,
  zeroUuid,
} from './schema.ts'

/** A compiled message of one version: made once, at first use. */
interface Codec {
  decode(reader: Reader): Record<string, unknown>
  encode(writer: Writer, value: Record<string, unknown>): void
}

interface ValueCodec {
  decode(reader: Reader): unknown
  encode(writer: Writer, value: unknown): void
  /** Fewest bytes that one value can take: what a claimed count is checked against. */
  bytesMin: number
}

/** Nested arrays of our schemas are at most this deep; the compiler itself recurses by schema, never by input. */
const taggedFieldsMax = 64

const compiled = new WeakMap<Struct, Map<string, Codec>>()

function codecFor(fields: Struct, version: number, flexible: boolean): Codec {
  let versions = compiled.get(fields)
  if (!versions) {
    versions = new Map()
    compiled.set(fields, versions)
  }
  const key = `${version}${flexible ? 'f' : ''}`
  let codec = versions.get(key)
  if (!codec) {
    codec = compileStruct(fields, version, flexible)
    versions.set(key, codec)
  }
  return codec
}

export function isFlexible(api: Api, version: number): boolean {
  return version >= api.flexible
}

export function encodeRequestBody<A extends Api>(api: A, version: number, body: RequestInput<A>, writer: Writer): void {
  checkVersion(api, version)
  codecFor(api.request, version, isFlexible(api, version)).encode(writer, body as Record<string, unknown>)
}

export function decodeRequestBody<A extends Api>(api: A, version: number, reader: Reader): RequestOf<A> {
  checkVersion(api, version)
  return codecFor(api.request, version, isFlexible(api, version)).decode(reader) as RequestOf<A>
}

export function encodeResponseBody<A extends Api>(
  api: A,
  version: number,
  body: ResponseInput<A>,
  writer: Writer,
): void {
  checkVersion(api, version)
  codecFor(api.response, version, isFlexible(api, version)).encode(writer, body as Record<string, unknown>)
}

export function decodeResponseBody<A extends Api>(api: A, version: number, reader: Reader): ResponseOf<A> {
  checkVersion(api, version)
  return codecFor(api.response, version, isFlexible(api, version)).decode(reader) as ResponseOf<A>
}

/** A struct outside an API, such as the value of an internal topic's record. */
export function decodeStruct<S extends Struct>(fields: S, version: number, flexible: boolean, reader: Reader) {
  return codecFor(fields, version, flexible).decode(reader) as {
    [K in keyof S]: S[K] extends Field<infer T> ? T : never
  }
}

export function encodeStruct<S extends Struct>(
  fields: S,
  version: number,
  flexible: boolean,
  value: Input<{ [K in keyof S]: S[K] extends Field<infer T> ? T : never }>,
  writer: Writer,
): void {
  codecFor(fields, version, flexible).encode(writer, value as Record<string, unknown>)
}

function checkVersion(api: Api, version: number): void {
  if (version < api.versions[0] || version > api.versions[1]) {
    throw new LinkspanError('unsupported', `${api.name} version ${version} is not spoken here`)
  }
}

interface PlacedField {
  name: string
  field: Field
  value: ValueCodec
  fallback: unknown
}

function compileStruct(fields: Struct, version: number, flexible: boolean): Codec {
  const plain: PlacedField[] = []
  const tagged = new Map<number, PlacedField>()
  const absent: { name: string; field: Field; fallback: unknown }[] = []
  for (const [name, field] of Object.entries(fields)) {
    const { from = 0, to = Number.POSITIVE_INFINITY, tag, tagFrom = from } = field.options
    const fallback = defaultOf(field)
    if (version < from || version > to) absent.push({ name, field, fallback })
    else {
      const placed = { name, field, fallback, value: compileValue(field, version, flexible) }
      if (tag !== undefined && flexible && version >= tagFrom) tagged.set(tag, placed)
      else plain.push(placed)
    }
  }
  return {
    decode: (reader) => decodeFields(reader, { plain, tagged, absent, flexible }),
    encode: (writer, value) => encodeFields(writer, value, { plain, tagged, absent, flexible }),
  }
}

interface Layout {
  plain: PlacedField[]
  tagged: Map<number, PlacedField>
  absent: { name: string; field: Field; fallback: unknown }[]
  flexible: boolean
}

function decodeFields(reader: Reader, layout: Layout): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const { name, value } of layout.plain) result[name] = value.decode(reader)
  for (const { name, fallback } of layout.absent) result[name] = freshDefault(fallback)
  if (!layout.flexible) return result
  for (const { name, fallback } of layout.tagged.values()) result[name] = freshDefault(fallback)
  const count = reader.uvarint()
  if (count > taggedFieldsMax) throw new LinkspanError('malformed', `${count} tagged fields are too many`)
  for (let index = 0, last = -1; index < count; index += 1) {
    const tag = reader.uvarint()
    if (tag <= last) throw new LinkspanError('malformed', 'Tagged fields are out of order')
    last = tag
    const size = reader.uvarint()
    const placed = layout.tagged.get(tag)
    const start = reader.take(size)
    if (!placed) continue
    const inner = new Reader(reader.bytes, start, start + size)
    result[placed.name] = placed.value.decode(inner)
    if (inner.remaining > 0) throw new LinkspanError('malformed', `Tagged field ${placed.name} is too long`)
  }
  return result
}

function encodeFields(writer: Writer, source: Record<string, unknown>, layout: Layout): void {
  for (const { name, value, fallback } of layout.plain) {
    const given = source[name]
    value.encode(writer, given === undefined ? fallback : given)
  }
  for (const { name, field, fallback } of layout.absent) {
    const given = source[name]
    if (given === undefined || field.options.ignorable || sameValue(given, fallback)) continue
    throw new LinkspanError('unsupported', `Field ${name} cannot be expressed in this version`)
  }
  if (!layout.flexible) return
  const present = [...layout.tagged].filter(([, { name, fallback }]) => {
    return source[name] !== undefined && !sameValue(source[name], fallback)
  })
  writer.uvarint(present.length)
  for (const [tag, { name, value }] of present.sort(([left], [right]) => left - right)) {
    const inner = new Writer()
    value.encode(inner, source[name])
    writer.uvarint(tag)
    writer.uvarint(inner.length)
    for (const chunk of inner.chunks()) writer.raw(chunk)
  }
}

function sameValue(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (Array.isArray(left) && Array.isArray(right)) return left.length === 0 && right.length === 0
  if (left instanceof Uint8Array && right instanceof Uint8Array) return left.length === 0 && right.length === 0
  if (!left || !right || typeof left !== 'object' || typeof right !== 'object') return false
  return Object.keys(left).every((name) => {
    return sameValue((left as Record<string, unknown>)[name], (right as Record<string, unknown>)[name])
  })
}

/** Arrays and structs get a copy of their default, so that no two messages share one. */
function freshDefault(fallback: unknown): unknown {
  return typeof fallback === 'object' && fallback !== null ? structuredClone(fallback) : fallback
}

const zeroValues: Record<Scalar, unknown> = {
  bool: false,
  int8: 0,
  int16: 0,
  uint16: 0,
  int32: 0,
  uint32: 0,
  int64: 0,
  int64Bits: 0n,
  float64: 0,
  string: '',
  bytes: new Uint8Array(0),
  records: null,
  uuid: zeroUuid,
}

function defaultOf(field: Field): unknown {
  if ('default' in field.options) return field.options.default
  if (field.type === 'array') return []
  if (field.type === 'struct') {
    return Object.fromEntries(Object.entries(field.struct ?? {}).map(([name, inner]) => [name, defaultOf(inner)]))
  }
  return zeroValues[field.type]
}

function compileValue(field: Field, version: number, flexible: boolean): ValueCodec {
  const compact = flexible && !field.options.rigid
  const nullable = field.options.nullable !== undefined && version >= field.options.nullable
  switch (field.type) {
    case 'array':
      return arrayCodec(compileValue(field.item as Field, version, flexible), compact, nullable)
    case 'struct':
      return structCodec(codecFor(field.struct as Struct, version, flexible), flexible, nullable, field)
    case 'string':
      return sized(
        compact,
        nullable,
        'int16',
        (reader, size) => reader.utf8(size),
        (writer, value) => {
          const text = value as string
          return { size: Buffer.byteLength(text), write: () => writer.utf8(text) }
        },
      )
    case 'bytes':
    case 'records':
      return sized(
        compact,
        nullable,
        'int32',
        (reader, size) => reader.view(size),
        (writer, value) => {
          const view = value as Uint8Array
          return { size: view.length, write: () => writer.raw(view) }
        },
      )
    default:
      return scalarCodecs[field.type]
  }
}

function structCodec(codec: Codec, flexible: boolean, nullable: boolean, field: Field): ValueCodec {
  const bytesMin = flexible ? 1 : Object.keys(field.struct ?? {}).length > 0 ? 1 : 0
  if (!nullable) {
    return {
      decode: codec.decode,
      encode: (writer, value) => codec.encode(writer, value as Record<string, unknown>),
      bytesMin,
    }
  }
  return {
    decode: (reader) => (reader.int8() < 0 ? null : codec.decode(reader)),
    encode: (writer, value) => {
      writer.int8(value === null ? -1 : 1)
      if (value !== null) codec.encode(writer, value as Record<string, unknown>)
    },
    bytesMin: 1,
  }
}

function arrayCodec(item: ValueCodec, compact: boolean, nullable: boolean): ValueCodec {
  return {
    decode(reader) {
      const count = compact ? reader.uvarint() - 1 : reader.int32()
      if (count === -1) {
        if (nullable) return null
        throw new LinkspanError('malformed', `Null array at ${reader.offset}`)
      }
      if (count < 0 || count * Math.max(1, item.bytesMin) > reader.remaining) {
        throw new LinkspanError(
          'malformed',
          `Array of ${count} items at ${reader.offset}, ${reader.remaining} bytes left`,
        )
      }
      const items: unknown[] = []
      for (let index = 0; index < count; index += 1) items.push(item.decode(reader))
      return items
    },
    encode(writer, value) {
      const items = value as unknown[] | null
      if (items === null && !nullable)
        throw new LinkspanError('unsupported', 'This array cannot be null in this version')
      const count = items === null ? -1 : items.length
      if (compact) writer.uvarint(count + 1)
      else writer.int32(count)
      for (const one of items ?? []) item.encode(writer, one)
    },
    bytesMin: compact ? 1 : 4,
  }
}

/** Strings, bytes and records: a size, then that many bytes. */
function sized(
  compact: boolean,
  nullable: boolean,
  width: 'int16' | 'int32',
  read: (reader: Reader, size: number) => unknown,
  prepare: (writer: Writer, value: unknown) => { size: number; write: () => void },
): ValueCodec {
  return {
    decode(reader) {
      const size = compact ? reader.uvarint() - 1 : reader[width]()
      if (size >= 0) return read(reader, size)
      if (size === -1 && nullable) return null
      throw new LinkspanError('malformed', `Null or negative length at ${reader.offset}`)
    },
    encode(writer, value) {
      if (value === null && !nullable)
        throw new LinkspanError('unsupported', 'This value cannot be null in this version')
      const prepared = value === null ? undefined : prepare(writer, value)
      const size = prepared?.size ?? -1
      if (width === 'int16' && size > 0x7fff)
        throw new LinkspanError('too-large', `String of ${size} bytes is too long`)
      if (compact) writer.uvarint(size + 1)
      else writer[width](size)
      prepared?.write()
    },
    bytesMin: compact ? 1 : width === 'int16' ? 2 : 4,
  }
}

const scalarCodecs: Record<Exclude<Scalar, 'string' | 'bytes' | 'records'>, ValueCodec> = {
  bool: {
    decode: (reader) => reader.int8() !== 0,
    encode: (writer, value) => writer.int8(value ? 1 : 0),
    bytesMin: 1,
  },
  int8: { decode: (reader) => reader.int8(), encode: (writer, value) => writer.int8(value as number), bytesMin: 1 },
  int16: { decode: (reader) => reader.int16(), encode: (writer, value) => writer.int16(value as number), bytesMin: 2 },
  uint16: {
    decode: (reader) => reader.uint16(),
    encode: (writer, value) => writer.uint16(value as number),
    bytesMin: 2,
  },
  int32: { decode: (reader) => reader.int32(), encode: (writer, value) => writer.int32(value as number), bytesMin: 4 },
  uint32: {
    decode: (reader) => reader.uint32(),
    encode: (writer, value) => writer.uint32(value as number),
    bytesMin: 4,
  },
  int64: { decode: (reader) => reader.int64(), encode: (writer, value) => writer.int64(value as number), bytesMin: 8 },
  int64Bits: {
    decode: (reader) => reader.int64Bits(),
    encode: (writer, value) => writer.int64Bits(value as bigint),
    bytesMin: 8,
  },
  float64: {
    decode: (reader) => reader.float64(),
    encode: (writer, value) => writer.float64(value as number),
    bytesMin: 8,
  },
  uuid: { decode: decodeUuid, encode: encodeUuid, bytesMin: 16 },
}

function decodeUuid(reader: Reader): string {
  const hex = Buffer.from(reader.view(16)).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

function encodeUuid(writer: Writer, value: unknown): void {
  const raw = Buffer.from((value as string).replaceAll('-', ''), 'hex')
  if (raw.length !== 16) throw new LinkspanError('malformed', `"${value}" is not a UUID`)
  writer.raw(raw)
}
