import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chanceOf, type TestDisk } from './test-disk.ts'
import { appended, batchOf, openWorld, produced, readValues, recordingLog, settle, topicId } from './test-world.ts'

const folder = `/logs/${topicId}-0`
const logFile = `${folder}/${'0'.repeat(20)}.log`

async function killedDisk(values: readonly string[], config = {}): Promise<TestDisk> {
  const world = await openWorld()
  const log = await world.openLog(0, config)
  for (const value of values) await appended(log.append(batchOf([value])))
  return world.disk.copy(chanceOf(9))
}

async function change(disk: TestDisk, path: string, edit: (bytes: Buffer) => Buffer): Promise<void> {
  const bytes = edit((await disk.readFile(path)) ?? Buffer.alloc(0))
  const file = disk.open(path, 'create')
  file.truncate(0)
  file.write([bytes], 0)
}

test('recovery: a file torn at any byte ends after its last whole batch, and a line says what was cut', async () => {
  const whole = await killedDisk(['a', 'b', 'c'])
  const size = (await whole.stat(logFile))!.sizeBytes
  const batch = size / 3
  for (let length = 0; length <= size; length += 1) {
    const disk = whole.copy(chanceOf(1))
    await change(disk, logFile, (bytes) => bytes.subarray(0, length))
    const log = recordingLog()
    const world = await openWorld({ disk, log })
    const partition = await world.openLog()
    const count = Math.floor(length / batch)
    assert.deepEqual(await readValues(partition), ['a', 'b', 'c'].slice(0, count), `${length} bytes`)
    assert.equal(partition.logEndOffset, count)
    const isCut = length % batch !== 0
    assert.deepEqual(
      log.lines.map(({ fields }) => (fields as { cutBytes?: number }).cutBytes),
      isCut ? [length % batch] : [],
    )
    assert.equal((await appended(partition.append(batchOf(['next'])))).baseOffset, count)
  }
})

test('recovery: a byte changed anywhere cuts the log there, and zeros behind it count for nothing', async () => {
  const whole = await killedDisk(['a', 'b', 'c'])
  const size = (await whole.stat(logFile))!.sizeBytes
  const batch = size / 3
  for (let at = 0; at < size; at += 1) {
    // Offsets and the leader epoch lie outside of the CRC; an offset that leaves a gap is a mirror's right.
    if (at % batch < 16 && at % batch !== 8) continue
    const disk = whole.copy(chanceOf(1))
    await change(disk, logFile, (bytes) => {
      bytes[at]! ^= 0x40
      return Buffer.concat([bytes, Buffer.alloc(100)])
    })
    const world = await openWorld({ disk })
    assert.deepEqual(await readValues(await world.openLog()), ['a', 'b', 'c'].slice(0, Math.floor(at / batch)), `${at}`)
  }
})

test('recovery: after a clean stop nothing is read, after a kill what came since the last checkpoint', async () => {
  const world = await openWorld()
  const log = await world.openLog()
  for (const value of ['a', 'b', 'c']) await appended(log.append(batchOf([value])))
  await world.logs.checkRetention()
  await appended(log.append(batchOf(['d'])))
  const killed = world.disk.copy(chanceOf(1))
  await world.logs[Symbol.asyncDispose]()
  const readBytes = async (disk: TestDisk) => {
    let total = 0
    const open = disk.open.bind(disk)
    disk.open = (path, mode) => {
      const file = open(path, mode)
      const read = async (target: Uint8Array, length: number, position: number) => {
        total += length
        return await file.read(target, length, position)
      }
      return { ...file, read }
    }
    const again = await openWorld({ disk })
    assert.equal((await again.openLog()).logEndOffset, 4)
    return total
  }
  assert.equal(await readBytes(world.disk.copy(chanceOf(1))), 0)
  assert.equal(await readBytes(killed), (await killed.stat(logFile))!.sizeBytes / 4)
})

test('recovery: a batch that stands in the wrong place is cut, as is a segment that does not follow', async () => {
  const disk = await killedDisk(['a', 'b', 'c'])
  await change(disk, logFile, (bytes) => Buffer.concat([bytes, bytes.subarray(0, bytes.length / 3)]))
  const stray = `${folder}/${'7'.padStart(20, '0')}.log`
  await change(disk, stray, () => batchOf(['stray'], { baseOffset: 7 }))
  const world = await openWorld({ disk })
  assert.deepEqual(await readValues(await world.openLog()), ['a', 'b', 'c'])
  assert.equal(await disk.stat(stray), undefined)
})

test('recovery: without a checkpoint, or with one that is damaged, everything is read', async () => {
  for (const damage of ['removed', 'changed']) {
    const log = recordingLog()
    const disk = await killedDisk(['a', 'b', 'c', 'd'], { segmentBytes: 150 })
    if (damage === 'removed') await disk.remove(`${folder}/checkpoint`)
    else await change(disk, `${folder}/checkpoint`, (bytes) => bytes.fill(0x20, 5, 9))
    const world = await openWorld({ disk, log })
    const partition = await world.openLog()
    assert.deepEqual(await readValues(partition), ['a', 'b', 'c', 'd'])
    assert.deepEqual(
      log.lines.map(({ level }) => level),
      ['warn'],
    )
    await world.logs[Symbol.asyncDispose]()
    const again = await openWorld({ disk, log })
    assert.deepEqual(await readValues(await again.openLog()), ['a', 'b', 'c', 'd'])
    assert.equal(log.lines.length, 1)
  }
})

