import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createServer } from 'node:tls'
import { Access, readIdentityCertificate } from '../access/access.ts'
import { announceCertificateChanges, createIdentityChanges, listIdentities } from '../access/identities.ts'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { type CertificatePems, createCertificate } from '../identity/certificate.ts'
import { loadHostIdentity } from '../identity/keys.ts'
import { openSealer } from '../identity/sealing.ts'
import { openStore } from '../store/store.ts'
import { Links } from './links.ts'
import { type LinkRow, linkTable } from './rows.ts'

const request = { commonName: 'peer', hostNames: [], addresses: [], clock: systemClock }
const [first, second] = await Promise.all([createCertificate(request), createCertificate(request)])
const factsOf = ({ certificatePem }: CertificatePems) => readIdentityCertificate(certificatePem, systemClock)

/** A link to a peer that has announced its second certificate, a moment ago and for a moment. */
async function announced(t: TestContext, address: string) {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-announced-'))
  const store = await openStore({ directory, log: silentLog })
  const clock = { ...systemClock, aheadMs: 0, wallMs: () => systemClock.wallMs() + clock.aheadMs }
  const access = new Access({ store, clock, log: silentLog })
  const identity = await loadHostIdentity({ directory, name: 'here', hostNames: [], addresses: [], clock })
  const sealer = await openSealer(directory)
  const links = new Links({ store, access, sealer, identity, clock, log: silentLog, addresses: () => [] })
  t.after(async () => {
    await links[Symbol.asyncDispose]()
    access[Symbol.dispose]()
    await store[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  })
  const { fingerprint, pem } = factsOf(first)
  const id = crypto.randomUUID()
  await access.execute('link', (rows) => {
    const input = { kind: 'cluster-link', name: 'peer', groups: [], nowMs: 0, certificate: factsOf(first) } as const
    const link: LinkRow = {
      ...{ id, name: 'peer', description: '', type: 'bidirectional', reach: 'peer', state: 'active', createdMs: 0 },
      identityId: fingerprint,
      peer: { fingerprint, certificatePem: pem },
      config: { 'volatile.addresses': address },
    }
    const { changes } = createIdentityChanges(rows, access.hooks, input)
    return { changes: [...changes, linkTable.put(id, link)], result: undefined }
  })
  await access.execute('announce', (rows) => {
    const next = { certificate: factsOf(second), untilMs: clock.wallMs() + 1000, generation: 1 }
    return { changes: announceCertificateChanges(rows, access.hooks, fingerprint, next).changes, result: undefined }
  })
  const pins = () => {
    const { peer } = links.byId(id)!
    return { now: peer?.fingerprint, next: peer?.next, known: listIdentities(store.rows).map((one) => one.id) }
  }
  return { links, clock, pins }
}

const [firstId, secondId] = [factsOf(first).fingerprint, factsOf(second).fingerprint]

test('an announcement that nothing came of is forgotten when its time is over', async (t) => {
  const { links, clock, pins } = await announced(t, '127.0.0.1:1')
  await links.endAnnouncements()
  assert.deepEqual(pins(), { now: firstId, next: secondId, known: [firstId] }, 'its time is not over')
  clock.aheadMs = 1001
  await links.endAnnouncements()
  assert.deepEqual(pins(), { now: firstId, next: undefined, known: [firstId] })
})

test('a peer that changed, and could not say so, is known by the announced certificate from then on', async (t) => {
  const server = createServer({ cert: second.certificatePem, key: second.privateKeyPem, minVersion: 'TLSv1.3' })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { links, clock, pins } = await announced(t, `127.0.0.1:${(server.address() as AddressInfo).port}`)
  clock.aheadMs = 1001
  await links.endAnnouncements()
  assert.deepEqual(pins(), { now: secondId, next: undefined, known: [secondId] })
})
