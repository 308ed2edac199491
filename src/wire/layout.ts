import type { Field, Scalar, Struct } from './schema.ts'
import { zeroUuid } from './schema.ts'

/** A struct in one version: which fields are written in order, which with a tag, and which not at all. */
export interface Layout {
  readonly plain: PlacedField[]
  /** By rising tag, as the protocol wants them written. */
  readonly tagged: (PlacedField & { tag: number })[]
  readonly absent: PlacedField[]
}

export interface PlacedField {
  name: string
  field: Field
}

export function layOut(fields: Struct, version: number, flexible: boolean): Layout {
  const layout: Layout = { plain: [], tagged: [], absent: [] }
  for (const [name, field] of Object.entries(fields)) {
    const { from = 0, to = Number.POSITIVE_INFINITY, tag, tagFrom = from } = field.options
    if (version < from || version > to) layout.absent.push({ name, field })
    else if (tag !== undefined && flexible && version >= tagFrom) layout.tagged.push({ name, field, tag })
    else layout.plain.push({ name, field })
  }
  layout.tagged.sort((left, right) => left.tag - right.tag)
  return layout
}

export function isCompact(field: Field, flexible: boolean): boolean {
  return flexible && !field.options.rigid
}

export function isNullable(field: Field, version: number): boolean {
  return field.options.nullable !== undefined && version >= field.options.nullable
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

/** What a field holds when its version has none, or the caller gave none. */
export function defaultOf(field: Field): unknown {
  if ('default' in field.options) return field.options.default
  if (field.type === 'array') return []
  if (field.type !== 'struct') return zeroValues[field.type]
  return Object.fromEntries(Object.entries(field.struct ?? {}).map(([name, inner]) => [name, defaultOf(inner)]))
}

const scalarBytes: Record<Exclude<Scalar, 'string' | 'bytes' | 'records'>, number> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  int64Bits: 8,
  float64: 8,
  uuid: 16,
}

/** Fewest bytes that a value can take: what a claimed count is checked against. */
export function bytesMinOf(field: Field, version: number, flexible: boolean): number {
  const compact = isCompact(field, flexible)
  switch (field.type) {
    case 'struct':
      return isNullable(field, version) ? 1 : structBytesMin(field.struct as Struct, version, flexible)
    case 'string':
      return compact ? 1 : 2
    case 'array':
    case 'bytes':
    case 'records':
      return compact ? 1 : 4
    default:
      return scalarBytes[field.type]
  }
}

function structBytesMin(fields: Struct, version: number, flexible: boolean): number {
  const { plain } = layOut(fields, version, flexible)
  return plain.reduce((sum, { field }) => sum + bytesMinOf(field, version, flexible), flexible ? 1 : 0)
}
