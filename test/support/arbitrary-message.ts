import fc from 'fast-check'
import { defaultOf, isNullable, layOut } from '../../src/wire/layout.ts'
import type { Field, Struct } from '../../src/wire/schema.ts'

type Message = Record<string, unknown>

/** Messages of a struct in one version as a caller may give them: any field may be left out. */
export function arbitraryMessage(fields: Struct, version: number, flexible: boolean): fc.Arbitrary<Message> {
  const { plain, tagged } = layOut(fields, version, flexible)
  const present = [...plain, ...tagged].map(({ name, field }) => [name, arbitraryValue(field, version, flexible)])
  return fc.record(Object.fromEntries(present) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] })
}

function arbitraryValue(field: Field, version: number, flexible: boolean): fc.Arbitrary<unknown> {
  const value = arbitraryOfType(field, version, flexible)
  return isNullable(field, version) ? fc.option(value, { freq: 3 }) : value
}

function arbitraryOfType(field: Field, version: number, flexible: boolean): fc.Arbitrary<unknown> {
  switch (field.type) {
    case 'array':
      return fc.array(arbitraryValue(field.item as Field, version, flexible), { maxLength: 3 })
    case 'struct':
      return arbitraryMessage(field.struct as Struct, version, flexible)
    case 'bool':
      return fc.boolean()
    case 'int8':
      return fc.integer({ min: -0x80, max: 0x7f })
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff })
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff })
    case 'int32':
      return fc.integer()
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffffffff })
    case 'int64':
      return fc.maxSafeInteger()
    case 'int64Bits':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'float64':
      return fc.double({ noNaN: true })
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 12 })
    case 'uuid':
      return fc.uuid()
    case 'bytes':
    case 'records':
      return fc.uint8Array({ maxLength: 20 })
  }
}

/** What decoding has to yield for such a message: what was left out, and what the version lacks, by its default. */
export function completed(fields: Struct, message: Message): Message {
  const entries = Object.entries(fields).map(([name, field]) => {
    return [name, message[name] === undefined ? defaultOf(field) : completedValue(field, message[name])]
  })
  return Object.fromEntries(entries)
}

function completedValue(field: Field, value: unknown): unknown {
  if (value === null) return null
  if (field.type === 'array') return (value as unknown[]).map((item) => completedValue(field.item as Field, item))
  return field.type === 'struct' ? completed(field.struct as Struct, value as Message) : value
}
