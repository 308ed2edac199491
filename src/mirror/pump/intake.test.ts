import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildBatch } from '../../records/build.ts'
import * as header from '../../records/header.ts'
import { faithfulProducerId } from '../../records/producer-id.ts'
import { FrameHold } from './batches.ts'
import { takeBatches } from './intake.ts'
import { PumpPartition } from './partition.ts'

const rules = { batchBytesMax: 1 << 20, oldBeforeMs: 1000, nowMs: 500 }

function partitionAt(offset: number, raw = false): PumpPartition {
  const names = { sourceTopic: 'orders', sourceTopicId: 's', topic: 'orders', topicId: 'd' }
  const ids = { kind: 'startPartition', linkId: 'l', mirrorId: 'm', partition: 3 } as const
  const partition = new PumpPartition({ ...ids, ...names }, { raw })
  partition.resumeAt(offset, -1)
  return partition
}

function holdOf(bytes: Buffer) {
  const state = { released: 0 }
  const slab = { bytes, exclusive: true, retain: () => {}, release: () => {} }
  const release = () => {
    state.released += 1
  }
  const hold = new FrameHold({ bytes, slab, release })
  return { hold, state }
}

function batch(baseOffset: number, count: number, options: object = {}): Buffer {
  const rows = Array.from({ length: count }, (_, index) => ({
    timestampMs: 2000 + index,
    key: null,
    value: Buffer.from(`row ${index}`),
  }))
  return buildBatch(rows, {
    baseOffset,
    leaderEpoch: 4,
    producerId: 77n,
    producerEpoch: 2,
    baseSequence: 9,
    ...options,
  })
}

function take(offset: number, ...batches: Buffer[]) {
  return takeAs(partitionAt(offset), ...batches)
}

function takeAs(partition: PumpPartition, ...batches: Buffer[]) {
  const bytes = Buffer.concat(batches)
  const { hold, state } = holdOf(bytes)
  const result = takeBatches(partition, bytes, hold, rules)
  hold.release()
  return { partition, result, state, bytes }
}

test('plain batches are queued as ours, with the offset as sequence and a right checksum', () => {
  const { partition, state } = take(2 ** 31 + 5, batch(2 ** 31 + 5, 3), batch(2 ** 31 + 8, 2))
  assert.equal(partition.nextOffset, 2 ** 31 + 10)
  assert.equal(partition.lastFetchedEpoch, 4)
  const first = partition.takeNext(0)
  const second = partition.takeNext(0)
  assert.ok(first && second)
  assert.deepEqual(
    [first.offset, first.end, second.offset, second.end].map((at) => at - 2 ** 31),
    [5, 8, 8, 10],
  )
  assert.equal(header.baseOffset(first.bytes, 0), 0)
  assert.equal(header.producerId(first.bytes, 0), partition.producerId)
  assert.equal(header.producerEpoch(first.bytes, 0), 0)
  assert.equal(header.baseSequence(first.bytes, 0), 5)
  assert.equal(header.baseSequence(second.bytes, 0), 8)
  for (const { bytes } of [first, second]) assert.equal(header.crc(bytes, 0), header.computeCrc(bytes, 0, bytes.length))
  assert.equal(state.released, 0)
  partition.answered(first)
  partition.answered(second)
  assert.equal(state.released, 1)
  assert.equal(partition.pendingBytes, 0)
})

test('what is below our place is left out, and a cut off end is asked for again', () => {
  const { partition } = take(5, batch(0, 5), batch(5, 2), batch(7, 2).subarray(0, 70))
  assert.equal(partition.nextOffset, 7)
  assert.equal(partition.obstacle, undefined)
  assert.equal(partition.hungry, false)
  assert.equal(take(5, batch(5, 2).subarray(0, 65)).partition.hungry, true)
})

test('all before an obstacle passes; the obstacle is named with its offset', () => {
  const cases: [Buffer, string, number][] = [
    [batch(7, 2, { isTransactional: true }), 'transactional', 7],
    [batch(7, 1, { isTransactional: true, isControl: true }), 'control', 7],
    [batch(7, 2, { lastOffset: 12 }), 'hole', 7],
    [batch(7, 2, { logAppendTimeMs: 3000 }), 'log-append-time', 7],
    [batch(9, 2), 'hole', 7],
    [Buffer.alloc(100, 0xff), 'corrupt', 7],
  ]
  for (const [obstacle, cause, offset] of cases) {
    const { partition } = take(5, batch(5, 2), obstacle)
    assert.equal(partition.queue.length, 1, cause)
    assert.equal(partition.obstacle?.cause, cause)
    assert.equal(partition.obstacle?.offset, offset)
  }
  const inside = take(6, batch(5, 3)).partition
  assert.equal(inside.obstacle?.cause, 'inside-batch')
  assert.equal(inside.queue.length, 0)
})

