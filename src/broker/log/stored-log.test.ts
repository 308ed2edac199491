import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildBatch } from '../../records/build.ts'
import * as header from '../../records/header.ts'
import { chanceOf, TestDisk } from './test-disk.ts'
import {
  appended,
  batchesOf,
  batchOf,
  openWorld,
  produced,
  readAll,
  readRecords,
  readValues,
  recordOf,
  refused,
  settle,
  startMs,
  testClock,
  testConfig,
  type World,
} from './test-world.ts'
import type { PartitionLog } from './types.ts'

test('log: what is appended is read, at offsets that the log gives, once it is on disk', async () => {
  await using world = await openWorld()
  const log = await world.openLog()
  const pending = [log.append(batchOf(['a', 'b'])), log.append(batchOf(['c']))]
  assert.deepEqual([log.logEndOffset, log.bounds.highWatermark], [3, 0])
  assert.deepEqual(await readValues(log), [])
  const [first, second] = await Promise.all(pending.map(appended))
  assert.deepEqual(first, { baseOffset: 0, logAppendTimeMs: -1, logStartOffset: 0 })
  assert.deepEqual(second, { baseOffset: 2, logAppendTimeMs: -1, logStartOffset: 0 })
  assert.deepEqual(log.bounds, { logStartOffset: 0, highWatermark: 3, lastStableOffset: 3 })
  assert.deepEqual(await readValues(log), ['a', 'b', 'c'])
  assert.deepEqual(await readValues(log, 1), ['a', 'b', 'c'], 'from the batch that holds the offset')
  assert.deepEqual(await readValues(log, 2), ['c'])
  assert.deepEqual(await readValues(log, 3), [])
})

test('log: a buffer may be used again once append has returned', async () => {
  await using world = await openWorld()
  const log = await world.openLog()
  const slab = Buffer.alloc(64 * 1024)
  const values = Array.from({ length: 30 }, (_, index) => 'x'.repeat(index * 1500) + index)
  const outcomes = values.map((value) => {
    const batch = batchOf([value])
    slab.set(batch)
    const outcome = log.append(slab.subarray(0, batch.length))
    slab.fill(0)
    return outcome
  })
  await Promise.all(outcomes.map(appended))
  assert.deepEqual(await readValues(log), values)
})

test('log: appends of one turn are written together and synced once', async () => {
  await using world = await openWorld()
  const logs = [await world.openLog(0), await world.openLog(1)]
  for (const log of logs) await appended(log.append(batchOf(['first'])))
  const seen: string[] = []
  world.disk.fault = (operation, path) => void seen.push(`${operation} ${path.split('/')[2]!.slice(-1)}`)
  const outcomes = Array.from({ length: 20 }, (_, index) => logs[index % 2]!.append(batchOf([`${index}`])))
  await Promise.all(outcomes.map(appended))
  assert.deepEqual(seen.sort(), ['sync 0', 'sync 1', 'write 0', 'write 1'])
})

test('log: who hears that the log has advanced can read up to there', async () => {
  await using world = await openWorld()
  const log = await world.openLog()
  const heard: number[] = []
  const end = log.onAdvance(() => heard.push(log.bounds.highWatermark, log.bounds.logStartOffset))
  await appended(log.append(batchOf(['a'])))
  await log.deleteRecords(1)
  end()
  await appended(log.append(batchOf(['b'])))
  assert.deepEqual(heard, [1, 0, 1, 1])
})

test('log: reads stop at a limit of bytes, and give the first batch whole only when asked', async () => {
  await using world = await openWorld()
  const log = await world.openLog()
  for (const value of ['a', 'b', 'c']) await appended(log.append(batchOf([value.repeat(1000)])))
  const size = (await readAll(log))[0]!.length
  const count = async (bytesMax: number, firstBatchWhole: boolean) => {
    const outcome = await log.read({ offset: 1, bytesMax, firstBatchWhole, isolation: 'uncommitted' })
    const batches = batchesOf(outcome)
    if (outcome.ok) outcome.release()
    return batches.length
  }
  assert.equal(await count(size - 1, false), 0)
  assert.equal(await count(size - 1, true), 1)
  assert.equal(await count(size, false), 1)
  assert.equal(await count(2 * size - 1, false), 1)
  assert.equal(await count(2 * size, false), 2)
  assert.equal(await count(0, true), 1)
})