test('recovery: a damaged checkpoint of an empty log stops it rather than give its offsets out again', async () => {
  const world = await openWorld()
  const log = await world.openLog()
  await log.restartAt(1_000_000)
  await world.logs[Symbol.asyncDispose]()
  await change(world.disk, `${folder}/checkpoint`, (bytes) => bytes.fill(0x20, 5, 9))
  const again = await openWorld({ disk: world.disk })
  await assert.rejects(again.openLog(), { code: 'corrupt' })
})

test('recovery: a lost snapshot of producers is made again from the records', async () => {
  const world = await openWorld()
  const log = await world.openLog(0, { segmentBytes: 150 })
  for (let sequence = 0; sequence < 6; sequence += 1) await appended(log.append(produced(3n, 0, sequence)))
  await world.logs[Symbol.asyncDispose]()
  const names = await world.disk.list(folder)
  const snapshots = names.filter((name) => name.endsWith('.snapshot'))
  assert.equal(snapshots.length, 1)
  for (const damage of ['removed', 'changed']) {
    const disk = world.disk.copy(chanceOf(4))
    if (damage === 'removed') await disk.remove(`${folder}/${snapshots[0]}`)
    else await change(disk, `${folder}/${snapshots[0]}`, (bytes) => bytes.fill(1, 8, 10))
    const again = await openWorld({ disk })
    const reopened = await again.openLog()
    assert.equal((await appended(reopened.append(produced(3n, 0, 2)))).baseOffset, 2)
    assert.equal((await appended(reopened.append(produced(3n, 0, 6)))).baseOffset, 6)
  }
})

test('recovery: an index that is lost or wrong makes reads slower, never wrong', async () => {
  const config = { segmentBytes: 20_000, indexIntervalBytes: 200 }
  const values = Array.from({ length: 300 }, (_, index) => `${index}-${'v'.repeat(index % 90)}`)
  const world = await openWorld()
  const log = await world.openLog(0, config)
  await Promise.all(values.map((value) => appended(log.append(batchOf([value])))))
  await world.logs[Symbol.asyncDispose]()
  const indexes = (await world.disk.list(folder)).filter((name) => name.endsWith('.index'))
  assert.equal(indexes.length, 2)
  for (const damage of ['removed', 'changed', 'emptied']) {
    const disk = world.disk.copy(chanceOf(4))
    for (const name of indexes) {
      if (damage === 'removed') await disk.remove(`${folder}/${name}`)
      else
        await change(disk, `${folder}/${name}`, (bytes) =>
          damage === 'emptied' ? bytes.subarray(0, 0) : garble(bytes),
        )
    }
    const again = await openWorld({ disk })
    const reopened = await again.openLog(0, config)
    for (const from of [0, 7, 150, 190, 299]) {
      assert.deepEqual(await readValues(reopened, from), values.slice(from), `${damage} ${from}`)
    }
  }
})

/** Positions that point between batches. */
function garble(bytes: Buffer): Buffer {
  for (let at = 7; at < bytes.length; at += 8) bytes[at]! += 1
  return bytes
}

test('recovery: records that were on disk and are gone leave a gap; no offset is given out twice', async () => {
  const log = recordingLog()
  const world = await openWorld()
  const partition = await world.openLog()
  for (const value of ['a', 'b', 'c']) await appended(partition.append(batchOf([value])))
  await world.logs[Symbol.asyncDispose]()
  await change(world.disk, logFile, (bytes) => bytes.subarray(0, bytes.length - 10))
  const again = await openWorld({ disk: world.disk, log })
  const reopened = await again.openLog()
  assert.equal(reopened.logEndOffset, 3)
  assert.deepEqual(await readValues(reopened), ['a', 'b'])
  assert.equal((await appended(reopened.append(batchOf(['d'])))).baseOffset, 3)
  assert.deepEqual(await readValues(reopened), ['a', 'b', 'd'])
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 2)
  await settle()
})

test('recovery: the log start is kept, inside a segment too, and files below it go', async () => {
  const world = await openWorld()
  const log = await world.openLog(0, { segmentBytes: 300 })
  for (let index = 0; index < 20; index += 1) await appended(log.append(batchOf([`${index}`])))
  assert.deepEqual(await log.deleteRecords(14), { ok: true, logStartOffset: 14 })
  for (const disk of [world.disk.copy(chanceOf(1)), world.disk.crash(chanceOf(2))]) {
    const again = await openWorld({ disk })
    const reopened = await again.openLog(0, { segmentBytes: 300 })
    assert.equal(reopened.bounds.logStartOffset, 14)
    assert.equal((await readValues(reopened)).at(-1), '19')
    const files = (await disk.list(folder)).filter((name) => name.endsWith('.log'))
    assert.ok(files.length <= 3, files.join())
  }
})
