import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import type { ClusterCertificate, Operation, Warning } from '../../src/contract/v1.ts'
import { createCertificate } from '../../src/identity/certificate.ts'
import { encodeToken, type TrustToken } from '../../src/identity/trust-token.ts'
import { peekCertificate } from '../../src/transport/pinned.ts'
import { pinnedHttp } from '../../src/transport/pinned-fetch.ts'
import { type Daemon, embeddedBroker, startDaemon } from '../support/daemon.ts'
import { respond, startFakePeer } from '../support/fake-peer.ts'
import { callV1, linkDaemons, mintLinkToken, useLinkToken } from '../support/link-calls.ts'
import { waitFor } from '../support/process.ts'
import { appendTo, caughtUp, cli, linkDaemons as linkReaders } from '../support/sites.ts'

const path = '/1.0/cluster/certificate'

let a: Daemon
let b: Daemon
/** Earlier lives, to which the folders belong. */
const killed: Daemon[] = []

before(async () => {
  ;[a, b] = await Promise.all([startDaemon({ name: 'site-a' }), startDaemon({ name: 'site-b' })])
  await linkDaemons(a, b, { atOne: 'to-b', atOther: 'to-a' })
})

after(async () => {
  await Promise.all([a?.[Symbol.asyncDispose](), b?.[Symbol.asyncDispose]()])
  for (const daemon of killed) await daemon[Symbol.asyncDispose]()
})

async function rotate(at: Daemon, body?: object): Promise<Operation> {
  const answer = await callV1(at, body ? 'PUT' : 'POST', path, body ?? {})
  assert.equal(answer.status, 202, answer.error)
  const ended = await at.client.operations.wait(answer.metadata.id)
  assert.equal(ended.status, 'Success', ended.err)
  return ended
}

function certificateOf(at: Daemon): Promise<ClusterCertificate> {
  return callV1(at, 'GET', path).then(({ metadata }) => metadata as ClusterCertificate)
}

async function statusOf(at: Daemon, link: string): Promise<string> {
  const { cluster_link_members: members } = await at.client.clusterLinks.state(link)
  return members.map(({ status, reason }) => `${status}${reason ? `: ${reason}` : ''}`).join()
}

async function bothActive(): Promise<void> {
  assert.deepEqual([await statusOf(a, 'to-b'), await statusOf(b, 'to-a')], ['Active', 'Active'])
}

/** A call as the daemon's cluster, with the pair of this moment or one that was read before. */
async function pairOf(at: Daemon) {
  const [certificate, key] = await Promise.all(
    ['cluster.crt', 'cluster.key'].map((name) => readFile(join(at.stateDir, name), 'utf8')),
  )
  return { certificate: certificate!, key: key! }
}

async function onAgain(dead: Daemon): Promise<Daemon> {
  killed.push(dead)
  // On the same port, under which it is known.
  return startDaemon({ stateDir: dead.stateDir, args: ['--listen', dead.ready.https] })
}

