import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../src/base/log.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { batchesKept, counters, parts } from '../support/store-child.ts'

const childPath = resolve(import.meta.dirname, '../support/store-child.ts')

async function temporary(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-scenario-store-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

interface Writer {
  child: ChildProcess
  lines: AsyncIterator<string>
}

function startWriter(context: TestContext, command: string, args: string[]): Writer {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  context.after(() => child.kill('SIGKILL'))
  return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator]() }
}

function open(directory: string): Promise<Store> {
  return openStore({ directory, log: silentLog, tables: [...parts, counters] })
}

/** Every batch up to the last one is there whole, and no part of a later one. Returns the last. */
function checkBatches(store: Store): number {
  const last = store.rows.get(counters, 'last')?.batch ?? 0
  for (const part of parts) {
    const batches = store.rows.list(part).map(({ row }) => row.batch)
    const expected = Array.from({ length: Math.min(last, batchesKept) }, (_, index) => last - index)
    assert.deepEqual(
      batches.sort((one, other) => other - one),
      expected,
      `batches of ${part.kind}`,
    )
  }
  return last
}

test('kill -9 under load loses nothing acknowledged and leaves no half batch', { timeout: 60_000 }, async (context) => {
  const directory = await temporary(context)
  let last = 0
  for (let round = 0; round < 8; round += 1) {
    const { child, lines } = startWriter(context, process.execPath, [childPath, directory, `${1 + round * 4}`, '300'])
    assert.equal((await lines.next()).value, 'open')
    const wanted = 40 + Math.floor(Math.random() * 400)
    let acknowledged = 0
    for (let count = 0; count < wanted; count += 1) acknowledged = Number((await lines.next()).value)
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    for (let line = await lines.next(); !line.done; line = await lines.next()) acknowledged = Number(line.value)
    await using store = await open(directory)
    const stored = checkBatches(store)
    assert.ok(stored >= acknowledged, `round ${round}: batch ${acknowledged} was acknowledged, ${stored} is the last`)
    assert.ok(acknowledged > last)
    last = stored
  }
})

test('a second process is refused while the first lives, and let in once it is killed', async (context) => {
  const directory = await temporary(context)
  const { child, lines } = startWriter(context, process.execPath, [childPath, directory, '1', '10'])
  assert.equal((await lines.next()).value, 'open')
  assert.equal((await lines.next()).value, '1')
  await assert.rejects(open(directory), { code: 'state-locked' })
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  await using store = await open(directory)
  assert.equal(store.rows.count(counters), 1)
})

const noLimits = process.platform === 'win32' && 'no file size limits here'

test('a file that cannot grow: the command fails, what was acknowledged stays', { skip: noLimits }, async (context) => {
  const directory = await temporary(context)
  // The limit stands for a full disk: the write itself fails, in the middle of the log or of the file.
  const script = `trap '' XFSZ; ulimit -f 600; exec "$0" "$@"`
  const args = ['-c', script, process.execPath, childPath, directory, '4', '3000']
  const { lines } = startWriter(context, 'bash', args)
  let acknowledged = 0
  let failure = ''
  for (let line = await lines.next(); !line.done; line = await lines.next()) {
    if (line.value.startsWith('failed')) failure = line.value
    else if (line.value !== 'open') acknowledged = Number(line.value)
  }
  assert.match(failure, /^failed storage "batch" was not done: .*linkspan\.db could not be written: .*try again/)
  assert.ok(acknowledged > 10, `${acknowledged} batches`)
  await using store = await open(directory)
  assert.ok(checkBatches(store) >= acknowledged)
})
