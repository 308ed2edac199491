import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BatchOptions, buildBatch } from './build.ts'
import { sameContent } from './content.ts'
import * as header from './header.ts'
import { rewriteHeader } from './rewrite.ts'

const records = [10, 12].map((timestampMs) => ({ timestampMs, key: Buffer.from('k'), value: Buffer.from('value') }))

function build(options: BatchOptions = {}, changed = records): Buffer {
  return buildBatch(changed, { baseOffset: 70, leaderEpoch: 3, producerId: 9n, baseSequence: 4, ...options })
}

test('a batch is the same after it was rewritten and stored elsewhere', () => {
  const source = Buffer.concat([Buffer.alloc(5), build({ isTransactional: true, codec: 'zstd', deleteHorizonMs: 4 })])
  const mirror = Buffer.from(source.subarray(5))
  rewriteHeader(mirror, 0, mirror.length, { producerId: 2n ** 62n, producerEpoch: 0, baseSequence: 70 })
  mirror.writeInt32BE(1234, header.baseOffsetAt + 4)
  assert.equal(sameContent(source, 5, mirror, 0), true)
  assert.equal(sameContent(mirror, 0, source, 5), true)
})

test('every difference that a consumer could see is found', () => {
  const others: Record<string, Buffer> = {
    codec: build({ codec: 'gzip' }),
    'last offset': build({ lastOffset: 72 }),
    count: build({ lastOffset: 71 }, records.slice(0, 1)),
    'first timestamp': build({}, [{ ...records[0]!, timestampMs: 11 }, records[1]!]),
    'last timestamp': build({}, [records[0]!, { ...records[1]!, timestampMs: 13 }]),
    value: build({}, [records[0]!, { ...records[1]!, value: Buffer.from('vAlue') }]),
    length: build({}, [records[0]!, { ...records[1]!, value: Buffer.from('values') }]),
    'kind of timestamp': build({ logAppendTimeMs: 12 }),
    'being a marker': build({ isControl: true }),
  }
  const batch = build()
  assert.equal(sameContent(batch, 0, build({ baseOffset: 1 }), 0), true)
  for (const [name, other] of Object.entries(others)) assert.equal(sameContent(batch, 0, other, 0), false, name)
})

test('markers are the same when they decide the same, whenever and whoever wrote them', () => {
  const marker = (type: number, coordinatorEpoch: number, timestampMs: number) => {
    const value = Buffer.from([0, 0, 0, 0, 0, coordinatorEpoch])
    return build({ isControl: true }, [{ timestampMs, key: Buffer.from([0, 0, 0, type]), value }])
  }
  assert.equal(sameContent(marker(1, 2, 50), 0, marker(1, 9, 60), 0), true)
  assert.equal(sameContent(marker(1, 2, 50), 0, marker(0, 2, 50), 0), false)
})
