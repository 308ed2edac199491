import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Reader } from './reader.ts'
import { uvarintBytes, varintBytes, varlongBytes } from './varint-size.ts'
import { Writer } from './writer.ts'

interface Piece {
  write(writer: Writer): void
  check(reader: Reader): void
}

function pieces<T>(
  values: fc.Arbitrary<T>,
  write: (writer: Writer, value: T) => void,
  read: (reader: Reader, value: T) => unknown,
): fc.Arbitrary<Piece> {
  return values.map((value) => ({
    write: (writer: Writer) => write(writer, value),
    check: (reader: Reader) => assert.deepEqual(read(reader, value), value),
  }))
}

const safeIntegers = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.constantFrom(0, -1, 2 ** 48, -(2 ** 48), 2 ** 51, -(2 ** 51), 2 ** 53 - 1, -(2 ** 53) + 1),
)
const bytes = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 4090, maxLength: 4110 }))

const anyPiece: fc.Arbitrary<Piece> = fc.oneof(
  pieces(
    fc.integer({ min: -128, max: 127 }),
    (w, v) => w.int8(v),
    (r) => r.int8(),
  ),
  pieces(
    fc.nat(255),
    (w, v) => w.uint8(v),
    (r) => r.uint8(),
  ),
  pieces(
    fc.integer({ min: -32768, max: 32767 }),
    (w, v) => w.int16(v),
    (r) => r.int16(),
  ),
  pieces(
    fc.nat(65535),
    (w, v) => w.uint16(v),
    (r) => r.uint16(),
  ),
  pieces(
    fc.integer(),
    (w, v) => w.int32(v),
    (r) => r.int32(),
  ),
  pieces(
    fc.nat(2 ** 32 - 1),
    (w, v) => w.uint32(v),
    (r) => r.uint32(),
  ),
  pieces(
    safeIntegers,
    (w, v) => w.int64(v),
    (r) => r.int64(),
  ),
  pieces(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    (w, v) => w.int64Bits(v),
    (r) => r.int64Bits(),
  ),
  pieces(
    fc.double(),
    (w, v) => w.float64(v),
    (r) => r.float64(),
  ),
  pieces(
    fc.nat(2 ** 32 - 1),
    (w, v) => w.uvarint(v),
    (r) => r.uvarint(),
  ),
  pieces(
    fc.integer(),
    (w, v) => w.varint(v),
    (r) => r.varint(),
  ),
  pieces(
    safeIntegers,
    (w, v) => w.varlong(v),
    (r) => r.varlong(),
  ),
  pieces(
    bytes,
    (w, v) => w.raw(v),
    (r, v) => new Uint8Array(r.view(v.length)),
  ),
  pieces(
    fc.string({ unit: 'grapheme' }),
    (w, v) => w.utf8(v),
    (r, v) => r.utf8(Buffer.byteLength(v)),
  ),
)

test('what is written in any order is read back, in chunks and in one piece', () => {
  fc.assert(
    fc.property(fc.array(anyPiece, { maxLength: 40 }), fc.integer({ min: 1, max: 300 }), (all, initialBytes) => {
      const writer = new Writer(initialBytes)
      for (const piece of all) piece.write(writer)
      const length = writer.length
      const chunks = writer.chunks()
      const whole = writer.toBuffer()
      assert.equal(whole.length, length)
      assert.deepEqual(Buffer.concat(chunks), whole)
      const reader = new Reader(whole)
      for (const piece of all) piece.check(reader)
      assert.equal(reader.remaining, 0)
    }),
    { numRuns: 300 },
  )
})

test('writing goes on after the chunks were taken', () => {
  const writer = new Writer(8)
  writer.int32(0)
  writer.chunks()
  writer.raw(Buffer.alloc(5000, 1))
  writer.int64(7)
  writer.patchFirst32(writer.length - 4)
  assert.equal(writer.toBuffer().readInt32BE(0), 5008)
  assert.equal(writer.length, 5012)
})

test('sizes of varints are what the writer writes', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), fc.integer(), safeIntegers, (unsigned, signed, long) => {
      const sizes = [0, 0, 0].map(() => new Writer())
      sizes[0]!.uvarint(unsigned)
      sizes[1]!.varint(signed)
      sizes[2]!.varlong(long)
      assert.deepEqual(
        [uvarintBytes(unsigned), varintBytes(signed), varlongBytes(long)],
        sizes.map((w) => w.length),
      )
    }),
  )
})

test('what cannot be read back exactly is refused', () => {
  assert.throws(() => new Writer().int64(2 ** 53), { code: 'malformed' })
  assert.throws(() => new Writer().varlong(1.5), { code: 'malformed' })
})