test('old data is not taken while late appends are possible, young data is', () => {
  const young = batch(5, 2)
  const rows = [{ timestampMs: 10, key: null, value: Buffer.from('old') }]
  const old = buildBatch(rows, { baseOffset: 7 })
  const bytes = Buffer.concat([young, old])
  const partition = partitionAt(5)
  partition.quarantineUntilMs = rules.nowMs + 1
  assert.equal(takeBatches(partition, bytes, holdOf(bytes).hold, rules), 'quarantined')
  assert.equal(partition.nextOffset, 7)
  partition.quarantineUntilMs = rules.nowMs
  assert.equal(takeBatches(partition, Buffer.from(old), holdOf(bytes).hold, rules), 'taken')
  assert.equal(partition.nextOffset, 8)
})

test('no bytes from a source do harm: all that is queued joins up without a gap', () => {
  const whole = Buffer.concat([batch(0, 3), batch(3, 1), batch(4, 6)])
  const damage = fc.array(fc.record({ at: fc.nat(whole.length - 1), value: fc.nat(255) }), { maxLength: 6 })
  fc.assert(
    fc.property(damage, fc.nat(whole.length), (changes, length) => {
      const bytes = Buffer.from(whole)
      for (const { at, value } of changes) bytes[at] = value
      const partition = partitionAt(0)
      const { hold, state } = holdOf(bytes)
      takeBatches(partition, bytes.subarray(0, length), hold, rules)
      hold.release()
      let next = 0
      for (let one = partition.takeNext(0); one; one = partition.takeNext(0)) {
        assert.equal(one.offset, next)
        assert.equal(header.recordCount(one.bytes, 0), one.end - one.offset)
        next = one.end
        partition.answered(one)
      }
      assert.equal(next, partition.nextOffset)
      assert.equal(state.released, 1)
    }),
  )
})

test('to the embedded broker batches go as they are stored, gaps and markers too, under producers of ours', () => {
  const partition = partitionAt(5, true)
  partition.beginQuarantine(undefined)
  const stored = [
    batch(5, 2, { isTransactional: true }),
    batch(7, 1, { isTransactional: true, isControl: true, baseSequence: -1 }),
    batch(20, 2, { lastOffset: 24, logAppendTimeMs: 3000 }),
    batch(25, 0, { lastOffset: 26, producerId: -1n, producerEpoch: -1, baseSequence: -1 }),
  ]
  const before = stored.map((one) => Buffer.from(one))
  const { result } = takeAs(partition, ...stored)
  assert.deepEqual([result, partition.obstacle, partition.nextOffset], ['taken', undefined, 27])
  const producers = [77n, 77n, 77n, -1n].map((id) => (id < 0n ? id : faithfulProducerId('m', 3, id)))
  for (const [index, original] of before.entries()) {
    const taken = partition.takeNext(0)
    assert.ok(taken && !taken.old)
    const { bytes } = taken
    assert.equal(header.baseOffset(bytes, 0), header.baseOffset(original, 0))
    assert.equal(header.attributes(bytes, 0), header.attributes(original, 0))
    assert.equal(header.producerId(bytes, 0), producers[index])
    assert.equal(header.producerEpoch(bytes, 0), header.producerEpoch(original, 0))
    assert.equal(header.baseSequence(bytes, 0), header.baseSequence(original, 0))
    assert.equal(header.crc(bytes, 0), header.computeCrc(bytes, 0, bytes.length))
  }
})

test('a gap of the source is read over, and the place behind it is asked for next', () => {
  const partition = partitionAt(5, true)
  partition.resumeAt(5, -1, 9)
  assert.deepEqual([partition.acknowledgedEnd, partition.nextOffset], [5, 9])
  assert.equal(takeAs(partition, batch(9, 2)).partition.nextOffset, 11)
})

test('a log start inside of a batch brings that whole batch, unless the mirror ends inside of it', () => {
  const partition = partitionAt(5, true)
  partition.resumeAt(5, -1, 9)
  assert.equal(takeAs(partition, batch(7, 4)).partition.nextOffset, 11)
  const inside = partitionAt(8, true)
  assert.equal(takeAs(inside, batch(7, 4)).partition.obstacle?.cause, 'inside-batch')
})
