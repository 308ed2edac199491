import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  attributes,
  baseOffset,
  baseSequence,
  computeCrc,
  crc,
  crcAt,
  headerBytes,
  leaderEpoch,
  producerEpoch,
  producerId,
} from './header.ts'
import { type ProducerFields, remapProducer, rewriteHeader } from './rewrite.ts'

const batches = fc
  .tuple(fc.uint8Array({ minLength: headerBytes, maxLength: 3000 }), fc.nat(9))
  .map(([random, at]) => batchOf(random, at))
const producers = fc.record<ProducerFields>({
  producerId: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }),
  producerEpoch: fc.integer({ min: -1, max: 32767 }),
  baseSequence: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  isTransactional: fc.boolean(),
})

function batchOf(random: Uint8Array, at: number): { bytes: Buffer; at: number; size: number } {
  const bytes = Buffer.alloc(at + random.length + 3, 0xaa)
  bytes.set(random, at)
  bytes.writeUInt32BE(computeCrc(bytes, at, random.length), at + crcAt)
  return { bytes, at, size: random.length }
}

test('a patched CRC is the CRC that a full computation gives', () => {
  fc.assert(
    fc.property(batches, producers, ({ bytes, at, size }, fields) => {
      const codecBits = attributes(bytes, at) & 7
      rewriteHeader(bytes, at, size, fields)
      assert.equal(crc(bytes, at), computeCrc(bytes, at, size))
      assert.equal(baseOffset(bytes, at), 0)
      assert.equal(leaderEpoch(bytes, at), -1)
      assert.equal(attributes(bytes, at), codecBits | (fields.isTransactional ? 16 : 0))
      assert.equal(producerId(bytes, at), fields.producerId)
      assert.equal(producerEpoch(bytes, at), fields.producerEpoch)
      assert.equal(baseSequence(bytes, at), fields.baseSequence)
    }),
  )
})

test('only the header of the batch is written', () => {
  fc.assert(
    fc.property(batches, producers, ({ bytes, at, size }, fields) => {
      const untouched = Buffer.from(bytes)
      rewriteHeader(bytes, at, size, fields)
      assert.deepEqual(bytes.subarray(0, at), untouched.subarray(0, at))
      assert.deepEqual(bytes.subarray(at + headerBytes), untouched.subarray(at + headerBytes))
    }),
  )
})

test('a corrupt batch stays corrupt', () => {
  fc.assert(
    fc.property(batches, producers, fc.nat(), fc.integer({ min: 1, max: 255 }), (batch, fields, where, flip) => {
      const { bytes, at, size } = batch
      fc.pre(size > headerBytes)
      bytes[at + headerBytes + (where % (size - headerBytes))]! ^= flip
      rewriteHeader(bytes, at, size, fields)
      assert.notEqual(crc(bytes, at), computeCrc(bytes, at, size))
    }),
  )
})

test('the size of the records does not matter to the patch, up to the largest batches', () => {
  for (const size of [61, 62, 316, 317, 65_596, 65_597, 1_048_576, 16_777_277, 33_554_495]) {
    const { bytes, at } = batchOf(Buffer.alloc(size, 0x5b), 0)
    rewriteHeader(bytes, at, size, { producerId: 2n ** 62n + 7n, producerEpoch: 0, baseSequence: 41 })
    assert.equal(crc(bytes, at), computeCrc(bytes, at, size), `${size} bytes`)
  }
})

test('a remapped batch keeps its offset, epoch and flags', () => {
  fc.assert(
    fc.property(batches, producers, ({ bytes, at, size }, fields) => {
      const kept = [baseOffset(bytes, at), leaderEpoch(bytes, at), attributes(bytes, at)]
      remapProducer(bytes, at, size, fields)
      assert.deepEqual([baseOffset(bytes, at), leaderEpoch(bytes, at), attributes(bytes, at)], kept)
      assert.equal(producerId(bytes, at), fields.producerId)
      assert.equal(crc(bytes, at), computeCrc(bytes, at, size))
    }),
  )
})