test('log: offsets outside of the log are out of range', async () => {
  await using world = await openWorld()
  const log = await world.openLog()
  for (const value of ['a', 'b', 'c']) await appended(log.append(batchOf([value])))
  await log.deleteRecords(1)
  const read = (offset: number) => log.read({ offset, bytesMax: 100, firstBatchWhole: true, isolation: 'committed' })
  const bounds = { logStartOffset: 1, highWatermark: 3, lastStableOffset: 3 }
  assert.deepEqual(await read(0), { ok: false, error: 'OFFSET_OUT_OF_RANGE', bounds })
  assert.deepEqual(await read(4), { ok: false, error: 'OFFSET_OUT_OF_RANGE', bounds })
  assert.equal((await read(3)).ok, true)
  assert.deepEqual(await log.deleteRecords(0), { ok: true, logStartOffset: 1 })
  const beyond = await log.deleteRecords(4)
  assert.equal(!beyond.ok && beyond.error, 'OFFSET_OUT_OF_RANGE')
  assert.deepEqual(await log.deleteRecords(-1), { ok: true, logStartOffset: 3 })
})

test('log: buffers are used again after they were given back, and never before', async () => {
  await using world = await openWorld()
  const log = await world.openLog()
  for (const value of ['a', 'b']) await appended(log.append(batchOf([value])))
  const read = (offset: number) => log.read({ offset, bytesMax: 80, firstBatchWhole: true, isolation: 'uncommitted' })
  const first = await read(0)
  const second = await read(1)
  assert.ok(first.ok && second.ok)
  assert.notEqual(first.records.buffer, second.records.buffer)
  first.release()
  first.release()
  const third = await read(0)
  const fourth = await read(0)
  assert.ok(third.ok && fourth.ok)
  assert.equal(third.records.buffer, first.records.buffer)
  assert.notEqual(fourth.records.buffer, first.records.buffer)
})

test('log: a duplicate waits for the disk as the batch itself does, and is told where that went', async () => {
  await using world = await openWorld()
  const log = await world.openLog()
  await appended(log.append(batchOf(['before'])))
  const outcomes = [produced(7n, 0, 0), produced(7n, 0, 1), produced(7n, 0, 0)].map((batch) => log.append(batch))
  let isSettled = false
  void outcomes[2]!.then(() => {
    isSettled = true
  })
  await Promise.resolve()
  assert.equal(isSettled, false)
  const values = await Promise.all(outcomes.map(appended))
  assert.deepEqual(
    values.map(({ baseOffset }) => baseOffset),
    [1, 2, 1],
  )
  assert.equal(await refused(log.append(produced(7n, 0, 5))), 'OUT_OF_ORDER_SEQUENCE_NUMBER')
  assert.equal((await readRecords(log)).length, 3)
})

test('log: producers are known after a restart, until their last batch is as old as they are remembered', async () => {
  for (const isKilled of [false, true]) {
    const clock = testClock()
    const disk = new TestDisk(chanceOf(2))
    const world = await openWorld({ disk, clock })
    const log = await world.openLog()
    for (let sequence = 0; sequence < 8; sequence += 1) await appended(log.append(produced(7n, 3, sequence)))
    await appended(log.append(produced(9n, 0, 0, { timestampMs: startMs - 2 * 86_400_000 })))
    if (!isKilled) await world[Symbol.asyncDispose]()
    await using again = await openWorld({ disk: disk.copy(chanceOf(3)), clock })
    const reopened = await again.openLog()
    assert.deepEqual(
      reopened.producers().map(({ producerId, lastSequence }) => [producerId, lastSequence]),
      [[7n, 7]],
    )
    assert.equal((await appended(reopened.append(produced(7n, 3, 4)))).baseOffset, 4)
    assert.equal(await refused(reopened.append(produced(7n, 2, 8))), 'INVALID_PRODUCER_EPOCH')
    clock.nowMs += 86_400_000
    await again.logs.checkRetention()
    assert.deepEqual(reopened.producers(), [])
  }
})

