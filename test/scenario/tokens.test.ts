import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { createCertificate } from '../../src/identity/certificate.ts'
import type { TrustToken } from '../../src/identity/trust-token.ts'
import { announcePath } from '../../src/link/announce.ts'
import { pinnedHttp } from '../../src/transport/pinned-fetch.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { callV1, linkDaemons, linksPath, mintLinkToken, useLinkToken } from '../support/link-calls.ts'
import { freePorts } from '../support/ports.ts'
import { startProxy, type TestProxy } from '../support/proxy.ts'
import { dumpState } from '../support/state-dump.ts'

/** A mints and is reached through two doors; B uses; C is somebody else. */
let doors: TestProxy[] = []
let a: Daemon
let b: Daemon
let c: Daemon

before(async () => {
  const [port] = await freePorts(1)
  doors = await Promise.all([1, 2].map(() => startProxy({ host: '127.0.0.1', port: port! })))
  const advertise = doors.map(({ address }) => address).join(',')
  ;[a, b, c] = await Promise.all([
    startDaemon({ name: 'site-a', args: ['--listen', `127.0.0.1:${port}`, '--advertise', advertise] }),
    startDaemon({ name: 'site-b' }),
    startDaemon({ name: 'site-c' }),
  ])
})

after(async () => {
  for (const daemon of [a, b, c]) await daemon?.[Symbol.asyncDispose]()
  await Promise.all(doors.map((door) => door.close()))
})

const reissue = (name: string, body: object = {}) => {
  return callV1(a, 'POST', `/1.0/auth/identities/tls/${name}/token`, body)
}

/** A client with a certificate of its own, which may do these things to identities. */
async function person(name: string, ...entitlements: string[]) {
  const permissions = entitlements.map((entitlement) => ({ entity_type: 'server', url: '/1.0', entitlement }))
  await a.client.groups.create({ name, permissions })
  const request = { commonName: name, hostNames: [], addresses: [], clock: systemClock }
  const { certificatePem: certificate, privateKeyPem: key } = await createCertificate(request)
  await a.client.identities.create({ name, certificate, groups: [name] })
  const http = pinnedHttp({ address: a.ready.https, fingerprint: a.ready.fingerprint, certificate, key })
  const leave = async () => {
    await http[Symbol.asyncDispose]()
    await a.client.identities.delete(name)
    await a.client.groups.delete(name)
  }
  return { http, [Symbol.asyncDispose]: leave }
}

async function asCluster(from: Daemon, to: Daemon) {
  const certificate = await readFile(join(from.stateDir, 'cluster.crt'), 'utf8')
  const key = await readFile(join(from.stateDir, 'cluster.key'), 'utf8')
  return pinnedHttp({ address: to.ready.https, fingerprint: to.ready.fingerprint, certificate, key })
}

const storedAddresses = async (at: Daemon, name: string) => {
  return (await at.client.clusterLinks.get(name)).value.config['volatile.addresses']?.split(',')
}

test('a lost token is issued again: the old one is void, the new one links', async () => {
  const lost = await mintLinkToken(a, 'berlin')
  const answer = await reissue('berlin')
  assert.equal(answer.status, 200, answer.error)
  const token = answer.metadata as TrustToken
  assert.deepEqual(Object.keys(token), Object.keys(lost))
  assert.notEqual(token.secret, lost.secret)
  assert.ok(!dumpState(a.stateDir).join().includes(token.secret), 'the secret is stored in plain')
  const old = await useLinkToken(b, 'london', lost)
  assert.deepEqual([old.status, old.code], [403, 'token-unknown'])
  assert.equal((await useLinkToken(b, 'london', token)).status, 201)
  const spent = await reissue('berlin')
  assert.deepEqual([spent.status, spent.code], [409, 'state-conflict'])
  assert.equal((await reissue('nobody')).status, 404)
  await a.client.clusterLinks.delete('berlin')
  await b.client.clusterLinks.delete('london')
})

