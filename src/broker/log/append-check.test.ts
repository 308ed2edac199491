import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type BatchOptions, buildBatch } from '../../records/build.ts'
import { decodeBatch } from '../../records/decode.ts'
import * as header from '../../records/header.ts'
import { checkBatch } from './append-check.ts'
import { RecordWalk } from './record-walk.ts'
import { batchOf, recordOf, startMs, testConfig } from './test-world.ts'
import type { LogConfig } from './types.ts'

const decompressedBytesMax = 1 << 24

function withCrc(batch: Buffer): Buffer {
  batch.writeUInt32BE(header.computeCrc(batch, 0, batch.length), header.crcAt)
  return batch
}

function changed(change: (batch: Buffer) => void, options: BatchOptions = {}): Buffer {
  const batch = batchOf(['one', 'two'], options)
  change(batch)
  return withCrc(batch)
}

function judge(batch: Buffer, config: Partial<LogConfig> = {}): string {
  return checkBatch(batch, { ...testConfig, ...config }, startMs)?.error ?? 'taken'
}

const hour = 3_600_000
const cases: [what: string, batch: () => Buffer, expected: string, config?: Partial<LogConfig>][] = [
  ['a right batch', () => batchOf(['one', 'two']), 'taken'],
  ['nothing', () => Buffer.alloc(0), 'INVALID_RECORD'],
  ['a cut batch', () => batchOf(['one']).subarray(0, -1), 'INVALID_RECORD'],
  ['two batches', () => Buffer.concat([batchOf(['one']), batchOf(['two'])]), 'INVALID_RECORD'],
  ['format 1', () => changed((batch) => batch.writeInt8(1, header.magicAt)), 'INVALID_RECORD'],
  ['format 3', () => changed((batch) => batch.writeInt8(3, header.magicAt)), 'INVALID_RECORD'],
  ['base offset 5', () => batchOf(['one'], { baseOffset: 5 }), 'INVALID_RECORD'],
  ['a wrong CRC', () => batchOf(['one']).fill(9, header.headerBytes), 'CORRUPT_MESSAGE'],
  ['too large for the topic', () => batchOf(['x'.repeat(1000)]), 'MESSAGE_TOO_LARGE', { messageBytesMax: 1000 }],
  ['exactly as large as allowed', () => batchOf(['x'.repeat(100)]), 'taken', { messageBytesMax: 170 }],
  ['too large for a segment', () => batchOf(['x'.repeat(1000)]), 'RECORD_LIST_TOO_LARGE', { segmentBytes: 1000 }],
  [
    'fewer records than offsets',
    () => changed((batch) => batch.writeInt32BE(2, header.lastOffsetDeltaAt)),
    'INVALID_RECORD',
  ],
  [
    'a negative last delta',
    () => changed((batch) => batch.writeInt32BE(-1, header.lastOffsetDeltaAt)),
    'INVALID_RECORD',
  ],
  ['no records', () => buildBatch([]), 'INVALID_RECORD'],
  ['a control batch', () => batchOf(['one'], { isControl: true }), 'INVALID_RECORD'],
  ['a producer without sequence', () => batchOf(['one'], { producerId: 4n, producerEpoch: 0 }), 'INVALID_RECORD'],
  ['a negative producer without sequence', () => batchOf(['one'], { producerId: -5n, producerEpoch: 0 }), 'taken'],
  ['a transaction', () => batchOf(['one'], { isTransactional: true }), 'INVALID_TXN_STATE'],
  ['codec 5', () => changed((batch) => batch.writeInt16BE(5, header.attributesAt)), 'INVALID_RECORD'],
  [
    'a delete horizon and unknown bits',
    () => changed((batch) => batch.writeInt16BE(0x4040, header.attributesAt)),
    'taken',
  ],
  ['no timestamp', () => batchOf(['one'], { timestampMs: -1 }), 'taken'],
  ['ten years old', () => batchOf(['one'], { timestampMs: startMs - 87_600 * hour }), 'taken'],
  [
    'older than allowed',
    () => batchOf(['one'], { timestampMs: 5 }),
    'INVALID_TIMESTAMP',
    { timestampBeforeMaxMs: hour },
  ],
  ['two hours ahead', () => batchOf(['one'], { timestampMs: startMs + 2 * hour }), 'INVALID_TIMESTAMP'],
  ['ahead without a limit', () => batchOf(['one'], { timestampMs: 1e15 }), 'taken', { timestampAfterMaxMs: -1 }],
  [
    'ahead, but it gets stamped',
    () => batchOf(['one'], { timestampMs: 1e15 }),
    'taken',
    { timestampType: 'LogAppendTime' },
  ],
  [
    'stamped by the client',
    () => batchOf(['one'], { logAppendTimeMs: 5 }),
    'INVALID_TIMESTAMP',
    { timestampType: 'LogAppendTime' },
  ],
  ['records that are no records', () => changed((batch) => batch.fill(0x7f, header.headerBytes)), 'INVALID_RECORD'],
  [
    'a compressed batch that is none',
    () => changed((batch) => batch.writeInt16BE(4, header.attributesAt)),
    'INVALID_RECORD',
  ],
]

