import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildBatch } from '../../records/build.ts'
import * as header from '../../records/header.ts'
import { chanceOf } from './test-disk.ts'
import { appended, batchOf, openWorld, recordOf, startMs } from './test-world.ts'

test('timestamps: the first record at or after a time, whatever the order of times and the batches', async () => {
  const runs = Number(process.env.LINKSPAN_PROPERTY_RUNS ?? 40)
  const times = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(-1 - startMs)), {
    minLength: 1,
    maxLength: 5,
  })
  const batch = fc.record({ times, codec: fc.constantFrom(...header.codecs) })
  const life = fc.record({
    batches: fc.array(batch, { minLength: 1, maxLength: 40, size: 'max' }),
    start: fc.double({ min: 0, max: 1, noNaN: true }),
    isReopened: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(life, async ({ batches, start, isReopened }) => {
      const config = { segmentBytes: 700, indexIntervalBytes: 150 }
      let world = await openWorld()
      let log = await world.openLog(0, config)
      const all: number[] = []
      const outcomes = batches.map(({ times, codec }) => {
        const records = times.map((time) => recordOf('v', startMs + time))
        all.push(...records.map(({ timestampMs }) => timestampMs))
        return appended(log.append(buildBatch(records, { codec })))
      })
      await Promise.all(outcomes)
      const logStart = Math.floor(start * all.length)
      await log.deleteRecords(logStart)
      if (isReopened) {
        await world.logs[Symbol.asyncDispose]()
        world = await openWorld({ disk: world.disk.copy(chanceOf(1)) })
        log = await world.openLog(0, config)
      }
      const live = all.map((timestampMs, offset) => ({ offset, timestampMs })).slice(logStart)
      for (const time of [0, 1, 150, 299, 300, 301]) {
        const expected = live.find(({ timestampMs }) => timestampMs >= startMs + time)
        assert.deepEqual(await log.findByTimestamp(startMs + time), expected, `at ${time}`)
      }
      const largest = live.reduce((max, { timestampMs }) => Math.max(max, timestampMs), -1)
      const expected = largest === -1 ? undefined : live.find(({ timestampMs }) => timestampMs === largest)
      assert.deepEqual(await log.findMaxTimestamp(), expected)
    }),
    { numRuns: runs },
  )
})

test('timestamps: stamped batches have one time, and what is not on disk yet is not found', async () => {
  await using world = await openWorld()
  const log = await world.openLog(0, { timestampType: 'LogAppendTime' })
  assert.equal(await log.findMaxTimestamp(), undefined)
  await appended(log.append(batchOf(['a', 'b'], { timestampMs: 5 })))
  world.clock.nowMs += 10
  const pending = log.append(batchOf(['c'], { timestampMs: 6 }))
  assert.equal(await log.findByTimestamp(startMs + 5), undefined)
  assert.deepEqual(await log.findMaxTimestamp(), { offset: 0, timestampMs: startMs })
  await appended(pending)
  assert.deepEqual(await log.findByTimestamp(startMs + 5), { offset: 2, timestampMs: startMs + 10 })
  assert.deepEqual(await log.findByTimestamp(1), { offset: 0, timestampMs: startMs })
})

test('timestamps: of the far end of the calendar', async () => {
  await using world = await openWorld()
  const log = await world.openLog(0, { timestampAfterMaxMs: -1, segmentBytes: 200 })
  for (const timestamp of [2n ** 63n - 1n, 0n, 2n ** 63n - 1n]) {
    const batch = batchOf(['x'.repeat(50)])
    batch.writeBigInt64BE(timestamp, header.baseTimestampAt)
    batch.writeBigInt64BE(timestamp, header.maxTimestampAt)
    batch.writeUInt32BE(header.computeCrc(batch, 0, batch.length), header.crcAt)
    await appended(log.append(batch))
  }
  assert.deepEqual(await log.findMaxTimestamp(), { offset: 0, timestampMs: 2 ** 63 })
})
