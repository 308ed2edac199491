import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { LinkspanError } from '../base/errors.ts'
import { silentLog } from '../base/log.ts'
import type { RowChange, RowLog, StoredRow } from './row-log.ts'
import { type CommittedChange, changesOf } from './rows.ts'
import { openStore, openStoreOn, type Store } from './store.ts'
import { defineTable } from './table.ts'

interface Item {
  count: number
  tags?: string[]
}

const items = defineTable<Item>('item', 1)
const others = defineTable<Item>('other', 1)

/** A back end in memory that fails when told to, and whose failed appends can reach the "disk" all the same. */
class TestLog implements RowLog {
  readonly place = 'memory'
  readonly stored = new Map<string, StoredRow>()
  readonly appends: (readonly RowChange[])[] = []
  failAppends = 0
  failLoads = 0
  storesDespiteFailure = false
  delay: Promise<void> | undefined

  async load(): Promise<StoredRow[]> {
    if (this.failLoads-- > 0) throw new LinkspanError('storage', 'no disk to read')
    return [...this.stored.values()]
  }

  async append(changes: readonly RowChange[]): Promise<void> {
    await this.delay
    this.appends.push(changes)
    const fails = this.failAppends-- > 0
    if (!fails || this.storesDespiteFailure) this.#write(changes)
    if (fails) throw new LinkspanError('storage', 'no room')
  }

