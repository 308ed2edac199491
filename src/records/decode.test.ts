import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLinkspanError } from '../base/errors.ts'
import { buildBatch, type NewRecord } from './build.ts'
import { type DecodedRecord, decodeBatch, decodePayload } from './decode.ts'
import * as header from './header.ts'

const decompressedBytesMax = 1 << 20
const options = { decompressedBytesMax, checkCrc: true }

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc.nat(5000).map((length) => new Uint8Array(length).fill(7)),
)
const maybeBytes = fc.option(bytes)
const timestamps = fc.oneof(
  fc.constant(-1),
  fc.nat(2 ** 42),
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
)
const newRecord = fc.record({
  skip: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(1000) }),
  timestampMs: timestamps,
  key: maybeBytes,
  value: maybeBytes,
  headers: fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 8 }), maybeBytes), { maxLength: 3 }),
})
const newRecords = fc
  .tuple(
    fc.maxSafeInteger().map((value) => Math.floor(Math.abs(value) / 2)),
    fc.array(newRecord, { maxLength: 20 }),
  )
  .map(([baseOffset, records]) => {
    let offset = baseOffset
    return {
      baseOffset,
      records: records.map(({ skip, ...record }) => {
        offset += skip + 1
        return { ...record, offset: offset - 1 } satisfies NewRecord
      }),
    }
  })

function plain(records: readonly NewRecord[] | DecodedRecord[]): unknown {
  const hex = (value: Uint8Array | null) => value && Buffer.from(value).toString('hex')
  return records.map(({ offset, timestampMs, key, value, headers }) => {
    const pairs = headers?.map(([name, content]) => [name, hex(content)])
    return { offset, timestampMs, key: hex(key), value: hex(value), headers: pairs }
  })
}

test('records survive building and decoding with every codec', () => {
  fc.assert(
    fc.property(newRecords, fc.constantFrom(...header.codecs), ({ baseOffset, records }, codec) => {
      const batch = buildBatch(records, { baseOffset, codec })
      assert.deepEqual(plain(decodeBatch(batch, 0, options)), plain(records))
      assert.equal(header.batchLength(batch, 0), batch.length)
      assert.equal(header.recordCount(batch, 0), records.length)
      assert.equal(header.lastOffset(batch, 0), records.at(-1)?.offset ?? baseOffset)
      assert.equal(header.maxTimestamp(batch, 0), Math.max(-1, ...records.map(({ timestampMs }) => timestampMs)))
    }),
    { numRuns: 300 },
  )
})

test('a batch decodes the same anywhere in a buffer', () => {
  const batch = buildBatch([{ timestampMs: 3, key: null, value: Buffer.from('v') }], { codec: 'lz4', baseOffset: 9 })
  const shifted = Buffer.concat([Buffer.alloc(13), batch, Buffer.alloc(9, 0xff)])
  assert.deepEqual(plain(decodeBatch(shifted, 13, options)), plain(decodeBatch(batch, 0, options)))
})

test('the header holds what was asked for', () => {
  const batch = buildBatch([{ timestampMs: 3, key: null, value: null }], {
    baseOffset: 2 ** 40,
    lastOffset: 2 ** 40 + 5,
    leaderEpoch: 8,
    codec: 'zstd',
    producerId: 2n ** 62n + 1n,
    producerEpoch: 4,
    baseSequence: 2 ** 31 - 1,
    isTransactional: true,
  })
  assert.equal(header.baseOffset(batch, 0), 2 ** 40)
  assert.equal(header.lastOffsetDelta(batch, 0), 5)
  assert.equal(header.leaderEpoch(batch, 0), 8)
  assert.equal(header.magic(batch, 0), 2)
  assert.equal(header.codec(batch, 0), 4)
  assert.equal(header.producerId(batch, 0), 2n ** 62n + 1n)
  assert.equal(header.producerEpoch(batch, 0), 4)
  assert.equal(header.baseSequence(batch, 0), 2 ** 31 - 1)
  const flags = [header.isTransactional, header.isControl, header.isLogAppendTime, header.hasDeleteHorizon]
  assert.deepEqual(
    flags.map((flag) => flag(batch, 0)),
    [true, false, false, false],
  )
})

test('timestamps below the first one, and none at all, come back', () => {
  const records = [5000, 1, -1, 2 ** 43].map((timestampMs) => ({ timestampMs, key: null, value: null }))
  const decoded = decodeBatch(buildBatch(records), 0, options)
  assert.deepEqual(
    decoded.map(({ timestampMs }) => timestampMs),
    [5000, 1, -1, 2 ** 43],
  )
})

