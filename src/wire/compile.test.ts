import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reader } from '../bytes/reader.ts'
import { Writer } from '../bytes/writer.ts'
import { apis } from './api/index.ts'
import { decodeStruct, encodeStruct, isFlexible } from './codec.ts'
import { bytesMinOf } from './layout.ts'
import {
  array,
  bytes,
  type Field,
  float64,
  type Input,
  int8,
  int16,
  int32,
  int64,
  int64Bits,
  string,
  struct,
  uint16,
  uint32,
  uuid,
} from './schema.ts'

function encoded(fields: Record<string, Field>, version: number, flexible: boolean, value: Input<object>): string {
  const writer = new Writer()
  encodeStruct(fields, version, flexible, value, writer)
  return writer.toBuffer().toString('hex')
}

function decoded(fields: Record<string, Field>, version: number, flexible: boolean, hex: string) {
  return decodeStruct(fields, version, flexible, new Reader(Buffer.from(hex, 'hex')))
}

test('both forms of every type are those of the protocol', () => {
  const fields = { text: string({ nullable: 0 }), view: bytes({ nullable: 0 }), items: array(int8(), { nullable: 0 }) }
  const value = { text: 'é', view: Buffer.from([1]), items: [1, -1] }
  assert.equal(encoded(fields, 0, false, value), '0002c3a900000001010000000201ff')
  assert.equal(encoded(fields, 0, true, value), '03c3a902010301ff00')
  const none = { text: null, view: null, items: null }
  assert.equal(encoded(fields, 0, false, none), 'ffffffffffffffffffff')
  assert.equal(encoded(fields, 0, true, none), '00000000')
  for (const flexible of [false, true]) {
    assert.deepEqual(decoded(fields, 0, flexible, encoded(fields, 0, flexible, none)), none)
  }
})

test('numbers of every width stand big-endian at their limits', () => {
  const fields = { a: uint16(), b: uint32(), c: int64(), d: int64Bits(), e: float64(), f: uuid() }
  const value = { a: 65535, b: 4294967295, c: -2, d: -(2n ** 63n), e: 1.5, f: '00112233-4455-6677-8899-aabbccddeeff' }
  const hex = 'fffffffffffffffffffffffffffe80000000000000003ff800000000000000112233445566778899aabbccddeeff'
  assert.equal(encoded(fields, 0, false, value), hex)
  assert.deepEqual(decoded(fields, 0, false, hex), value)
})

test('tagged fields are written in the order of their tags and only when they say something', () => {
  const fields = {
    late: int32({ tag: 5, default: -1 }),
    list: array(string(), { tag: 2, nullable: 0, default: null }),
    inner: struct({ id: int16({ default: -1 }), name: string() }, { tag: 0 }),
  }
  assert.equal(encoded(fields, 0, true, {}), '00')
  assert.equal(encoded(fields, 0, true, { late: -1, list: null, inner: { id: -1 } }), '00')
  assert.equal(encoded(fields, 0, true, { list: [] }), '01020101')
  const value = { late: 7, list: ['a', ''], inner: { id: -1, name: 'x' } }
  const hex = '03' + '0005ffff027800' + '0204030261' + '01' + '050400000007'
  assert.equal(encoded(fields, 0, true, value), hex)
  assert.deepEqual(decoded(fields, 0, true, hex), value)
})

test('a tagged struct that may be null carries its own sign byte', () => {
  const fields = { inner: struct({ id: int16() }, { tag: 0, nullable: 0, default: null }) }
  assert.equal(encoded(fields, 0, true, { inner: null }), '00')
  assert.equal(encoded(fields, 0, true, { inner: { id: 3 } }), '01000401000300')
  assert.deepEqual(decoded(fields, 0, true, '01000401000300'), { inner: { id: 3 } })
  assert.deepEqual(decoded(fields, 0, true, '010001ff'), { inner: null })
})

