import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '../../base/log.ts'
import { openLogs } from './log-directory.ts'
import { OpenFiles } from './open-files.ts'
import { chanceOf, systemError, TestDisk } from './test-disk.ts'
import {
  appended,
  batchOf,
  openWorld,
  readAll,
  readRecords,
  readValues,
  refused,
  settle,
  testClock,
  testConfig,
  topicId,
} from './test-world.ts'

test('logs: a deleted log is gone at once, its files soon, and one of its name begins anew', async () => {
  await using world = await openWorld()
  const log = await world.openLog()
  await appended(log.append(batchOf(['old'])))
  const pending = log.append(batchOf(['late']))
  const deleted = world.logs.delete(topicId, 0)
  assert.equal(world.logs.get(topicId, 0), undefined)
  assert.equal(await refused(log.append(batchOf(['later']))), 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(await refused(pending), 'UNKNOWN_TOPIC_OR_PARTITION')
  const read = await log.read({ offset: 0, bytesMax: 1, firstBatchWhole: true, isolation: 'committed' })
  assert.equal(!read.ok && read.error, 'UNKNOWN_TOPIC_OR_PARTITION')
  const removed = await log.deleteRecords(0)
  assert.equal(!removed.ok && removed.error, 'UNKNOWN_TOPIC_OR_PARTITION')
  const fresh = await world.openLog()
  await deleted
  assert.equal(world.logs.get(topicId, 0), fresh)
  assert.equal((await appended(fresh.append(batchOf(['new'])))).baseOffset, 0)
  assert.deepEqual(await readValues(fresh), ['new'])
  await settle()
  assert.deepEqual(await world.disk.list('/logs'), [`${topicId}-0`])
  await world.logs.delete(topicId, 5)
})

test('logs: a deletion that was answered survives a crash, and is finished at the next start', async () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const world = await openWorld({ disk: new TestDisk(chanceOf(seed)) })
    for (const partition of [0, 1]) await appended((await world.openLog(partition)).append(batchOf(['old'])))
    await world.logs.delete(topicId, 0)
    await using again = await openWorld({ disk: world.disk.crash(chanceOf(seed)) })
    assert.deepEqual(again.logs.list(), [{ topicId, partition: 1 }])
    assert.equal((await again.openLog(0)).logEndOffset, 0)
    await settle()
    assert.deepEqual((await again.disk.list('/logs')).sort(), [`${topicId}-0`, `${topicId}-1`])
    assert.deepEqual(await readValues(await again.openLog(1)), ['old'])
  }
})

test('logs: names that are no partition are refused, and other files in the folder left alone', async () => {
  await using world = await openWorld()
  await assert.rejects(world.logs.open({ topicId: '../x', topic: 'x', partition: 0 }, testConfig), {
    code: 'invalid-request',
  })
  await assert.rejects(world.logs.open({ topicId, topic: 'x', partition: -1 }, testConfig), { code: 'invalid-request' })
  await world.disk.makeFolder('/logs/lost+found')
  await using again = await openWorld({ disk: world.disk.copy(chanceOf(1)) })
  assert.deepEqual(again.logs.list(), [])
  assert.deepEqual(await again.disk.list('/logs'), ['lost+found'])
})

test('logs: a broker that stops takes nothing more and finishes what it took', async () => {
  const world = await openWorld()
  const log = await world.openLog()
  const taken = log.append(batchOf(['taken']))
  const closing = world.logs[Symbol.asyncDispose]()
  assert.equal((await appended(taken)).baseOffset, 0)
  await closing
  assert.equal(await refused(log.append(batchOf(['late']))), 'KAFKA_STORAGE_ERROR')
  await assert.rejects(world.openLog(1), { code: 'closed' })
})

