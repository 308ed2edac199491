import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Access } from '../access/access.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { createCertificate } from '../identity/certificate.ts'
import { loadHostIdentity, storeKeyPair } from '../identity/keys.ts'
import { openSealer } from '../identity/sealing.ts'
import { openStore } from '../store/store.ts'
import { CertificateRotation, type RotationOptions } from './rotation.ts'
import { type LinkRow, linkTable } from './rows.ts'

const naming = { name: 'here', hostNames: [], addresses: [], clock: systemClock }

async function stateFolder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-rotation-'))
  t.after(() => rm(directory, { recursive: true }))
  return directory
}

/** What a daemon is about its certificate, from one start to its end. */
async function openLife(directory: string, more: Partial<RotationOptions> = {}, clock: Clock = systemClock) {
  const store = await openStore({ directory, log: silentLog })
  const access = new Access({ store, clock: systemClock, log: silentLog })
  const identity = await loadHostIdentity({ directory, ...naming })
  const sealer = await openSealer(directory)
  const served: string[] = []
  const problems: (string | null)[] = []
  const context = { store, access, sealer, identity, clock, log: silentLog, addresses: () => [] }
  const rotation = new CertificateRotation({
    context,
    identity,
    directory,
    makePair: () => createCertificate({ commonName: 'here', ...naming }),
    serve: async ({ fingerprint }) => void served.push(fingerprint),
    generation: () => 1,
    onSwitched: () => {},
    onUntold: (_, problem) => problems.push(problem),
    ...more,
  })
  const end = async () => {
    await rotation[Symbol.asyncDispose]()
    access[Symbol.dispose]()
    await store[Symbol.asyncDispose]()
  }
  return { rotation, identity, store, served, problems, [Symbol.asyncDispose]: end }
}

async function keysIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.startsWith('cluster')).sort()
}

async function ended({ rotation }: { rotation: CertificateRotation }): Promise<void> {
  while (rotation.pending) await new Promise((resolve) => setImmediate(resolve))
}

test('without links a rotation is over at once, and leaves one pair', async (t) => {
  const directory = await stateFolder(t)
  await using life = await openLife(directory)
  const previous = life.identity.clusterFingerprint
  const next = await life.rotation.begin()
  await assert.rejects(life.rotation.begin(), { code: 'state-conflict' })
  assert.equal(life.identity.clusterFingerprint, previous)
  const report = await life.rotation.carryOut()
  assert.deepEqual(report, { fingerprint: next, previous, told: [], untold: [] })
  assert.deepEqual([life.served, life.identity.clusterFingerprint, life.rotation.pending], [[next], next, undefined])
  assert.deepEqual(await keysIn(directory), ['cluster.crt', 'cluster.key'])
})

test('a crash after any step is followed by the steps that are left', async (t) => {
  const directory = await stateFolder(t)
  const crash = () => Promise.reject(new Error('the power went off'))
  let next = ''
  {
    await using life = await openLife(directory)
    next = await life.rotation.begin()
  }
  {
    // Begun, not announced: it goes on, and stops when the pair has its name and the row does not know.
    await using life = await openLife(directory, { serve: crash })
    assert.notEqual(life.identity.clusterFingerprint, next)
    await assert.rejects(life.rotation.carryOut(), /power/)
    assert.equal(life.rotation.pending?.switched, false)
  }
  {
    await using life = await openLife(directory)
    assert.equal(life.identity.clusterFingerprint, next)
    await life.rotation.resume()
    await ended(life)
    assert.deepEqual(life.served, [next])
  }
  assert.deepEqual(await keysIn(directory), ['cluster.crt', 'cluster.key'])
})

test('a pair that was made and never announced goes', async (t) => {
  const directory = await stateFolder(t)
  await using life = await openLife(directory)
  await storeKeyPair(directory, 'cluster-next', await createCertificate({ commonName: 'here', ...naming }))
  await life.rotation.resume()
  assert.deepEqual(await keysIn(directory), ['cluster.crt', 'cluster.key'])
})

test('a cluster that cannot be told keeps the old key here for a week, and no longer', async (t) => {
  const directory = await stateFolder(t)
  const clock = { ...systemClock, aheadMs: 0, wallMs: () => systemClock.wallMs() + clock.aheadMs }
  await using life = await openLife(directory, {}, clock)
  const link: LinkRow = {
    id: crypto.randomUUID(),
    name: 'gone',
    description: '',
    type: 'bidirectional',
    reach: 'peer',
    state: 'active',
    peer: { fingerprint: 'f'.repeat(64), certificatePem: '' },
    config: { 'volatile.addresses': '127.0.0.1:1' },
    createdMs: 0,
  }
  const { rotation, store } = life
  await store.execute('link', () => ({ changes: [linkTable.put(link.id, link)], result: undefined }))
  await rotation.begin()
  const { untold, previous } = await rotation.carryOut()
  assert.deepEqual(
    untold.map((one) => one.link),
    ['gone'],
  )
  assert.match(untold[0]!.problem, /nothing listens there/)
  assert.equal((await keysIn(directory)).length, 4)
  assert.deepEqual(
    rotation.pending?.retired.map(({ fingerprint }) => fingerprint),
    [previous],
  )
  clock.aheadMs = 8 * 86_400_000
  await rotation.carryOut()
  assert.equal(rotation.pending, undefined)
  assert.deepEqual(await keysIn(directory), ['cluster.crt', 'cluster.key'])
})