test('a field becomes tagged only from its version on', () => {
  const fields = { id: int32({ from: 1, tag: 0, tagFrom: 2, default: -1 }) }
  assert.equal(encoded(fields, 0, false, {}), '')
  assert.equal(encoded(fields, 1, true, { id: 5 }), '0000000500')
  assert.equal(encoded(fields, 2, true, { id: 5 }), '01000400000005')
})

test('unknown tagged fields are passed over; disorder, repetition and false sizes are not', () => {
  const fields = { id: int32({ tag: 1, default: -1 }) }
  assert.deepEqual(decoded(fields, 0, true, '03000201020104000000070900'), { id: 7 })
  const wrong = ['0201040000000701040000000800', '02010400000007000100', '01010500000007ff', '010103000007', '41']
  for (const hex of wrong) assert.throws(() => decoded(fields, 0, true, hex), { code: 'malformed' }, hex)
})

test('no two decoded messages share a default', () => {
  const fields = { list: array(int8(), { from: 1 }), inner: struct({ list: array(int8()) }, { tag: 0 }) }
  const [left, right] = [decoded(fields, 0, true, '00'), decoded(fields, 0, true, '00')]
  assert.deepEqual(left, { list: [], inner: { list: [] } })
  assert.notEqual(left.list, right.list)
  assert.notEqual((left.inner as { list: [] }).list, (right.inner as { list: [] }).list)
})

test('what a version cannot say is refused by name, unless it may be dropped', () => {
  const fields = { old: int8({ to: 0 }), now: int8({ from: 1, ignorable: true }), text: string({ nullable: 1 }) }
  assert.equal(encoded(fields, 0, false, { old: 1, now: 2, text: '' }), '010000')
  assert.throws(() => encoded(fields, 1, false, { old: 1 }), { code: 'unsupported', message: /\bold\b.* version 1/ })
  assert.throws(() => encoded(fields, 0, false, { text: null }), { code: 'unsupported', message: /\btext\b/ })
  assert.throws(() => encoded({ id: uuid() }, 0, false, { id: 'not-a-uuid' }), { code: 'malformed' })
  assert.throws(() => encoded(fields, 0, false, { text: 'x'.repeat(0x8000) }), { code: 'too-large' })
})

test('a string longer than Kafka allows is refused in the compact form too', () => {
  const hex = `818002${'61'.repeat(0x8000)}00`
  assert.throws(() => decoded({ text: string() }, 0, true, hex), { code: 'malformed' })
})

test('a count is checked against the fewest bytes that its items take', () => {
  const items = array({ id: uuid(), name: string(), nodes: array(int32()), extra: int64({ tag: 0 }) })
  assert.equal(bytesMinOf(items.item!, 0, true), 16 + 1 + 1 + 1)
  assert.equal(bytesMinOf(items.item!, 0, false), 16 + 2 + 4 + 8)
  const claim = `03${'00'.repeat(2 * 19 - 1)}`
  assert.throws(() => decoded({ items }, 0, true, claim), { code: 'malformed', message: /Array of 2 items/ })
})

test('every item of every array takes at least one byte, so that a count never outgrows its frame', () => {
  const arraysOf = (field: Field): Field[] => {
    const inner = field.item ? [field.item] : Object.values(field.struct ?? {})
    return [...(field.type === 'array' ? [field] : []), ...inner.flatMap(arraysOf)]
  }
  for (const api of apis) {
    for (let version = api.versions[0]; version <= api.versions[1]; version += 1) {
      const present = ({ options }: Field) => version >= (options.from ?? 0) && version <= (options.to ?? version)
      const fields = [...Object.values(api.request), ...Object.values(api.response)].filter(present)
      for (const { item } of fields.flatMap(arraysOf)) {
        assert.ok(bytesMinOf(item!, version, isFlexible(api, version)) >= 1, `${api.name} v${version}`)
      }
    }
  }
})
