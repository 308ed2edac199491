import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BatchOptions, buildBatch } from './build.ts'
import * as header from './header.ts'
import { judgeBatch, unplainReasons } from './judge.ts'
import { markerType } from './marker.ts'

const record = { timestampMs: 5, key: Buffer.from('k'), value: null }

function judge(options: BatchOptions, records = [record, record]): string | undefined {
  return judgeBatch(buildBatch(records, { baseOffset: 40, ...options }), 0)
}

test('plain batches of every codec have no reason against them', () => {
  for (const codec of header.codecs) assert.equal(judge({ codec }), undefined)
  assert.equal(judge({ producerId: 77n, producerEpoch: 1, baseSequence: 9 }), undefined)
})

test('a delete horizon alone is no reason', () => {
  assert.equal(judge({ deleteHorizonMs: 999 }), undefined)
})

test('every reason is found, and the shape comes before the transaction', () => {
  const control = { isControl: true, isTransactional: true }
  assert.equal(judge({ isTransactional: true }), 'transactional')
  assert.equal(judge({ logAppendTimeMs: 9 }), 'log-append-time')
  assert.equal(judge({ logAppendTimeMs: 9, isTransactional: true }), 'log-append-time')
  assert.equal(judge({ lastOffset: 42 }), 'hole')
  assert.equal(judge({ lastOffset: 42, isTransactional: true }), 'hole')
  assert.equal(judge({ lastOffset: 41 }, []), 'empty')
  assert.equal(judge({ lastOffset: 40, ...control }, []), 'empty')
  assert.equal(judge({ ...control, logAppendTimeMs: 9 }, [record]), 'control')
  const batch = buildBatch([record])
  batch.writeInt16BE(6, header.attributesAt)
  assert.equal(judgeBatch(batch, 0), 'unknown-codec')
  batch.writeInt8(1, header.magicAt)
  assert.equal(judgeBatch(batch, 0), 'old-format')
})

test('every reason has its sentence', () => {
  for (const sentence of Object.values(unplainReasons)) assert.match(sentence, /^The .+\.$/)
})

function marker(key: number[], options: BatchOptions = {}): Buffer {
  const value = Buffer.from([0, 0, 0, 0, 0, 3])
  return buildBatch([{ timestampMs: 7, key: Buffer.from(key), value }], {
    isControl: true,
    isTransactional: true,
    ...options,
  })
}

test('markers say what they decide', () => {
  assert.equal(markerType(marker([0, 0, 0, 0]), 0), 'abort')
  assert.equal(markerType(marker([0, 0, 0, 1]), 0), 'commit')
  assert.equal(markerType(marker([0, 0, 0, 2]), 0), undefined)
  assert.equal(markerType(marker([0, 1, 0, 1]), 0), undefined)
  assert.equal(markerType(marker([0, 0]), 0), undefined)
  assert.equal(markerType(marker([0, 0, 0, 1], { isControl: false }), 0), undefined)
  assert.equal(markerType(marker([0, 0, 0, 1], { deleteHorizonMs: 1_700_000_000_000 }), 0), 'commit')
})

test('a marker that is cut, or all continuation bits, is none', () => {
  const whole = marker([0, 0, 0, 1])
  for (let size = header.headerBytes; size < header.headerBytes + 9; size += 1) {
    const cut = whole.subarray(0, size)
    cut.writeInt32BE(size - header.prefixBytes, header.lengthAt)
    assert.equal(markerType(cut, 0), undefined)
  }
  const endless = marker([0, 0, 0, 1]).fill(0xff, header.headerBytes)
  assert.equal(markerType(endless, 0), undefined)
})
