import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { withLock } from './lock.ts'

test('one at a time, whatever fails, and a lock that was left behind is passed over', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-lock-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'seat', 'lock')
  let inside = 0
  let most = 0
  const work = async (fails: boolean) => {
    inside += 1
    most = Math.max(most, inside)
    await new Promise((resolve) => setImmediate(resolve))
    inside -= 1
    if (fails) throw new Error('no')
  }
  const results = await Promise.allSettled([0, 1, 2, 3].map((index) => withLock(path, () => work(index === 1))))
  assert.deepEqual([most, results.filter(({ status }) => status === 'rejected').length], [1, 1])
  await writeFile(path, '')
  await utimes(path, 1, 1)
  assert.equal(await withLock(path, async () => 'mine'), 'mine')
  assert.deepEqual(await readdir(join(folder, 'seat')), [])
})
