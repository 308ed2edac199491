import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producers } from './producers.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts'

const id = 4n
const largest = 2 ** 31 - 1

interface Step {
  epoch?: number
  first: number
  count?: number
  /** `dup:N`: the batch that was appended at offset N. */
  gives: string
}

/** kafka-exact.md 3.2, executed there against Kafka; offsets start at 0 and count what was taken. */
const rules: Record<string, Step[]> = {
  'a producer that is not known may begin anywhere, in any epoch': [{ epoch: 9, first: 777, gives: 'append' }],
  'the next sequence is the last one plus one': [
    { first: 0, count: 3, gives: 'append' },
    { first: 3, gives: 'append' },
    { first: 5, gives: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
    { first: 4, gives: 'append' },
  ],
  'after the largest sequence comes 0': [
    { first: largest, gives: 'append' },
    { first: 0, gives: 'append' },
  ],
  'a batch may straddle the largest sequence, and its duplicate is recognised': [
    { first: largest - 1, count: 3, gives: 'append' },
    { first: largest - 1, count: 3, gives: 'dup:0' },
    { first: 1, gives: 'append' },
  ],
  'a higher epoch begins at 0': [
    { epoch: 0, first: 0, gives: 'append' },
    { epoch: 1, first: 1, gives: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
    { epoch: 1, first: 0, gives: 'append' },
    { epoch: 5, first: 0, gives: 'append' },
  ],
  'a lower epoch is refused, also with sequences that were seen': [
    { epoch: 1, first: 0, gives: 'append' },
    { epoch: 0, first: 0, gives: 'INVALID_PRODUCER_EPOCH' },
    { epoch: 0, first: 1, gives: 'INVALID_PRODUCER_EPOCH' },
  ],
  'the last five batches are recognised, the sixth is not': [
    ...Array.from({ length: 6 }, (_, index) => ({ first: index, gives: 'append' })),
    { first: 5, gives: 'dup:5' },
    { first: 1, gives: 'dup:1' },
    { first: 0, gives: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
  ],
  'a batch of other bounds is no duplicate': [
    { first: 0, count: 4, gives: 'append' },
    { first: 0, count: 3, gives: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
    { first: 2, count: 2, gives: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
    { first: 0, count: 4, gives: 'dup:0' },
  ],
  'a new epoch forgets the batches of the one before': [
    { epoch: 0, first: 0, gives: 'append' },
    { epoch: 1, first: 0, gives: 'append' },
    { epoch: 1, first: 0, gives: 'dup:1' },
    { epoch: 0, first: 0, gives: 'INVALID_PRODUCER_EPOCH' },
  ],
}

for (const [rule, steps] of Object.entries(rules)) {
  test(`producers: ${rule}`, () => {
    let producers = new Producers()
    let offset = 0
    const seen = steps.map(({ epoch = 0, first, count = 1 }) => {
      const verdict = producers.judge(id, epoch, first, count - 1)
      if (verdict.kind === 'duplicate') return `dup:${verdict.of.lastOffset - verdict.of.offsetDelta}`
      if (verdict.kind === 'refuse') return verdict.error
      producers.add({
        producerId: id,
        epoch,
        baseSequence: first,
        firstOffset: offset,
        lastOffset: offset + count - 1,
        timestampMs: 1000,
        isTransactional: false,
      })
      offset += count
      // What a snapshot keeps is all that there is.
      const restored = decodeSnapshot(encodeSnapshot(producers.all()))
      producers = new Producers()
      producers.restore(restored!)
      return 'append'
    })
    assert.deepEqual(
      seen,
      steps.map(({ gives }) => gives),
    )
  })
}

test('producers: one that has a transaction open takes no batch outside of it; after its marker one may follow', () => {
  const producers = new Producers()
  const batch = { producerId: id, epoch: 0, timestampMs: 1000, isTransactional: true }
  producers.add({ ...batch, baseSequence: 0, firstOffset: 10, lastOffset: 11 })
  assert.equal(producers.transactions.lastStableOffset(12), 10)
  const verdict = producers.judge(id, 0, 2, 0)
  assert.equal(verdict.kind === 'refuse' && verdict.error, 'INVALID_TXN_STATE')
  const marker = { producerId: id, epoch: 0, coordinatorEpoch: 3, isAbort: true, timestampMs: 2000 }
  const aborted = producers.addMarker({ ...marker, offset: 12 })
  assert.deepEqual(aborted, { producerId: id, firstOffset: 10, lastOffset: 12, lastStableOffset: 13 })
  assert.equal(producers.transactions.lastStableOffset(12), 10, 'the marker is not on disk yet')
  assert.equal(producers.transactions.lastStableOffset(13), 13)
  assert.equal(producers.judge(id, 0, 2, 0).kind, 'append')
  assert.equal(producers.addMarker({ ...marker, offset: 13 }), undefined, 'a marker that ends nothing')
  const view = { producerId: id, producerEpoch: 0, lastSequence: 1, lastTimestampMs: 2000, coordinatorEpoch: 3 }
  assert.deepEqual(producers.list(), [{ ...view, currentTransactionStartOffset: -1 }])
})

test('producers: expire by the time of their last batch, unless a transaction is open', () => {
  const producers = new Producers()
  const batch = { epoch: 0, baseSequence: 0, firstOffset: 0, lastOffset: 0 }
  producers.add({ ...batch, producerId: 1n, timestampMs: 1000, isTransactional: false })
  producers.add({ ...batch, producerId: 2n, timestampMs: 1001, isTransactional: false })
  producers.add({ ...batch, producerId: 3n, timestampMs: -1, isTransactional: true })
  producers.expire(1100, 100)
  assert.deepEqual(
    producers.list().map(({ producerId }) => producerId),
    [2n, 3n],
  )
})

test('producers: a snapshot with one byte changed is not believed', () => {
  const producers = new Producers()
  producers.add({
    producerId: 2n ** 62n + 5n,
    epoch: 3,
    baseSequence: 8,
    firstOffset: 1,
    lastOffset: 2,
    timestampMs: 1,
    isTransactional: true,
  })
  const bytes = encodeSnapshot(producers.all())
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1
    assert.equal(decodeSnapshot(changed), undefined, `byte ${at}`)
  }
})
