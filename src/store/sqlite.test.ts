import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../base/log.ts'
import { openStore, type Store } from './store.ts'
import { defineTable } from './table.ts'

const blobs = defineTable<{ text: string }>('blob', 1)

async function temporary(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-sqlite-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

function put(store: Store, key: string, characters: number): Promise<void> {
  const change = blobs.put(key, { text: 'x'.repeat(characters) })
  return store.execute('blob.put', () => ({ changes: [change], result: undefined }))
}

async function fill(directory: string): Promise<void> {
  await using store = await openStore({ directory, log: silentLog })
  for (let index = 0; index < 20; index += 1) await put(store, `${index}`, 2000)
}

test('a directory is made for the owner alone, and has one user at a time', async (context) => {
  const directory = join(await temporary(context), 'a', 'state')
  {
    await using store = await openStore({ directory, log: silentLog })
    assert.equal((await stat(directory)).mode & 0o777, 0o700)
    await put(store, 'a', 1)
    await assert.rejects(openStore({ directory, log: silentLog }), {
      code: 'state-locked',
      message: new RegExp(`${directory} is in use by another linkspand`),
    })
    await put(store, 'b', 1)
  }
  await using again = await openStore({ directory, log: silentLog })
  assert.equal(again.rows.count(blobs), 2)
})

test('an open directory is closed to others if it is ours, and refused if it may not be', async (context) => {
  const directory = await temporary(context)
  await chmod(directory, 0o755)
  await writeFile(join(directory, 'letter.txt'), 'x')
  await assert.rejects(openStore({ directory, log: silentLog }), { code: 'invalid-config', message: /other files/ })
  assert.equal((await stat(directory)).mode & 0o777, 0o755)
  await writeFile(join(directory, 'linkspand.json'), '{}')
  await using _store = await openStore({ directory, log: silentLog })
  assert.equal((await stat(directory)).mode & 0o777, 0o700)
  await assert.rejects(openStore({ directory: join(directory, 'letter.txt'), log: silentLog }), {
    code: 'invalid-config',
    message: /--state-dir/,
  })
})

test('a full disk fails the command, keeps the rest, and heals when there is room again', async (context) => {
  const directory = await temporary(context)
  await using store = await openStore({ directory, log: silentLog, pagesMax: 20 })
  await put(store, 'a', 5000)
  await put(store, 'b', 5000)
  const before = store.dump()
  const [one, other] = await Promise.allSettled([put(store, 'c', 200_000), put(store, 'd', 1)])
  assert.deepEqual([one.status, other.status], ['rejected', 'rejected'])
  await assert.rejects(put(store, 'c', 200_000), {
    code: 'storage',
    message: /"blob.put" was not done.*free some disk/,
  })
  assert.deepEqual(store.dump(), before)
  await store.execute('blob.remove', () => ({ changes: [blobs.remove('a')], result: undefined }))
  await put(store, 'd', 1)
  assert.deepEqual(
    store.rows.list(blobs).map(({ key }) => key),
    ['b', 'd'],
  )
})

test('a damaged file is refused and left as it is', async (context) => {
  const directory = await temporary(context)
  const path = join(directory, 'linkspan.db')
  await fill(directory)
  const refused = () =>
    assert.rejects(openStore({ directory, log: silentLog }), { code: 'corrupt', message: /restore/ })
  const whole = await readFile(path)

  const holed = Buffer.from(whole)
  holed.fill(0xa5, 4096 * 2, 4096 * 4)
  await writeFile(path, holed)
  await refused()
  await writeFile(path, 'this is no database, but it is long enough to look at'.repeat(100))
  await refused()
  await writeFile(path, whole.subarray(0, 4096 * 3))
  await refused()
  await writeFile(path, whole)
  await using _store = await openStore({ directory, log: silentLog })
})

test('a row that is not ours, a newer layout and a foreign database each have their own word', async (context) => {
  const directory = await temporary(context)
  const path = join(directory, 'linkspan.db')
  await fill(directory)
  const change = (sql: string) => {
    using database = new DatabaseSync(path)
    database.exec(sql)
  }
  const refused = (code: string, message: RegExp) =>
    assert.rejects(openStore({ directory, log: silentLog }), { code, message })
  change("UPDATE rows SET value = '{' WHERE key = '7'")
  await refused('corrupt', /stored blob "7" is damaged/)
  change("UPDATE rows SET value = '[]' WHERE key = '7'")
  await refused('corrupt', /stored blob "7" is damaged/)
  change("DELETE FROM rows WHERE key = '7'; UPDATE meta SET value = '2' WHERE name = 'layout'")
  await refused('state-too-new', /newer Linkspan \(layout 2, this one knows 1\)/)
  change("UPDATE meta SET value = 'x'")
  await refused('corrupt', /damaged/)
  change('DROP TABLE meta')
  await refused('corrupt', /damaged/)
})

test('a directory where no file can be made says so', async (context) => {
  const directory = await temporary(context)
  await mkdir(join(directory, 'linkspan.db'))
  await assert.rejects(openStore({ directory, log: silentLog }), { code: 'storage', message: /could not be opened/ })
  await rm(join(directory, 'linkspan.db'), { recursive: true })
  await using handle = await open(join(directory, 'lock.db'), 'w')
  await handle.writeFile('not a database'.repeat(100))
  await assert.rejects(openStore({ directory, log: silentLog }), { code: 'corrupt', message: /lock\.db/ })
})