test('logs: files that nobody uses are closed when there are too many, pinned ones are not', () => {
  const disk = new TestDisk(() => 0)
  let isOpen = 0
  const open = disk.open.bind(disk)
  disk.open = (path, mode) => {
    isOpen += 1
    const file = open(path, mode)
    const close = () => {
      isOpen -= 1
    }
    return { ...file, close }
  }
  void disk.makeFolder('/a')
  const files = new OpenFiles(disk, 3)
  const pinned = [0, 1, 2, 3, 4].map((index) => files.pin(`/${index}`, 'create'))
  assert.equal(isOpen, 5)
  for (const file of pinned.slice(1)) files.unpin(file)
  assert.equal(isOpen, 3)
  assert.equal(files.pin('/0', 'existing'), pinned[0])
  files.forgetFile('/0')
  assert.equal(isOpen, 3, 'still pinned twice')
  files.unpin(pinned[0]!)
  files.unpin(pinned[0]!)
  assert.equal(isOpen, 2)
  files.closeAll()
  assert.equal(isOpen, 0)
})

test('logs: many logs share few files', async () => {
  await using world = await openWorld()
  let isOpen = 0
  let isOpenMax = 0
  const open = world.disk.open.bind(world.disk)
  world.disk.open = (path, mode) => {
    isOpen += 1
    isOpenMax = Math.max(isOpenMax, isOpen)
    const file = open(path, mode)
    const close = () => {
      isOpen -= 1
    }
    return { ...file, close }
  }
  for (let partition = 0; partition < 400; partition += 1) {
    const log = await world.openLog(partition)
    await appended(log.append(batchOf([`${partition}`])))
  }
  assert.ok(isOpenMax <= 260, `${isOpenMax}`)
  for (const partition of [0, 200, 399]) {
    const log = world.logs.get(topicId, partition)!
    assert.deepEqual(await readValues(log), [`${partition}`])
  }
})

test('logs: a restart that fails leaves the log as it was, or begun anew, never both', async () => {
  for (let failAt = 1; failAt < 25; failAt += 1) {
    const disk = new TestDisk(chanceOf(failAt))
    const world = await openWorld({ disk })
    const log = await world.openLog()
    await appended(log.append(batchOf(['old'])))
    let operations = 0
    disk.fault = (_, path) => {
      operations += 1
      return operations === failAt ? systemError('EIO', path) : undefined
    }
    const isDone = await log.restartAt(50).then(
      () => true,
      () => false,
    )
    disk.fault = () => undefined
    const expected = log.bounds.logStartOffset === 50 ? { start: 50, values: [] } : { start: 0, values: ['old'] }
    if (isDone) assert.equal(expected.start, 50)
    assert.deepEqual(await readValues(log), expected.values)
    const { baseOffset } = await appended(log.append(batchOf(['next'])))
    assert.equal(baseOffset, expected.start + expected.values.length)
    await using again = await openWorld({ disk: disk.crash(chanceOf(failAt)) })
    assert.deepEqual(await readValues(await again.openLog()), [...expected.values, 'next'])
  }
})

test('logs: on the disk of this machine', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-log-'))
  try {
    const options = { folder: join(folder, 'logs'), clock: testClock(), log: silentLog, producerExpirationMs: 1000 }
    const at = { topicId, topic: 'orders', partition: 0 }
    const config = { ...testConfig, segmentBytes: 200_000 }
    const values = Array.from({ length: 400 }, (_, index) => `${index}/${'v'.repeat((index * 37) % 5000)}`)
    {
      await using logs = await openLogs(options)
      const log = await logs.open(at, config)
      await Promise.all(values.map((value) => appended(log.append(batchOf([value])))))
      assert.deepEqual(await readValues(log), values)
      assert.deepEqual(await log.deleteRecords(200), { ok: true, logStartOffset: 200 })
      const { totalBytes, usableBytes } = await logs.usage()
      assert.ok(totalBytes === log.sizeBytes && totalBytes > 200_000 && usableBytes > 0)
    }
    await using logs = await openLogs(options)
    const log = await logs.open(at, config)
    assert.deepEqual(await readValues(log), values.slice(200))
    assert.deepEqual(await readValues(log, 333), values.slice(333))
    assert.equal((await readRecords(log)).length, 200)
    assert.equal((await readAll(log, { bytesMax: 1 })).length, 200)
    await logs.delete(topicId, 0)
    assert.deepEqual(logs.list(), [])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
