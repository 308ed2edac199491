import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../base/log.ts'
import { openStore } from '../store/store.ts'
import { Warnings } from './warnings.ts'

const dayMs = 24 * 3_600_000
const key = { type: 'Kafka is not reached' }
const warning = { ...key, message: 'nothing listens', severity: 'high' } as const

async function open(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-warnings-'))
  const clock = { nowMs: 1_000_000, wallMs: () => clock.nowMs, monotonicMs: () => 0 }
  const store = await openStore({ directory, log: silentLog })
  t.after(async () => {
    await store[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  })
  let writes = 0
  store.onCommitted(() => {
    writes += 1
  })
  return { clock, writes: () => writes, warnings: new Warnings({ store, clock, log: silentLog }) }
}

test('a warning is one type about one entity, counted, and written at most once a minute', async (t) => {
  const { clock, writes, warnings } = await open(t)
  for (let index = 0; index < 10; index += 1) {
    await warnings.raise(warning)
    clock.nowMs += 1000
  }
  await warnings.raise({ ...warning, entity: '/1.0/cluster/links/berlin' })
  const [first, second] = warnings.list()
  assert.deepEqual([first?.count, first?.firstSeenMs, first?.lastSeenMs], [10, 1_000_000, 1_009_000])
  assert.deepEqual([second?.count, second?.entity], [1, '/1.0/cluster/links/berlin'])
  assert.equal(writes(), 2)
  clock.nowMs += 60_000
  await warnings.raise(warning)
  assert.deepEqual([warnings.get(first!.uuid).count, writes()], [11, 3])
  await warnings.raise({ ...warning, message: 'another reason' })
  assert.deepEqual([warnings.get(first!.uuid).message, writes()], ['another reason', 4])
})

test('what was over is new again, what was acknowledged stays so, and what is long over goes', async (t) => {
  const { clock, warnings } = await open(t)
  await warnings.resolve(key)
  assert.deepEqual(warnings.list(), [])
  await warnings.raise(warning)
  const { uuid } = warnings.list()[0]!
  await warnings.setStatus(uuid, 'acknowledged')
  clock.nowMs += dayMs
  await warnings.raise(warning)
  assert.equal(warnings.get(uuid).status, 'acknowledged')
  await warnings.resolve(key)
  assert.equal(warnings.get(uuid).status, 'resolved')
  await warnings.raise(warning)
  assert.deepEqual([warnings.get(uuid).status, warnings.get(uuid).count], ['new', 3])
  await warnings.resolve(key)
  await warnings.prune()
  assert.equal(warnings.list().length, 1)
  clock.nowMs += dayMs + 1
  await warnings.prune()
  assert.deepEqual(warnings.list(), [])
  assert.throws(() => warnings.get(uuid), { code: 'not-found' })
  await assert.rejects(warnings.delete(uuid), { code: 'not-found' })
})

test('there is room for so many: what is over makes room first', async (t) => {
  const { clock, warnings } = await open(t)
  const raise = (index: number) => warnings.raise({ ...warning, entity: `/1.0/topics/${index}` })
  for (let index = 0; index < 500; index += 1) {
    await raise(index)
    clock.nowMs += 1
  }
  await warnings.resolve({ ...key, entity: '/1.0/topics/7' })
  await raise(500)
  await raise(501)
  const entities = warnings.list().map(({ entity }) => entity)
  assert.equal(entities.length, 500)
  for (const gone of ['/1.0/topics/7', '/1.0/topics/0']) assert.ok(!entities.includes(gone), gone)
})
