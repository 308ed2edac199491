import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dataProducerId, faithfulProducerId, sequenceAfter, sequenceOf } from './producer-id.ts'

const mirrorId = '6b0c1f9e-3c50-4f3a-9d0e-2f6f2a1c7b11'

test('ids are what the description says, so that any version finds the same producer', () => {
  // printf '%s:0' "$mirrorId" | sha256sum
  assert.equal(dataProducerId(mirrorId, 0), 6634106384241658077n)
  assert.equal(faithfulProducerId(mirrorId, 3, 4001n), 7000109698663500525n)
})

test('ids stay in the half that brokers never hand out, and differ by mirror and partition', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.uuid(), fc.nat(10_000), fc.nat(10_000), (mirror, other, partition, another) => {
      fc.pre(mirror !== other && partition !== another)
      const id = dataProducerId(mirror, partition)
      assert.ok(id >= 2n ** 62n && id < 2n ** 63n)
      const others = [dataProducerId(other, partition), dataProducerId(mirror, another)]
      assert.ok(!others.includes(id) && !others.includes(faithfulProducerId(mirror, partition, id)))
    }),
  )
})

test('sequences wrap where the broker wraps them', () => {
  assert.equal(sequenceOf(2 ** 31 - 1), 2 ** 31 - 1)
  assert.equal(sequenceOf(2 ** 31), 0)
  assert.equal(sequenceOf(Number.MAX_SAFE_INTEGER), 2 ** 31 - 1)
  assert.equal(sequenceAfter(2 ** 31 - 1, 1), 0)
  assert.equal(sequenceAfter(-1, 1), 0)
})

test('stepping by records and mapping the offset agree', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 40), fc.nat(2 ** 31 - 1), (offset, records) => {
      assert.equal(sequenceAfter(sequenceOf(offset), records), sequenceOf(offset + records))
    }),
  )
})
