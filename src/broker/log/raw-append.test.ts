import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BatchOptions } from '../../records/build.ts'
import * as header from '../../records/header.ts'
import { chanceOf, TestDisk } from './test-disk.ts'
import { checkTransactions } from './test-model.ts'
import {
  appended,
  batchesOf,
  batchOf,
  controlBatch,
  openWorld,
  readAll,
  readValues,
  refused,
  startMs,
} from './test-world.ts'
import type { PartitionLog } from './types.ts'

function data(baseOffset: number, producerId: bigint, options: BatchOptions = {}): Buffer {
  const fields = { producerId, producerEpoch: 0, baseSequence: baseOffset, isTransactional: true }
  return batchOf([`at ${baseOffset}`], { baseOffset, ...fields, ...options })
}

function marker(type: 'abort' | 'commit', baseOffset: number, producerId: bigint): Buffer {
  return controlBatch(type, { baseOffset, producerId, producerEpoch: 0 })
}

async function write(log: PartitionLog, ...batches: Buffer[]): Promise<void> {
  await appended(log.appendRaw(Buffer.concat(batches)))
}

test('raw append: offsets, gaps, markers, stamps and timestamps are kept; only the leader epoch is ours', async () => {
  await using world = await openWorld()
  const log = await world.openLog(0, { timestampType: 'LogAppendTime' })
  const batches = [
    batchOf(['a', 'b'], { baseOffset: 5, lastOffset: 9, leaderEpoch: 0, timestampMs: 3 }),
    batchOf(['c'], { baseOffset: 20, leaderEpoch: 0, logAppendTimeMs: 8, codec: 'zstd' }),
    controlBatch('commit', { baseOffset: 21, producerId: 1n, producerEpoch: 0, leaderEpoch: 0 }),
  ]
  const sent = Buffer.concat(batches)
  sent.writeInt32BE(77, header.leaderEpochAt)
  assert.deepEqual(await appended(log.appendRaw(sent)), { baseOffset: 5, logAppendTimeMs: -1, logStartOffset: 0 })
  assert.deepEqual(await readAll(log), batches)
  assert.equal(log.logEndOffset, 22)
  for (const from of [0, 5, 9]) assert.equal((await readAll(log, { from })).length, 3)
  for (const from of [10, 20]) assert.equal((await readAll(log, { from })).length, 2)
})

test('raw append: what is not whole, not right or not behind the end is refused, all of it', async () => {
  await using world = await openWorld()
  const log = await world.openLog()
  await write(log, batchOf(['a'], { baseOffset: 10 }))
  const next = batchOf(['b'], { baseOffset: 11 })
  const wrong = batchOf(['c'], { baseOffset: 12 })
  wrong[wrong.length - 1]! ^= 1
  const cases: [Buffer, string][] = [
    [batchOf(['x'], { baseOffset: 10 }), 'OFFSET_OUT_OF_RANGE'],
    [Buffer.concat([next, wrong]), 'CORRUPT_MESSAGE'],
    [Buffer.concat([next, next]), 'INVALID_RECORD'],
    [next.subarray(0, -1), 'INVALID_RECORD'],
    [Buffer.alloc(0), 'INVALID_RECORD'],
    [Buffer.alloc(200, 9), 'INVALID_RECORD'],
  ]
  for (const [batches, error] of cases) assert.equal(await refused(log.appendRaw(Buffer.from(batches))), error)
  assert.equal(log.logEndOffset, 11)
  await write(log, next)
})

test('raw append: committed readers stop before the first open transaction and are told what was aborted', async () => {
  await using world = await openWorld()
  const log = await world.openLog(0, { segmentBytes: 300 })
  await write(log, data(0, 1n), data(1, 2n), data(2, 1n))
  assert.equal(log.bounds.lastStableOffset, 0)
  await write(log, marker('abort', 3, 1n))
  assert.equal(log.bounds.lastStableOffset, 1)
  await write(log, data(4, 3n), marker('commit', 5, 2n), data(6, 1n))
  assert.deepEqual(log.bounds, { logStartOffset: 0, highWatermark: 7, lastStableOffset: 4 })
  await write(log, marker('abort', 7, 3n), marker('commit', 8, 1n))
  assert.equal(log.bounds.lastStableOffset, 9)
  const read = async (offset: number, bytesMax: number) => {
    const outcome = await log.read({ offset, bytesMax, firstBatchWhole: true, isolation: 'committed' })
    assert.ok(outcome.ok)
    const offsets = batchesOf(outcome).map((batch) => header.baseOffset(batch, 0))
    outcome.release()
    return { offsets, aborted: outcome.aborted }
  }
  const first = { producerId: 1n, firstOffset: 0 }
  const third = { producerId: 3n, firstOffset: 4 }
  assert.deepEqual(await read(0, 1), { offsets: [0], aborted: [first] })
  assert.deepEqual(await read(3, 1), { offsets: [3], aborted: [first] })
  assert.deepEqual(await read(4, 1), { offsets: [4], aborted: [third] })
  assert.deepEqual(await read(8, 1), { offsets: [8], aborted: [] })
})