test('a rotation keeps links in both directions, before, during and after', async () => {
  const old = await pairOf(a)
  const before = await certificateOf(a)
  assert.deepEqual([before.fingerprint, before.rotation], [a.ready.fingerprint, null])
  await using asOld = pinnedHttp({ address: b.ready.https, fingerprint: b.ready.fingerprint, ...old })
  assert.equal((await callV1({ http: asOld }, 'GET', '/1.0')).metadata.auth, 'trusted')
  const token = await mintLinkToken(a, 'not-used-yet')

  const states: string[] = []
  const answer = await callV1(a, 'POST', path, {})
  assert.equal(answer.status, 202)
  const ended = a.client.operations.wait(answer.metadata.id)
  let over = false
  void ended.then(() => {
    over = true
  })
  while (!over) states.push(await statusOf(a, 'to-b'), await statusOf(b, 'to-a'))
  const { metadata, status, err } = await ended
  assert.equal(status, 'Success', err)
  assert.deepEqual(new Set(states), new Set(['Active']))

  const after = await certificateOf(a)
  assert.notEqual(after.fingerprint, before.fingerprint)
  assert.deepEqual(metadata, {
    fingerprint: after.fingerprint,
    previous_fingerprint: before.fingerprint,
    told: ['to-b'],
    untold: [],
    void_tokens: ['not-used-yet'],
    one_way: [],
  })
  assert.equal(after.rotation, null)
  assert.equal((await peekCertificate(a.ready.https)).fingerprint, after.fingerprint)
  assert.equal((await a.readReady()).fingerprint, after.fingerprint)
  await bothActive()
  const [identity] = (await b.client.identities.list()).filter(({ name }) => name === 'to-a')
  assert.equal(identity?.id, after.fingerprint)
  const files = (await readdir(a.stateDir)).filter((name) => /^cluster/.test(name))
  assert.deepEqual(files.sort(), ['cluster.crt', 'cluster.key'], 'no key is left behind')

  await waitFor(
    async () => (await callV1({ http: asOld }, 'GET', '/1.0').catch(() => undefined))?.metadata.auth !== 'trusted',
    {
      timeoutMs: 1000,
      what: 'the old certificate is cut',
    },
  )
  const used = await useLinkToken(b, 'late', token)
  assert.equal(used.code, 'wrong-fingerprint', 'a token names the certificate that it was made under')
  await a.client.clusterLinks.delete('not-used-yet')
})

test('a given pair is taken as LXD does, and one that cannot be used changes nothing', async () => {
  const before = await certificateOf(a)
  const other = await pairOf(b)
  const own = await pairOf(a)
  const cases: [string, string, RegExp][] = [
    [own.certificate, own.key, /already/],
    [other.certificate, own.key, /cannot be used/],
    ['nonsense', own.key, /Not a certificate/],
  ]
  for (const [certificate, key, says] of cases) {
    const body = { cluster_certificate: certificate, cluster_certificate_key: key }
    const { status, error } = await callV1(a, 'PUT', path, body)
    assert.equal(status, 400, error)
    assert.match(error, says)
  }
  assert.deepEqual(await certificateOf(a), before)
  const pems = await createCertificate({ commonName: 'given', hostNames: [], addresses: [], clock: systemClock })
  await rotate(a, { cluster_certificate: pems.certificatePem, cluster_certificate_key: pems.privateKeyPem })
  assert.equal((await certificateOf(a)).certificate, pems.certificatePem)
  await bothActive()
})

test('a cluster that is down is told once it is back, also of two rotations', async () => {
  await b.kill()
  const first = await rotate(a)
  assert.deepEqual(first.metadata?.told, [])
  assert.match(JSON.stringify(first.metadata?.untold), /"link":"to-b".*nothing listens there/)
  const warnings = async () => {
    const { metadata } = await callV1(a, 'GET', '/1.0/warnings?recursion=1')
    return (metadata as Warning[]).filter(({ type }) => /does not know our new certificate/.test(type))
  }
  assert.deepEqual(
    (await warnings()).map(({ status, entity_url }) => [status, entity_url]),
    [['new', '/1.0/cluster/links/to-b']],
  )
  await rotate(a)
  const { fingerprint, rotation } = await certificateOf(a)
  assert.equal(rotation?.untold.length, 1)
  b = await onAgain(b)
  await waitFor(async () => (await certificateOf(a)).rotation === null, { timeoutMs: 20_000, what: 'B was told' })
  await waitFor(async () => (await warnings())[0]?.status === 'resolved', { what: 'the warning is over' })
  await bothActive()
  assert.deepEqual(
    (await b.client.identities.list()).map(({ id }) => id),
    [fingerprint],
  )
})

