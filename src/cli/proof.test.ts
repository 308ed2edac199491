import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PartitionProof, summarise, verdict } from './proof.ts'

const same = (at: number) => ({ source: at, destination: at, equal: true })

function proof(parts: Partial<PartitionProof> = {}): PartitionProof {
  return {
    partition: 0,
    start: same(0),
    end: same(1000),
    range: { from: 0, to: 1000 },
    records: 1000,
    bytes: 9,
    compactedAway: 0,
    digest: { source: 'a', destination: 'a' },
    equal: true,
    firstDifference: null,
    ...parts,
  }
}

const verdictOf = (...partitions: PartitionProof[]) => {
  return verdict(summarise([{ topic: 'orders', sourceTopic: 'orders', equal: true, complete: true, partitions }]))
}

test('the verdict says what is equal, missing and different', () => {
  assert.equal(verdictOf(proof(), proof()), 'EQUAL: 2,000 records in 2 partitions compared, nothing is missing')
  assert.equal(
    verdictOf(proof({ end: { source: 1010, destination: 1000, equal: false } })),
    'EQUAL: 1,000 records in 1 partition compared; 10 offsets of the source not mirrored yet',
  )
  assert.equal(
    verdictOf(proof({ start: { source: 0, destination: 5, equal: false } })),
    'EQUAL: 1,000 records in 1 partition compared; 1 partition not beginning where the source begins',
  )
  assert.equal(
    verdictOf(proof(), proof({ partition: 1, equal: false, firstDifference: { offset: 7, what: 'another value' } })),
    'DIFFERENT: 2,000 records in 2 partitions compared, 1 partition not equal, ' +
      'the first at orders partition 1 offset 7: another value',
  )
})