test('tokens are listed to whoever may view their identities, and issued again by whoever may edit them', async () => {
  await mintLinkToken(a, 'berlin')
  await a.client.identities.createToken('a person')
  await using nobody = await person('nobody')
  await using viewer = await person('viewer', 'can_view_identities')
  await using editor = await person('editor', 'can_edit_identities', 'can_view_identities', 'can_view_cluster_links')
  const list = async (at: { http: typeof nobody.http }) => (await callV1(at, 'GET', '/1.0/auth/tokens')).metadata
  assert.deepEqual(await list(nobody), [])
  const berlin = await a.client.identities.get('berlin')
  const seen = await list(viewer)
  assert.deepEqual(
    // biome-ignore lint/suspicious/noExplicitAny: whatever came
    seen.map(({ name, type, cluster_link }: any) => [name, type, cluster_link]),
    [
      ['a person', 'Client certificate', ''],
      ['berlin', 'Cluster link certificate', ''],
    ],
    'whoever cannot view links is not told of them',
  )
  const [, entry] = await list(editor)
  assert.deepEqual(Object.keys(entry), ['name', 'type', 'identity', 'cluster_link', 'created_at', 'expires_at'])
  assert.equal(entry.identity, `/1.0/auth/identities/tls/${berlin.value.id}`)
  assert.equal(entry.cluster_link, `${linksPath}/berlin`)
  assert.equal(Date.parse(entry.expires_at) - Date.parse(entry.created_at), 15 * 86_400_000)
  const path = '/1.0/auth/identities/tls/berlin/token'
  assert.equal((await callV1(nobody, 'POST', path, {})).status, 404)
  assert.equal((await callV1(viewer, 'POST', path, {})).status, 403)
  assert.equal((await callV1(editor, 'POST', path)).status, 200)
  await using stranger = pinnedHttp({ address: a.ready.https, fingerprint: a.ready.fingerprint })
  assert.equal((await callV1({ http: stranger }, 'POST', path, {})).status, 403)
  assert.equal((await callV1({ http: stranger }, 'GET', '/1.0/auth/tokens')).status, 403)
  await a.client.clusterLinks.delete('berlin')
  await a.client.identities.delete('a person')
})

test('a token names all addresses, or those that were chosen among ours', async () => {
  const [one, two] = doors.map(({ address }) => address)
  assert.deepEqual((await mintLinkToken(a, 'all')).addresses, [one, two])
  assert.deepEqual((await mintLinkToken(a, 'chosen', { addresses: [two] })).addresses, [two])
  assert.deepEqual((await reissue('all', { addresses: [two] })).metadata.addresses, [two])
  // What is listened on may be chosen too, though others are advertised.
  assert.deepEqual((await reissue('all', { addresses: [a.ready.https] })).metadata.addresses, [a.ready.https])
  const untouched = dumpState(a.stateDir)
  for (const answer of [
    await reissue('all', { addresses: ['elsewhere.example'] }),
    await callV1(a, 'POST', linksPath, { name: 'x', type: 'bidirectional', addresses: ['10.1.2.3:1'] }),
  ]) {
    assert.deepEqual([answer.status, answer.code], [400, 'invalid-request'])
    assert.match(answer.error, new RegExp(`is not an address of this cluster, which has ${one}`))
  }
  assert.deepEqual(dumpState(a.stateDir), untouched)
  for (const name of ['all', 'chosen']) await a.client.clusterLinks.delete(name)
})