  #write(changes: readonly RowChange[]): void {
    for (const { kind, key, value } of changes) {
      if (value === null) this.stored.delete(`${kind}/${key}`)
      else this.stored.set(`${kind}/${key}`, { kind, key, value })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

async function openTest(): Promise<{ rowLog: TestLog; store: Store }> {
  const rowLog = new TestLog()
  return { rowLog, store: await openStoreOn(rowLog, { log: silentLog, tables: [items, others] }) }
}

function put(store: Store, key: string, count: number): Promise<number> {
  return store.execute('item.put', () => ({ changes: [items.put(key, { count })], result: count }))
}

test('commands of one turn see each other, are committed together, and resolve after that', async () => {
  const { rowLog, store } = await openTest()
  const add = () =>
    store.execute('item.add', (rows) => {
      const count = (rows.get(items, 'a')?.count ?? 0) + 1
      return { changes: [items.put('a', { count })], result: count }
    })
  const added = Promise.all([add(), add(), add(), put(store, 'b', 7)])
  assert.equal(rowLog.appends.length, 0)
  assert.deepEqual(await added, [1, 2, 3, 7])
  assert.deepEqual(rowLog.appends, [[items.put('a', { count: 3 }), items.put('b', { count: 7 })]])
})

test('a command that throws changes nothing and hurts no other', async () => {
  const { store } = await openTest()
  const refused = store.execute('item.refuse', () => {
    throw new LinkspanError('in-use', 'not now')
  })
  const halfway = store.execute('item.halfway', () => ({
    changes: [items.put('a', { count: 1 }), { kind: 'item', key: 'b', value: 'not JSON' }],
    result: undefined,
  }))
  await Promise.all([
    assert.rejects(refused, { code: 'in-use' }),
    assert.rejects(halfway, { code: 'corrupt' }),
    put(store, 'c', 1),
  ])
  assert.deepEqual(store.rows.list(items), [{ key: 'c', row: { count: 1 } }])
})

test('a failed commit fails its commands and those behind, and nothing of them is left', async () => {
  const { rowLog, store } = await openTest()
  await put(store, 'a', 1)
  const seen: (readonly CommittedChange[])[] = []
  store.onCommitted((changes) => seen.push(changes))
  rowLog.failAppends = 1
  let release = () => {}
  rowLog.delay = new Promise((resolve) => {
    release = resolve
  })
  const failing = put(store, 'a', 2)
  await new Promise((next) => setImmediate(next))
  const behind = store.execute('item.remove', () => ({ changes: [items.remove('a')], result: undefined }))
  release()
  await assert.rejects(failing, { code: 'storage', message: '"item.put" was not done: no room' })
  await assert.rejects(behind, { code: 'storage' })
  assert.equal(store.rows.get(items, 'a')?.count, 1)
  assert.deepEqual(seen, [])
  assert.equal(await put(store, 'a', 3), 3)
  assert.equal(rowLog.appends.length, 3)
})

test('while the back end cannot be read either, reads show what was acknowledged and commands say why', async () => {
  const { rowLog, store } = await openTest()
  await put(store, 'a', 1)
  rowLog.failAppends = 1
  rowLog.failLoads = 2
  await assert.rejects(put(store, 'a', 2), { code: 'storage' })
  assert.equal(store.rows.get(items, 'a')?.count, 1)
  await assert.rejects(put(store, 'a', 3), { code: 'storage', message: /no disk to read/ })
  assert.equal(await put(store, 'a', 4), 4)
})

test('a commit that failed but is stored is found out and told to listeners', async () => {
  const { rowLog, store } = await openTest()
  const seen: unknown[] = []
  store.onCommitted((changes) => seen.push(...changesOf(items, changes)))
  rowLog.failAppends = 1
  rowLog.storesDespiteFailure = true
  await assert.rejects(put(store, 'a', 2), { code: 'storage' })
  assert.equal(store.rows.get(items, 'a')?.count, 2)
  assert.deepEqual(seen, [{ key: 'a', before: undefined, after: { count: 2 } }])
})

test('listeners get typed changes before the caller resumes; a failing one hurts nobody', async () => {
  const { store } = await openTest()
  const seen: unknown[] = []
  store.onCommitted(() => {
    throw new Error('listener')
  })
  const stop = store.onCommitted((changes) => seen.push(...changesOf(items, changes)))
  await put(store, 'a', 1).then(() => seen.push('resumed'))
  const changes = [items.put('a', { count: 1 }), others.put('a', { count: 5 })]
  await store.execute('both', () => ({ changes, result: undefined }))
  await store.execute('item.remove', () => ({ changes: [items.remove('a'), items.remove('z')], result: undefined }))
  assert.deepEqual(seen, [
    { key: 'a', before: undefined, after: { count: 1 } },
    'resumed',
    { key: 'a', before: { count: 1 }, after: undefined },
  ])
  stop()
  await put(store, 'b', 1)
  assert.equal(seen.length, 3)
})

test('rows are copies, frozen and in the order of their keys', async () => {
  const { store } = await openTest()
  const mine = { count: 1, tags: ['x'] }
  await store.execute('put', () => ({ changes: [items.put('b', mine), items.put('B', mine)], result: undefined }))
  mine.tags.push('y')
  const row = store.rows.get(items, 'b')
  assert.deepEqual(row, { count: 1, tags: ['x'] })
  assert.throws(() => row?.tags?.push('z'), TypeError)
  assert.deepEqual(
    store.rows.list(items).map(({ key }) => key),
    ['B', 'b'],
  )
  assert.deepEqual([store.rows.count(items), store.rows.has(items, 'b'), store.rows.has(others, 'b')], [2, true, false])
})

test('keys and rows that a back end could not hold are refused', () => {
  for (const key of ['', 'a\0b', '\ud800', 'x'.repeat(1025)]) {
    assert.throws(() => items.put(key, { count: 1 }), { code: 'invalid-request' })
    assert.throws(() => items.remove(key), { code: 'invalid-request' })
  }
  const tags = ['x'.repeat(1_000_000)]
  assert.throws(() => items.put('a', { count: 1, tags }), { code: 'too-large' })
})

test('rows of an older version are upgraded, those of a newer one stop the start', async () => {
  const rowLog = new TestLog()
  await rowLog.append([items.put('a', { count: 1 })])
  const renamed = defineTable<{ total: number }>('item', 2, (row, version) => ({ total: Number(row.count) + version }))
  await using store = await openStoreOn(rowLog, { log: silentLog, tables: [renamed] })
  assert.deepEqual(store.rows.get(renamed, 'a'), { total: 2 })
  await store.execute('put', () => ({ changes: [renamed.put('a', { total: 2 })], result: undefined }))
  await assert.rejects(openStoreOn(rowLog, { log: silentLog, tables: [items] }), {
    code: 'state-too-new',
    message: /item "a" is of version 2, this Linkspan knows 1/,
  })
})

test('a closed store has committed what it took and takes no more', async () => {
  const { rowLog, store } = await openTest()
  const last = put(store, 'a', 1)
  await store[Symbol.asyncDispose]()
  assert.equal(await last, 1)
  assert.equal(rowLog.stored.size, 1)
  await assert.rejects(put(store, 'a', 2), { code: 'closed' })
})

test('property: after any commands, memory is what the disk holds, and a new start finds the same', async () => {
  const change = fc.record({
    table: fc.constantFrom(items, others),
    key: fc.constantFrom('a', 'b', 'c/d', 'ä', '\u{1f600}'),
    row: fc.option(fc.record({ count: fc.double({ noNaN: true }), tags: fc.array(fc.string({ unit: 'binary' })) })),
  })
  const command = fc.record({ changes: fc.array(change, { maxLength: 4 }), fails: fc.boolean(), waits: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 15 }), async (commands) => {
      const directory = await mkdtemp(join(tmpdir(), 'linkspan-store-'))
      try {
        let dump: StoredRow[] = []
        {
          await using store = await openStore({ directory, log: silentLog, tables: [items, others] })
          const running: Promise<unknown>[] = []
          for (const { changes, fails, waits } of commands) {
            const done = store.execute('random', () => {
              if (fails) throw new LinkspanError('in-use', 'refused')
              const batch = changes.map(({ table, key, row }) => (row ? table.put(key, row) : table.remove(key)))
              return { changes: batch, result: undefined }
            })
            running.push(done.catch((error: unknown) => assert.ok(fails, String(error))))
            if (waits) await done.catch(() => {})
          }
          await Promise.all(running)
          dump = store.dump()
        }
        await using again = await openStore({ directory, log: silentLog, tables: [items, others] })
        assert.deepEqual(again.dump(), dump)
      } finally {
        await rm(directory, { recursive: true })
      }
    }),
    { numRuns: 40 },
  )
})