test('who cannot be told of a new certificate finds it by itself: the old one has named it', async () => {
  await using c = await startDaemon({ name: 'site-c' })
  const { metadata } = await c.client.clusterLinks.create({ name: 'from-a', type: 'unidirectional' })
  const token = encodeToken(metadata as TrustToken)
  await a.client.clusterLinks.create({ name: 'to-c', type: 'unidirectional', trust_token: token })
  assert.equal(await statusOf(a, 'to-c'), 'Active')
  const rotated = await rotate(c)
  assert.deepEqual([rotated.metadata?.told, rotated.metadata?.one_way], [[], ['from-a']])
  await rotate(c)
  assert.match(await statusOf(a, 'to-c'), /Unreachable/)
  await a.kill()
  a = await onAgain(a)
  await waitFor(async () => (await statusOf(a, 'to-c')) === 'Active', { what: 'the successor is found' })
  await a.client.clusterLinks.delete('to-c')
  await bothActive()
})

test('LXD, which knows no announcements, is told by its own self-service after the switch', async () => {
  await using lxd = await startFakePeer()
  await using daemon = await startDaemon({ name: 'beside-lxd' })
  lxd.trusted = true
  lxd.onActivation = (response) => respond(response, 201, { metadata: null })
  const token: TrustToken = {
    client_name: 'x',
    fingerprint: lxd.fingerprint,
    addresses: [lxd.address],
    secret: 'f'.repeat(64),
    expires_at: '0001-01-01T00:00:00Z',
    type: 'Cluster link certificate',
  }
  assert.equal((await useLinkToken(daemon, 'lxd', token)).status, 201)
  const old = daemon.ready.fingerprint
  lxd.identities.set(old, { groups: ['clusters'] })
  const { metadata } = await rotate(daemon)
  const { fingerprint, certificate } = await certificateOf(daemon)
  assert.deepEqual([metadata?.told, metadata?.untold], [['lxd'], []])
  assert.deepEqual([...lxd.identities], [[fingerprint, { groups: ['clusters'] }]])
  const changes = lxd.requests.filter(({ method }) => method === 'PUT' || method === 'PATCH')
  const put = changes.filter(({ url }) => url.endsWith(old))
  assert.deepEqual(
    put.map(({ method, fingerprint: caller }) => [method, caller]),
    [['PUT', old]],
  )
  assert.equal(JSON.parse(put[0]!.body).tls_certificate, certificate)
})

test('killed at any moment of a rotation, it goes on', { timeout: 120_000 }, async () => {
  for (const delayMs of [0, 5, 15, 25, 40, 60, 90]) {
    void callV1(a, 'POST', path, {}).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    await a.kill()
    a = await onAgain(a)
    await waitFor(async () => (await certificateOf(a)).rotation === null, { timeoutMs: 20_000, what: 'it is over' })
    await bothActive()
    const { fingerprint, certificate } = await certificateOf(a)
    assert.equal(certificate, (await pairOf(a)).certificate)
    assert.deepEqual(
      (await b.client.identities.list()).map(({ id }) => id),
      [fingerprint],
    )
  }
})

test('mirrors flow on while both ends rotate, and the embedded broker serves the new certificate', async () => {
  const brokerConfig = join(a.stateDir, '..', 'broker.properties')
  await writeFile(brokerConfig, 'security.protocol=SSL\n')
  await using west = await startDaemon({ name: 'west', kafka: embeddedBroker })
  await using east = await startDaemon({ name: 'east', kafka: embeddedBroker, args: ['--broker-config', brokerConfig] })
  await linkReaders(west, east, ['topic can_read'])
  await appendTo(west, 'orders', ['one'], { create: true })
  await cli(east, 'kafka mirror create orders --link west')
  await caughtUp(east, 'west', 'orders', [1])
  for (const [count, at] of [west, east, west].entries()) {
    const rotated = rotate(at)
    await appendTo(west, 'orders', ['during'])
    await rotated
    await appendTo(west, 'orders', ['after'])
    await caughtUp(east, 'west', 'orders', [3 + 2 * count])
  }
  const { fingerprint } = await certificateOf(east)
  assert.equal((await peekCertificate(east.ready.kafka)).fingerprint, fingerprint)
  assert.match(await cli(east, 'verify orders --link west'), /orders/)
})