test('log: a topic that stamps tells the time of the append, of a duplicate that of the first one', async () => {
  await using world = await openWorld()
  const log = await world.openLog(0, { timestampType: 'LogAppendTime' })
  assert.equal((await appended(log.append(produced(1n, 0, 0)))).logAppendTimeMs, startMs)
  world.clock.nowMs += 50
  assert.equal((await appended(log.append(produced(1n, 0, 0)))).logAppendTimeMs, startMs)
  assert.equal((await appended(log.append(produced(1n, 0, 1)))).logAppendTimeMs, startMs + 50)
})

test('log: old segments go by age and by size, the last one by age only, and never what is not old', async () => {
  await using world = await openWorld()
  const log = await world.openLog(0, { segmentBytes: 1000, retentionMs: 1000 })
  for (let index = 0; index < 10; index += 1) {
    await appended(log.append(batchOf(['x'.repeat(400)], { timestampMs: startMs + index * 100 })))
  }
  world.clock.nowMs = startMs + 1250
  await world.logs.checkRetention()
  assert.equal(log.bounds.logStartOffset, 2)
  log.configure({ ...testConfig, segmentBytes: 1000, retentionBytes: 2000 })
  await world.logs.checkRetention()
  assert.equal(log.bounds.logStartOffset, 4, 'what is left has at least the size that is to be kept')
  log.configure({ ...testConfig, retentionMs: 1000 })
  world.clock.nowMs = startMs + 10_000
  await world.logs.checkRetention()
  assert.deepEqual(log.bounds, { logStartOffset: 10, highWatermark: 10, lastStableOffset: 10 })
  assert.equal(log.sizeBytes, 0)
  const names = await world.disk.list(`/logs/${log.topicId}-0`)
  assert.deepEqual(
    names.filter((name) => name.endsWith('.log')),
    [],
  )
  assert.equal((await appended(log.append(batchOf(['next'])))).baseOffset, 10)
})

test('log: segments roll by time and by size', async () => {
  await using world = await openWorld()
  const log = await world.openLog(0, { segmentBytes: 1000, segmentMs: 500 })
  const times = [0, 400, 600, 700, 1200]
  for (const time of times) await appended(log.append(batchOf(['x'], { timestampMs: startMs + time })))
  await appended(log.append(batchOf(['x'.repeat(900)], { timestampMs: startMs + 1200 })))
  const names = await world.disk.list(`/logs/${log.topicId}-0`)
  assert.deepEqual(
    names.filter((name) => name.endsWith('.log')).map((name) => Number.parseInt(name, 10)),
    [0, 2, 4, 5],
  )
})