test('a stamped batch gives every record the time of appending', () => {
  const records = [10, 20].map((timestampMs) => ({ timestampMs, key: null, value: null }))
  const batch = buildBatch(records, { logAppendTimeMs: 777 })
  assert.deepEqual(
    decodeBatch(batch, 0, options).map(({ timestampMs }) => timestampMs),
    [777, 777],
  )
  assert.equal(header.baseTimestamp(batch, 0), 10)
})

test('a delete horizon changes no timestamp', () => {
  const records = [10, 20].map((timestampMs) => ({ timestampMs, key: null, value: null }))
  const batch = buildBatch(records, { deleteHorizonMs: 1_700_000_000_000 })
  assert.deepEqual(
    decodeBatch(batch, 0, options).map(({ timestampMs }) => timestampMs),
    [10, 20],
  )
  assert.equal(header.baseTimestamp(batch, 0), 1_700_000_000_000)
  assert.equal(header.hasDeleteHorizon(batch, 0), true)
})

test('timestamps that a number cannot hold are rounded, not refused', () => {
  const batch = buildBatch([{ timestampMs: 0, key: null, value: Buffer.from('x') }])
  batch.writeBigInt64BE(1_700_000_000_000_000_001n, header.baseTimestampAt) // nanoseconds, a common mistake
  const [record] = decodeBatch(batch, 0, { decompressedBytesMax })
  assert.equal(record?.timestampMs, 1_700_000_000_000_000_000)
})

test('more than the limit is refused before it is held, whatever the codec', () => {
  const records = [{ timestampMs: 0, key: null, value: Buffer.alloc(300_000) }]
  for (const codec of header.codecs) {
    const batch = buildBatch(records, { codec })
    const size = decodePayload(batch, 0, options).length
    assert.throws(() => decodeBatch(batch, 0, { decompressedBytesMax: size - 1 }), { code: 'too-large' }, codec)
    assert.equal(decodeBatch(batch, 0, { decompressedBytesMax: size }).length, 1, codec)
  }
})

test('a wrong CRC is found on request', () => {
  const batch = buildBatch([{ timestampMs: 0, key: null, value: Buffer.from('abc') }], { baseOffset: 12 })
  batch[batch.length - 2]! ^= 1
  assert.throws(() => decodeBatch(batch, 0, options), { code: 'corrupt', message: /offset 12/ })
  assert.equal(decodeBatch(batch, 0, { decompressedBytesMax }).length, 1)
})

test('old formats and unknown codecs are refused by name', () => {
  const batch = buildBatch([{ timestampMs: 0, key: null, value: null }])
  batch.writeInt16BE(7, header.attributesAt)
  assert.throws(() => decodeBatch(batch, 0, { decompressedBytesMax }), { code: 'unsupported', message: /codec/ })
  batch.writeInt8(1, header.magicAt)
  assert.throws(() => decodeBatch(batch, 0, { decompressedBytesMax }), { code: 'unsupported', message: /format 1/ })
})

test('fewer or more records than the count says are refused', () => {
  const records = [1, 2].map((timestampMs) => ({ timestampMs, key: null, value: null }))
  for (const count of [1, 3, -1, 2 ** 31 - 1]) {
    const batch = buildBatch(records)
    batch.writeInt32BE(count, header.recordCountAt)
    assert.throws(() => decodeBatch(batch, 0, { decompressedBytesMax }), { code: 'malformed' }, `${count}`)
  }
})

test('an emptied batch has no records', () => {
  for (const codec of header.codecs) {
    const batch = buildBatch([], { baseOffset: 5, lastOffset: 9, codec })
    assert.equal(batch.length, header.headerBytes)
    assert.deepEqual(decodeBatch(batch, 0, options), [])
  }
})

test('a batch that nobody can store is not built', () => {
  const record = { timestampMs: 0, key: null, value: null }
  assert.throws(
    () =>
      buildBatch([
        { ...record, offset: 5 },
        { ...record, offset: 5 },
      ]),
    { code: 'invalid-request' },
  )
  assert.throws(() => buildBatch([record, record], { lastOffset: 0 }), { code: 'invalid-request' })
})

test('whatever the bytes, decoding ends in records or in one of its errors', () => {
  const damages = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(newRecords, fc.constantFrom(...header.codecs), damages, fc.nat(), (built, codec, bad, cut) => {
      const batch = buildBatch(built.records, { baseOffset: built.baseOffset, codec })
      for (const [at, byte] of bad) batch[at % batch.length] = byte
      try {
        decodeBatch(Buffer.from(batch.subarray(0, batch.length - (cut % 4))), 0, { decompressedBytesMax })
      } catch (error) {
        assert.ok(isLinkspanError(error, 'malformed', 'too-large', 'unsupported'), String(error))
      }
    }),
    { numRuns: 1000 },
  )
})
