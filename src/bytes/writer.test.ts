import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

const safeInteger = fc.maxSafeInteger()

const value = fc.oneof(
  fc.record({ type: fc.constant('int8' as const), value: fc.integer({ min: -0x80, max: 0x7f }) }),
  fc.record({ type: fc.constant('uint8' as const), value: fc.integer({ min: 0, max: 0xff }) }),
  fc.record({ type: fc.constant('int16' as const), value: fc.integer({ min: -0x8000, max: 0x7fff }) }),
  fc.record({ type: fc.constant('uint16' as const), value: fc.integer({ min: 0, max: 0xffff }) }),
  fc.record({ type: fc.constant('int32' as const), value: fc.integer() }),
  fc.record({ type: fc.constant('uint32' as const), value: fc.integer({ min: 0, max: 0xffffffff }) }),
  fc.record({ type: fc.constant('int64' as const), value: safeInteger }),
  fc.record({ type: fc.constant('uvarint' as const), value: fc.integer({ min: 0, max: 0xffffffff }) }),
  fc.record({ type: fc.constant('varint' as const), value: fc.integer() }),
  fc.record({ type: fc.constant('varlong' as const), value: safeInteger }),
  fc.record({ type: fc.constant('float64' as const), value: fc.double({ noNaN: true }) }),
  fc.record({ type: fc.constant('int64Bits' as const), value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }),
  fc.record({ type: fc.constant('utf8' as const), value: fc.string({ unit: 'grapheme', maxLength: 300 }) }),
  fc.record({ type: fc.constant('raw' as const), value: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({ type: fc.constant('raw' as const), value: fc.constantFrom(4095, 4096, 9000).map(filled) }),
)

function filled(length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => index % 251)
}

test('what is written is read back, however often the buffer had to grow', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 200 }), fc.integer({ min: 1, max: 64 }), (values, initialBytes) => {
      const writer = new Writer(initialBytes)
      for (const one of values) (writer[one.type] as (value: unknown) => void).call(writer, one.value)
      const { length } = writer
      const bytes = writer.toBuffer()
      assert.equal(bytes.length, length)
      const reader = new Reader(bytes)
      for (const one of values) {
        if (one.type === 'utf8') assert.equal(reader.utf8(Buffer.byteLength(one.value)), one.value)
        else if (one.type === 'raw') assert.deepEqual([...reader.view(one.value.length)], [...one.value])
        else assert.equal(reader[one.type](), one.value)
      }
      assert.equal(reader.remaining, 0)
    }),
  )
})

test('a number that does not fit is refused, never cut', () => {
  const wrong: [keyof Writer, unknown][] = [
    ['int8', 0x80],
    ['uint8', -1],
    ['int16', 0x8000],
    ['uint16', 0x10000],
    ['int32', 2 ** 31],
    ['int32', 1.5],
    ['int32', undefined],
    ['uint32', -1],
    ['int64', 2 ** 53],
    ['int64Bits', 2n ** 63n],
    ['uvarint', 2 ** 32],
    ['uvarint', -1],
  ]
  for (const [type, given] of wrong) {
    const writer = new Writer()
    assert.throws(() => (writer[type] as (value: unknown) => void).call(writer, given), { code: 'malformed' }, type)
  }
})

test('the size in front is patched, whether or not a large view split the message', () => {
  for (const size of [10, 5000]) {
    const writer = new Writer(4)
    writer.int32(0)
    writer.raw(filled(size))
    writer.int16(7)
    writer.patchFirst32(size + 2)
    assert.equal(writer.toBuffer().readInt32BE(0), size + 2)
  }
})