for (const [what, batch, expected, config] of cases) {
  test(`append check: ${what}: ${expected}`, () => assert.equal(judge(batch(), config), expected))
}

test('append check: uncompressed offset deltas are not looked at, compressed ones are', () => {
  const records = [recordOf('one'), { ...recordOf('two'), offset: 2 }]
  for (const codec of header.codecs) {
    const batch = buildBatch(records, { codec })
    batch.writeInt32BE(1, header.lastOffsetDeltaAt)
    assert.equal(judge(withCrc(batch)), codec === 'none' ? 'taken' : 'INVALID_RECORD', codec)
  }
})

test('append check: a compressed batch holds exactly the records that it says', () => {
  for (const codec of header.codecs) {
    for (const count of [1, 3]) {
      const batch = batchOf(['one', 'two'], { codec })
      batch.writeInt32BE(count, header.recordCountAt)
      batch.writeInt32BE(count - 1, header.lastOffsetDeltaAt)
      assert.equal(judge(withCrc(batch)), 'INVALID_RECORD', `${codec} ${count}`)
    }
  }
})

test('append check: a wrong largest timestamp is corrected, with its CRC', () => {
  for (const codec of header.codecs) {
    const batch = buildBatch([recordOf('one', startMs + 5), recordOf('two', startMs)], { codec })
    const right = Buffer.from(batch)
    batch.writeBigInt64BE(77n, header.maxTimestampAt)
    assert.equal(judge(withCrc(batch)), 'taken')
    assert.deepEqual(batch, right)
  }
})

test('append check: a topic that stamps sets time, bit and CRC; one that does not takes the bit away', () => {
  const batch = batchOf(['one', 'two'])
  assert.equal(judge(batch, { timestampType: 'LogAppendTime' }), 'taken')
  const records = decodeBatch(batch, 0, { decompressedBytesMax, checkCrc: true })
  assert.deepEqual(
    records.map(({ timestampMs }) => timestampMs),
    [startMs, startMs],
  )
  assert.ok(header.isLogAppendTime(batch, 0))
  const stamped = batchOf(['one'], { timestampMs: 3, logAppendTimeMs: 9 })
  assert.equal(judge(stamped), 'taken')
  assert.ok(!header.isLogAppendTime(stamped, 0))
  assert.equal(header.maxTimestamp(stamped, 0), 9)
  assert.equal(header.computeCrc(stamped, 0, stamped.length), header.crc(stamped, 0))
})

test('append check: every record with a timestamp out of range is named', () => {
  const late = startMs + 2 * hour
  const batch = buildBatch([recordOf('a', late), recordOf('b'), recordOf('c', late)])
  const refused = checkBatch(batch, testConfig, startMs)
  assert.deepEqual(
    refused?.recordErrors?.map(({ batchIndex }) => batchIndex),
    [0, 2],
  )
})

test('append check: any bytes are judged without a throw, and what is taken can be decoded', () => {
  const runs = Number(process.env.LINKSPAN_PROPERTY_RUNS ?? 300)
  fc.assert(
    fc.property(
      fc.array(fc.string(), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(...header.codecs),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
      (values, codec, edits) => {
        const batch = batchOf(values, { codec })
        for (const [at, byte] of edits) batch[header.attributesAt + (at % (batch.length - header.attributesAt))] = byte
        if (judge(withCrc(batch)) !== 'taken') return
        assert.equal(
          decodeBatch(batch, 0, { decompressedBytesMax, checkCrc: true }).length,
          header.recordCount(batch, 0),
        )
      },
    ),
    { numRuns: runs },
  )
})

test('record walk: agrees with the decoder on every record', () => {
  const timestamp = fc.oneof(fc.integer({ min: -1, max: 2 ** 45 }), fc.constantFrom(-1, 0, startMs))
  const bytes = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null })
  const record = fc.record({
    timestampMs: timestamp,
    key: bytes,
    value: bytes,
    headers: fc.array(fc.tuple(fc.string(), bytes), { maxLength: 3 }),
  })
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
      const batch = buildBatch(records)
      const walk = new RecordWalk()
      const isRight = walk.run(batch, header.headerBytes, batch.length, {
        count: records.length,
        baseTimestampMs: header.baseTimestamp(batch, 0),
        stampMs: undefined,
        timestampMinMs: -Infinity,
        timestampMaxMs: Infinity,
        areDeltasChecked: true,
      })
      assert.ok(isRight, walk.problem)
      assert.equal(walk.maxTimestampMs, Math.max(...records.map(({ timestampMs }) => timestampMs)))
    }),
    { numRuns: 100 },
  )
})