test('addresses of a token that are dead, or of somebody else, cost little time and are not believed', async () => {
  const token = await mintLinkToken(a, 'berlin')
  await using swallows = await startProxy({ host: '127.0.0.1', port: 1 })
  swallows.hold('requests')
  const [closed] = await freePorts(1)
  const dead = [swallows.address, `127.0.0.1:${closed}`]
  const addresses = [...dead, c.ready.https, ...token.addresses, 'no address', 'a,b:1']
  const startedMs = performance.now()
  const answer = await useLinkToken(b, 'london', { ...token, addresses })
  const tookMs = performance.now() - startedMs
  assert.equal(answer.status, 201, answer.error)
  assert.ok(tookMs < 4000, `it took ${tookMs} ms`)
  const stored = await storedAddresses(b, 'london')
  assert.ok(!stored!.includes(c.ready.https), 'somebody else is not the peer')
  assert.ok(
    token.addresses.every((address) => stored!.includes(address)),
    stored!.join(),
  )
  assert.match(b.process.tail(), /present another certificate/)
  await a.client.clusterLinks.delete('berlin')
  await b.client.clusterLinks.delete('london')
})

test('only a linked cluster says where it is, and only where it really is', async () => {
  await linkDaemons(a, b, { atOne: 'berlin', atOther: 'london' })
  await using client = await person('client')
  await using peer = await asCluster(b, a)
  const announce = (at: { http: typeof peer }, addresses: string[]) => callV1(at, 'PUT', announcePath, { addresses })
  const [closed] = await freePorts(1)
  const nine = Array.from({ length: 9 }, (_, index) => `127.0.0.1:${index + 1}`)
  const before = await storedAddresses(a, 'berlin')
  for (const [at, addresses, status, says] of [
    [a, [b.ready.https], 400, /no linked cluster/],
    [client, [b.ready.https], 400, /there is no link to it here/],
    [{ http: peer }, [], 400, /1 to 8 addresses/],
    [{ http: peer }, nine, 400, /1 to 8 addresses/],
    [{ http: peer }, ['nonsense:'], 502, /none that is HOST:PORT/],
    [{ http: peer }, [c.ready.https], 502, /another certificate/],
    [{ http: peer }, [`127.0.0.1:${closed}`], 502, /nothing listens there/],
  ] as const) {
    const answer = await announce(at, [...addresses])
    assert.equal(answer.status, status, answer.error)
    assert.match(answer.error, says)
    assert.deepEqual(await storedAddresses(a, 'berlin'), before)
  }
  await using door = await startProxy({ host: '127.0.0.1', port: Number(b.ready.https.split(':').at(-1)) })
  const answer = await announce({ http: peer }, [door.address, c.ready.https, `127.0.0.1:${closed}`])
  assert.equal(answer.status, 200, answer.error)
  assert.deepEqual(
    await storedAddresses(a, 'berlin'),
    [door.address],
    'the new one, and neither the wrong nor the dead',
  )
  assert.equal((await announce({ http: peer }, [b.ready.https])).status, 200)
  await a.client.clusterLinks.delete('berlin')
  assert.equal((await announce({ http: peer }, [b.ready.https])).status, 403)
  await b.client.clusterLinks.delete('london')
})

test('two clusters that use tokens of each other at once are linked once or not at all', async () => {
  for (let round = 0; round < 3; round += 1) {
    const [ofA, ofB] = await Promise.all([mintLinkToken(a, 'minted'), mintLinkToken(b, 'minted')])
    const answers = await Promise.all([useLinkToken(a, 'used', ofB), useLinkToken(b, 'used', ofA)])
    const made = answers.filter(({ status }) => status === 201).length
    assert.ok(made <= 1, JSON.stringify(answers))
    for (const { status, code } of answers) assert.ok(status === 201 || code === 'already-exists', code)
    for (const at of [a, b]) {
      const links = await at.client.clusterLinks.list()
      const active = links.filter(({ config }) => config['volatile.addresses'])
      assert.equal(active.length, made)
      for (const { name } of active) {
        const { cluster_link_members: members } = await at.client.clusterLinks.state(name)
        assert.ok(members.every(({ status }) => status === 'Active'))
      }
    }
    for (const at of [a, b]) {
      for (const { name } of await at.client.clusterLinks.list()) await at.client.clusterLinks.delete(name)
      assert.deepEqual(await at.client.identities.list(), [])
    }
  }
})
