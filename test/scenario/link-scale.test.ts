import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type IdentityRow, identityTable } from '../../src/access/rows.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { createCertificate } from '../../src/identity/certificate.ts'
import { type LinkRow, linkTable } from '../../src/link/rows.ts'
import { openStore } from '../../src/store/store.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { callV1, linksPath } from '../support/link-calls.ts'
import { cli } from '../support/sites.ts'

/** A daemon that many clusters and people know. Where its peers should be, nothing listens. */
const linksCount = 200
const identitiesCount = 2000
const residentMegabytesMax = 200
const listMsMax = 150

let folder = ''
let daemon: Daemon

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linkspan-scale-'))
  await fill(join(folder, 'state'))
  daemon = await startDaemon({ name: 'site', stateDir: join(folder, 'state') })
})

after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  if (folder) await rm(folder, { recursive: true, force: true })
})

/** As if all of them had been linked: rows of the right size, with fingerprints of nobody. */
async function fill(directory: string): Promise<void> {
  const request = { commonName: 'x', hostNames: ['x'], addresses: [], clock: systemClock }
  const { certificatePem: pem } = await createCertificate(request)
  const nowMs = systemClock.wallMs()
  const identities = Array.from({ length: identitiesCount }, (_, index): IdentityRow => {
    const isLink = index < linksCount
    const fingerprint = createHash('sha256').update(String(index)).digest('hex')
    return {
      id: fingerprint,
      kind: isLink ? 'cluster-link' : 'client',
      name: isLink ? `site-${index}` : `person-${index}`,
      groups: [],
      certificate: { pem, fingerprint, validFromMs: 0, validToMs: nowMs + 1e12 },
      pending: null,
      createdAtMs: nowMs,
    }
  })
  const links = identities.slice(0, linksCount).map(({ id, name }): LinkRow => {
    return {
      id: crypto.randomUUID(),
      name,
      description: 'one of many',
      type: 'bidirectional',
      reach: 'peer',
      state: 'active',
      identityId: id,
      peer: { fingerprint: id, certificatePem: pem },
      config: { 'volatile.addresses': '127.0.0.1:1,127.0.0.1:2', 'user.owner': 'ops' },
      createdMs: nowMs,
    }
  })
  await using store = await openStore({ directory, log: silentLog })
  await store.execute('fill', () => ({
    changes: [
      ...identities.map((row) => identityTable.put(row.id, row)),
      ...links.map((row) => linkTable.put(row.id, row)),
    ],
    result: undefined,
  }))
}

const patienceMs = 10_000

/**
 * The best of several, of more while none is good enough: what else the machine does is not what is measured, nor that
 * the daemon, just started, looks for 200 peers that are not there.
 */
async function bestMs(work: () => Promise<unknown>, enoughMs = listMsMax): Promise<number> {
  const beganMs = performance.now()
  let bestMs = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5 || (bestMs >= enoughMs && performance.now() - beganMs < patienceMs); round += 1) {
    const startedMs = performance.now()
    await work()
    bestMs = Math.min(bestMs, performance.now() - startedMs)
  }
  return bestMs
}

test('all of them together leave the daemon small', async (t) => {
  const status = await readFile(`/proc/${daemon.process.pid}/status`, 'utf8')
  const megabytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
  t.diagnostic(`${megabytes.toFixed(0)} MB`)
  assert.ok(megabytes < residentMegabytesMax, `${megabytes} MB`)
})

test('lists of 200 links and 2000 identities come soon', async (t) => {
  const lists = [
    [linksPath, linksCount],
    [`${linksPath}?recursion=1`, linksCount],
    ['/1.0/auth/identities', identitiesCount],
    ['/1.0/auth/identities?recursion=1', identitiesCount],
  ] as const
  for (const [path, count] of lists) {
    assert.equal((await callV1(daemon, 'GET', path)).metadata.length, count)
    const tookMs = await bestMs(() => callV1(daemon, 'GET', path))
    t.diagnostic(`${path}: ${tookMs.toFixed(1)} ms`)
    assert.ok(tookMs < listMsMax, `${path} took ${tookMs} ms`)
  }
})

test('the list commands add little to the start of the command itself', async (t) => {
  const startMs = await bestMs(() => cli(daemon, 'version'))
  for (const line of ['cluster link list -f csv', 'auth identity list -f csv']) {
    const tookMs = (await bestMs(() => cli(daemon, line), startMs + listMsMax)) - startMs
    t.diagnostic(`${line}: ${tookMs.toFixed(0)} ms more than the ${startMs.toFixed(0)} ms of "version"`)
    assert.ok(tookMs < listMsMax, `${line} took ${tookMs} ms`)
  }
})

test('one of many links tells its state as soon as one of few', async () => {
  const startedMs = performance.now()
  const state = await callV1(daemon, 'GET', `${linksPath}/site-77/state`)
  assert.ok(performance.now() - startedMs < 5000)
  assert.equal(state.metadata.cluster_link_members.length, 2)
  for (const { status, reason } of state.metadata.cluster_link_members) {
    assert.equal(status, 'Unreachable')
    assert.equal(reason, 'nothing listens there')
  }
})