type Command =
  | { kind: 'append'; counts: number[]; size: number }
  | { kind: 'read'; at: number; bytesMax: number }
  | { kind: 'delete'; at: number }
  | { kind: 'retain'; bytes: number }
  | { kind: 'restart'; isKilled: boolean }
  | { kind: 'find'; at: number }

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      counts: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 }),
      size: fc.constantFrom(1, 50, 700, 20_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      bytesMax: fc.constantFrom(1, 300, 5000, 1 << 20),
    }),
  },
  fc.record({ kind: fc.constant('delete' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('retain' as const), bytes: fc.constantFrom(0, 2000, 60_000) }),
  fc.record({ kind: fc.constant('restart' as const), isKilled: fc.boolean() }),
  fc.record({ kind: fc.constant('find' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
)

/** The simplest log: one array of batches. */
class Model {
  batches: { baseOffset: number; count: number; bytes: number; timestampMs: number }[] = []
  start = 0
  end = 0

  at(fraction: number): number {
    return this.start + Math.round(fraction * (this.end - this.start))
  }
}

async function run(world: World, log: PartitionLog, model: Model, step: Command): Promise<void> {
  switch (step.kind) {
    case 'append': {
      const batches = step.counts.map((count) => {
        const timestampMs = startMs + ((model.end * 7919) % 1000)
        const records = Array.from({ length: count }, () => recordOf('v'.repeat(step.size), timestampMs))
        const batch = buildBatch(records)
        model.batches.push({ baseOffset: model.end, count, bytes: batch.length, timestampMs })
        model.end += count
        return batch
      })
      const outcomes = await Promise.all(batches.map((batch) => appended(log.append(batch))))
      const expected = model.batches.slice(-batches.length).map(({ baseOffset }) => baseOffset)
      assert.deepEqual(
        outcomes.map(({ baseOffset }) => baseOffset),
        expected,
      )
      return
    }
    case 'read': {
      const offset = model.at(step.at)
      const outcome = await log.read({ offset, bytesMax: step.bytesMax, firstBatchWhole: true, isolation: 'committed' })
      const offsets = batchesOf(outcome).map((batch) => header.baseOffset(batch, 0))
      if (outcome.ok) outcome.release()
      const following = model.batches.filter(({ baseOffset, count }) => baseOffset + count > offset)
      assert.deepEqual(
        offsets,
        following.slice(0, offsets.length).map(({ baseOffset }) => baseOffset),
      )
      assert.equal(offsets.length === 0, following.length === 0)
      const bytes = following.slice(0, offsets.length).reduce((sum, batch) => sum + batch.bytes, 0)
      assert.ok(bytes <= step.bytesMax || offsets.length === 1)
      return
    }
    case 'delete': {
      const offset = model.at(step.at)
      assert.deepEqual(await log.deleteRecords(offset), { ok: true, logStartOffset: offset })
      model.start = offset
      return
    }
    case 'retain': {
      log.configure({ ...testConfig, retentionBytes: step.bytes })
      const before = log.sizeBytes
      await world.logs.checkRetention()
      const { logStartOffset } = log.bounds
      assert.ok(logStartOffset >= model.start && log.sizeBytes >= Math.min(before, step.bytes))
      assert.ok(logStartOffset === model.start || model.batches.some(({ baseOffset }) => baseOffset === logStartOffset))
      model.start = logStartOffset
      return
    }
    case 'find': {
      const timestampMs = startMs + Math.round(step.at * 1000)
      const live = model.batches.filter(({ baseOffset, count }) => baseOffset + count > model.start)
      const first = live.find((batch) => batch.timestampMs >= timestampMs)
      const expected = first && { offset: Math.max(first.baseOffset, model.start), timestampMs: first.timestampMs }
      assert.deepEqual(await log.findByTimestamp(timestampMs), expected)
      const largest = live.reduce((max, batch) => Math.max(max, batch.timestampMs), -1)
      const holder = live.find((batch) => batch.timestampMs === largest)
      const expectedLargest = holder && { offset: Math.max(holder.baseOffset, model.start), timestampMs: largest }
      assert.deepEqual(await log.findMaxTimestamp(), expectedLargest)
      return
    }
    case 'restart':
      return
  }
}

test('log: behaves like an array of batches, whatever is done to it', async () => {
  const runs = Number(process.env.LINKSPAN_PROPERTY_RUNS ?? 60)
  const config = { segmentBytes: 100_000, indexIntervalBytes: 500 }
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40, size: 'max' }), fc.nat(), async (commands, seed) => {
      const model = new Model()
      let world = await openWorld({ disk: new TestDisk(chanceOf(seed)) })
      let log = await world.openLog(0, config)
      for (const step of commands) {
        if (step.kind === 'restart') {
          if (step.isKilled) await settle()
          else await world[Symbol.asyncDispose]()
          world = await openWorld({ disk: world.disk.copy(chanceOf(seed)) })
          log = await world.openLog(0, config)
        } else await run(world, log, model, step)
        const { logStartOffset, highWatermark } = log.bounds
        assert.deepEqual([logStartOffset, highWatermark, log.logEndOffset], [model.start, model.end, model.end])
      }
      await world[Symbol.asyncDispose]()
    }),
    { numRuns: runs },
  )
})
