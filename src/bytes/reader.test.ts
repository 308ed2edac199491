import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLinkspanError } from '../base/errors.ts'
import { Reader } from './reader.ts'

const reads: ((reader: Reader, count: number) => unknown)[] = [
  (reader) => reader.int8(),
  (reader) => reader.uint8(),
  (reader) => reader.int16(),
  (reader) => reader.uint16(),
  (reader) => reader.int32(),
  (reader) => reader.uint32(),
  (reader) => reader.int64(),
  (reader) => reader.int64Bits(),
  (reader) => reader.float64(),
  (reader) => reader.uvarint(),
  (reader) => reader.varint(),
  (reader) => reader.varlong(),
  (reader) => reader.varlongNearest(),
  (reader, count) => reader.view(count),
  (reader, count) => reader.utf8(count),
]

test('whatever the bytes, a read ends inside its window or in malformed', () => {
  const steps = fc.array(fc.tuple(fc.nat(reads.length - 1), fc.integer({ min: -5, max: 40 })), { maxLength: 20 })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), fc.nat(80), steps, (bytes, start, end, wanted) => {
      const reader = new Reader(bytes, Math.min(start, bytes.length), end)
      for (const [index, count] of wanted) {
        const from = reader.offset
        try {
          reads[index]!(reader, count)
          assert.ok(reader.offset <= Math.min(end, bytes.length) || reader.offset === from)
        } catch (error) {
          assert.ok(isLinkspanError(error, 'malformed'), String(error))
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('integers beyond what a number holds are refused, not rounded', () => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(2n ** 53n)
  assert.throws(() => new Reader(bytes).int64(), { code: 'malformed' })
  bytes.writeBigInt64BE(-(2n ** 53n) + 1n)
  assert.equal(new Reader(bytes).int64(), Number.MIN_SAFE_INTEGER)
  bytes.writeBigInt64BE(-(2n ** 63n))
  assert.equal(new Reader(bytes).int64Bits(), -(2n ** 63n))
})

test('a varint that never ends, or ends beyond its bits, is refused', () => {
  const endless = Buffer.alloc(20, 0xff)
  for (const read of [
    (reader: Reader) => reader.uvarint(),
    (reader: Reader) => reader.varint(),
    (reader: Reader) => reader.varlong(),
    (reader: Reader) => reader.varlongNearest(),
  ]) {
    assert.throws(() => read(new Reader(endless)), { code: 'malformed' })
  }
  assert.equal(new Reader(Buffer.from('ffffffff0f', 'hex')).uvarint(), 2 ** 32 - 1)
  assert.throws(() => new Reader(Buffer.from('8080808010', 'hex')).uvarint(), { code: 'malformed' })
  assert.throws(() => new Reader(Buffer.from('ffffffffffffffffff02', 'hex')).varlongNearest(), { code: 'malformed' })
})

test('a 64-bit varint at the ends of its range reads as the nearest number on request', () => {
  const lowest = Buffer.from('ffffffffffffffffff01', 'hex')
  assert.equal(new Reader(lowest).varlongNearest(), -(2 ** 63))
  assert.throws(() => new Reader(lowest).varlong(), { code: 'malformed' })
})
