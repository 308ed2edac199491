import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { waitFor } from '../../test/support/process.ts'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { Warnings } from '../events/warnings.ts'
import { type MirrorRow, mirrorTable } from '../mirror/rows.ts'
import { openStore } from '../store/store.ts'
import { warnOfFailedMirrors } from './mirror-warnings.ts'

test('a mirror that fails is a warning until it goes on', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-warnings-'))
  const store = await openStore({ directory, log: silentLog })
  t.after(async () => {
    await store[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  })
  const warnings = new Warnings({ store, clock: systemClock, log: silentLog })
  const stop = warnOfFailedMirrors(store, warnings)
  const put = (state: object) => {
    const row = { mirrorId: 'm', topic: 'orders', state } as unknown as MirrorRow
    return store.execute('test', () => ({ changes: [mirrorTable.put('m', row)], result: undefined }))
  }
  const becomes = (status: string) => waitFor(() => warnings.list()[0]?.status === status, { what: status })
  await put({ name: 'FAILED', failure: { message: 'a foreign record' } })
  await becomes('new')
  const [warning] = warnings.list()
  assert.deepEqual([warning?.entity, warning?.message], ['/1.0/topics/orders', 'a foreign record'])
  await put({ name: 'ACTIVE' })
  await becomes('resolved')
  stop()
})