test('raw append: a marker is a part of the producer: its epoch, the coordinator and no open transaction', async () => {
  await using world = await openWorld()
  const log = await world.openLog()
  await write(log, data(0, 9n))
  assert.equal(log.producers()[0]?.currentTransactionStartOffset, 0)
  await write(log, controlBatch('abort', { baseOffset: 1, producerId: 9n, producerEpoch: 4, timestampMs: startMs + 1 }))
  assert.deepEqual(log.producers(), [
    {
      producerId: 9n,
      producerEpoch: 4,
      lastSequence: -1,
      lastTimestampMs: startMs + 1,
      coordinatorEpoch: 7,
      currentTransactionStartOffset: -1,
    },
  ])
})

test('raw append: the log start stays before an open transaction, the last stable offset behind it', async () => {
  await using world = await openWorld()
  const log = await world.openLog()
  await write(log, data(0, 1n), data(1, 1n), data(2, 1n))
  await log.deleteRecords(2)
  assert.deepEqual(log.bounds, { logStartOffset: 2, highWatermark: 3, lastStableOffset: 2 })
})

test('raw append: gaps of any width, in an order that a crash cannot fake', async () => {
  const disk = new TestDisk(chanceOf(5))
  const world = await openWorld({ disk })
  const log = await world.openLog()
  const far = 3 * 2 ** 31
  await write(log, batchOf(['far'], { baseOffset: far }))
  const pending = log.appendRaw(batchOf(['next'], { baseOffset: far + 1 }))
  const wide = () => batchOf(['wide'], { baseOffset: 3 * far })
  assert.equal(await refused(log.appendRaw(wide())), 'KAFKA_STORAGE_ERROR', 'not while something is unsynced')
  await appended(pending)
  await write(log, wide())
  await write(log, batchOf(['near'], { baseOffset: 3 * far + 2 ** 31 - 5 }))
  await write(log, batchOf(['end'], { baseOffset: 3 * far + 2 ** 31 + 5 }))
  const values = ['far', 'next', 'wide', 'near', 'end']
  assert.deepEqual(await readValues(log), values)
  assert.deepEqual(await readValues(log, 2 * far), values.slice(2))
  const killed = await (await openWorld({ disk: disk.copy(chanceOf(1)) })).openLog()
  assert.deepEqual(await readValues(killed), values)
  await world.logs[Symbol.asyncDispose]()
  const reopened = await (await openWorld({ disk })).openLog()
  assert.deepEqual(await readValues(reopened), values)
})

test('raw append: a restart forgets everything, durably, and producers as well', async () => {
  const disk = new TestDisk(chanceOf(5))
  const world = await openWorld({ disk })
  const log = await world.openLog(0, { segmentBytes: 200 })
  await write(log, data(0, 1n), data(1, 1n), data(2, 2n))
  for (const offset of [1000, 10]) {
    await log.restartAt(offset)
    assert.deepEqual(log.bounds, { logStartOffset: offset, highWatermark: offset, lastStableOffset: offset })
    assert.deepEqual(log.producers(), [])
    const crashed = await (await openWorld({ disk: disk.crash(chanceOf(offset)) })).openLog()
    assert.deepEqual(crashed.bounds, log.bounds)
    await write(log, data(offset, 1n), data(offset + 1, 2n))
    assert.deepEqual(await readValues(log), [`at ${offset}`, `at ${offset + 1}`])
  }
})

test('raw append: transactions of any order are told right, after restarts of any kind too', async () => {
  const runs = Number(process.env.LINKSPAN_PROPERTY_RUNS ?? 40)
  const event = fc.tuple(
    fc.constantFrom('data', 'data', 'plain', 'abort', 'commit'),
    fc.nat(3),
    fc.constantFrom(0, 0, 3),
  )
  const events = fc.array(fc.oneof({ weight: 12, arbitrary: event }, fc.constantFrom('kill', 'stop', 'keep')), {
    maxLength: 60,
    size: 'max',
  })
  await fc.assert(
    fc.asyncProperty(events, async (steps) => {
      const config = { segmentBytes: 900, indexIntervalBytes: 150 }
      let world = await openWorld()
      let log = await world.openLog(0, config)
      for (const step of steps) {
        if (step === 'keep') await world.logs.checkRetention()
        else if (typeof step === 'string') {
          if (step === 'stop') await world.logs[Symbol.asyncDispose]()
          world = await openWorld({ disk: world.disk.copy(chanceOf(1)) })
          log = await world.openLog(0, config)
        } else {
          const [kind, producer, gap] = step
          const at = log.logEndOffset + gap
          const id = BigInt(producer)
          if (kind === 'abort' || kind === 'commit') await write(log, marker(kind, at, id))
          else await write(log, data(at, id, { isTransactional: kind === 'data' }))
        }
      }
      await checkTransactions(log, await readAll(log))
    }),
    { numRuns: runs },
  )
})
