import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DiskOperation } from './test-disk.ts'
import { chanceOf, systemError, TestDisk } from './test-disk.ts'
import { PlainModel, RawModel } from './test-model.ts'
import { appended, batchOf, openWorld, produced, readValues, recordingLog, settle } from './test-world.ts'

function failing(disk: TestDisk, ...operations: DiskOperation[]): void {
  disk.fault = (operation, path) => {
    const isLog = path.endsWith('.log')
    return isLog && operations.includes(operation) ? systemError('ENOSPC', 'no space left') : undefined
  }
}

for (const operation of ['write', 'sync', 'open'] as const) {
  test(`write failure: when ${operation} fails, what is not on disk is refused, and the log heals`, async () => {
    const log = recordingLog()
    await using world = await openWorld({ log })
    const partition = await world.openLog(0, { segmentBytes: 1000 })
    await appended(partition.append(produced(5n, 0, 0)))
    failing(world.disk, operation)
    // The second one needs a further segment.
    const values = [produced(5n, 0, 1), batchOf(['x'.repeat(900)]), produced(5n, 0, 2)]
    const outcomes = await Promise.all(values.map((batch) => partition.append(batch)))
    for (const outcome of outcomes) {
      assert.ok(!outcome.ok && outcome.error === 'KAFKA_STORAGE_ERROR')
      assert.match(outcome.message ?? '', /no space left/)
    }
    assert.equal(partition.bounds.highWatermark, 1)
    // Reading needs the file, too.
    if (operation !== 'open') assert.deepEqual(await readValues(partition), ['5/0'], 'what was on disk is read')
    world.disk.fault = () => undefined
    await settle()
    world.clock.nowMs += 10_000
    await partition.append(batchOf(['knocks'])) // a log that could not heal by itself is asked to by an append
    await settle()
    assert.equal((await appended(partition.append(produced(5n, 0, 1)))).baseOffset >= 1, true)
    const found = await readValues(partition)
    assert.deepEqual(
      found.filter((value) => value !== 'knocks'),
      ['5/0', '5/1'],
    )
    assert.ok(log.lines.some(({ level }) => level === 'error'))
  })
}

test('write failure: a disk that stays full is not hammered, and one with space again is used again', async () => {
  await using world = await openWorld()
  const partition = await world.openLog()
  await appended(partition.append(batchOf(['kept'])))
  failing(world.disk, 'write')
  let repairs = 0
  const inner = world.disk.fault
  world.disk.fault = (operation, path) => {
    if (operation === 'truncate') repairs += 1
    return inner(operation, path)
  }
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const outcome = await partition.append(batchOf(['lost']))
    assert.equal(outcome.ok, false)
    await settle()
    world.clock.nowMs += 20
  }
  assert.ok(repairs >= 2 && repairs < 15, `${repairs} repairs in a second`)
  world.disk.fault = () => undefined
  world.clock.nowMs += 6000
  // It may have been repaired just now; otherwise this append has it repaired.
  const knock = await partition.append(batchOf(['knock']))
  await settle()
  await appended(partition.append(batchOf(['back'])))
  assert.deepEqual(await readValues(partition), knock.ok ? ['kept', 'knock', 'back'] : ['kept', 'back'])
})

test('write failure: a checkpoint that fails loses nothing, and deleteRecords says so', async () => {
  await using world = await openWorld()
  const partition = await world.openLog()
  for (const value of ['a', 'b']) await appended(partition.append(batchOf([value])))
  world.disk.fault = (operation, path) => {
    return operation === 'write' && path.includes('checkpoint') ? systemError('ENOSPC', path) : undefined
  }
  await world.logs.checkRetention()
  const outcome = await partition.deleteRecords(1)
  assert.equal(!outcome.ok && outcome.error, 'KAFKA_STORAGE_ERROR')
  assert.equal(partition.bounds.logStartOffset, 0)
  assert.deepEqual(await readValues(partition), ['a', 'b'])
  world.disk.fault = () => undefined
  assert.deepEqual(await partition.deleteRecords(1), { ok: true, logStartOffset: 1 })
})

test('write failure: a read that fails is an answer, and the next one works', async () => {
  await using world = await openWorld()
  const partition = await world.openLog()
  await appended(partition.append(batchOf(['a'])))
  await world.logs[Symbol.asyncDispose]()
  await using again = await openWorld({ disk: world.disk })
  const reopened = await again.openLog()
  again.disk.fault = (operation) => (operation === 'open' ? systemError('EIO', 'bad sector') : undefined)
  const options = { offset: 0, bytesMax: 100, firstBatchWhole: true, isolation: 'uncommitted' as const }
  const outcome = await reopened.read(options)
  assert.equal(!outcome.ok && outcome.error, 'KAFKA_STORAGE_ERROR')
  again.disk.fault = () => undefined
  assert.deepEqual(await readValues(reopened), ['a'])
})

test('write failure: faults at any moment, then a loss of power: nothing acknowledged is lost or doubled', async () => {
  const runs = Number(process.env.LINKSPAN_PROPERTY_RUNS ?? 60)
  const append = fc.record({
    producer: fc.nat(2),
    count: fc.integer({ min: 1, max: 3 }),
    size: fc.constantFrom(1, 400),
  })
  const other = fc.oneof(fc.nat(20), fc.constantFrom('turn', 'settle', 'keep', 'delete'))
  const life = fc.record({
    steps: fc.array(fc.oneof({ weight: 4, arbitrary: append }, { weight: 3, arbitrary: other }), {
      minLength: 5,
      maxLength: 60,
      size: 'max',
    }),
    faultRate: fc.constantFrom(0.01, 0.05, 0.2),
    isKilled: fc.boolean(),
    seed: fc.nat(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 3 }), async (lives) => {
      const model = new PlainModel()
      const rawModel = new RawModel()
      const config = { segmentBytes: 3000, indexIntervalBytes: 200 }
      let world = await openWorld({ disk: new TestDisk(chanceOf(1)) })
      let log = await world.openLog(0, config)
      let raw = await world.openLog(1, config)
      for (const { steps, faultRate, isKilled, seed } of lives) {
        const chance = chanceOf(seed)
        const { disk, clock, logs } = world
        disk.fault = (_, path) => (chance() < faultRate ? systemError('EIO', path) : undefined)
        const asked: Promise<unknown>[] = []
        let mirroring = Promise.resolve()
        for (const step of steps) {
          if (step === 'turn') await new Promise<void>((next) => setImmediate(next))
          else if (typeof step === 'number') {
            mirroring = mirroring.then(() => rawModel.append(raw, step, step % 3))
            asked.push(mirroring)
          } else if (step === 'keep') asked.push(logs.checkRetention())
          else if (step === 'delete') asked.push(model.deleteRecords(log, chance()))
          else if (step === 'settle') {
            await Promise.all(asked.splice(0))
            await settle()
            clock.nowMs += 6000
          } else asked.push(model.append(log, step.producer, step.count, step.size) ?? Promise.resolve())
        }
        await Promise.all(asked)
        disk.cutAt = 0
        await settle()
        world = await openWorld({ disk: isKilled ? disk.afterKill() : disk.crash(chanceOf(seed + 1)) })
        log = await world.openLog(0, config)
        raw = await world.openLog(1, config)
        await model.reconcile(log)
        await rawModel.reconcile(raw)
      }
    }),
    { numRuns: runs },
  )
})
