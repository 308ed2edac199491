import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { createCertificate } from '../../src/identity/certificate.ts'
import { encodeToken, type TrustToken } from '../../src/identity/trust-token.ts'
import { pinnedHttp } from '../../src/transport/pinned-fetch.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { respond, startFakePeer } from '../support/fake-peer.ts'
import { callV1, linkDaemons, linksPath, mintLinkToken, useLinkToken } from '../support/link-calls.ts'
import { freePorts } from '../support/ports.ts'
import { waitFor } from '../support/process.ts'
import { dumpState } from '../support/state-dump.ts'

/** Two clusters of one host each: A mints, B uses. */
let a: Daemon
let b: Daemon
/** The first life of A, to which the folder belongs that the second one goes on with. */
let killed: Daemon | undefined

before(async () => {
  ;[a, b] = await Promise.all([startDaemon({ name: 'site-a' }), startDaemon({ name: 'site-b' })])
})

after(async () => {
  await Promise.all([a?.[Symbol.asyncDispose](), b?.[Symbol.asyncDispose]()])
  await killed?.[Symbol.asyncDispose]()
})

const dumps = () => ({ a: dumpState(a.stateDir), b: dumpState(b.stateDir) })

async function names(at: Daemon): Promise<string[]> {
  return (await at.client.clusterLinks.list()).map(({ name }) => name)
}

async function statusesOf(at: Daemon, name: string): Promise<string[]> {
  const { cluster_link_members: members } = await at.client.clusterLinks.state(name)
  return members.map(({ status }) => status)
}

async function forget(...pairs: [Daemon, string][]): Promise<void> {
  for (const [at, name] of pairs) await at.client.clusterLinks.delete(name)
}

/** What one side presents to the other, as a linked cluster does. */
async function asCluster(from: Daemon, to: Daemon) {
  const certificate = await readFile(join(from.stateDir, 'cluster.crt'), 'utf8')
  const key = await readFile(join(from.stateDir, 'cluster.key'), 'utf8')
  return pinnedHttp({ address: to.ready.https, fingerprint: to.ready.fingerprint, certificate, key })
}

test('a token, pasted on the other side, links two clusters both ways', async () => {
  await a.client.groups.create({
    name: 'readers',
    permissions: [{ entity_type: 'topic', url: '/1.0/topics/orders', entitlement: 'can_read' }],
  })
  const minted = await callV1(a, 'POST', linksPath, {
    name: 'berlin',
    type: 'bidirectional',
    description: 'second site',
    auth_groups: ['readers'],
    config: { 'user.owner': 'ops' },
    trust_token: '',
    cluster_certificate: '',
  })
  assert.equal(minted.status, 201)
  assert.match(minted.location!, /^\/1\.0\/auth\/identities\/tls\/[0-9a-f-]{36}$/)
  const token = minted.metadata as TrustToken
  assert.deepEqual(Object.keys(token), ['client_name', 'fingerprint', 'addresses', 'secret', 'expires_at', 'type'])
  assert.deepEqual([token.client_name, token.fingerprint], ['berlin', a.ready.fingerprint])
  assert.deepEqual(token.addresses, [a.ready.https])
  assert.equal(token.type, 'Cluster link certificate')
  const pending = await a.client.identities.list()
  assert.deepEqual(
    pending.map(({ name, type, tls_certificate }) => [name, type, tls_certificate]),
    [['berlin', 'Cluster link certificate (pending)', '']],
  )
  assert.ok(!dumps().a.join().includes(token.secret), 'the secret is stored in plain')
  assert.equal((await callV1(a, 'GET', `${linksPath}/berlin/state`)).status, 409)

  const startedMs = performance.now()
  const used = await useLinkToken(b, 'london', token)
  const tookMs = performance.now() - startedMs
  assert.equal(used.status, 201, used.error)
  assert.equal(used.location, `/1.0/auth/identities/tls/${a.ready.fingerprint}`)
  assert.equal(used.metadata, null)
  assert.ok(tookMs < 5000, `it took ${tookMs} ms`)

  const [atA] = await a.client.clusterLinks.list()
  assert.deepEqual(atA, {
    name: 'berlin',
    description: 'second site',
    type: 'bidirectional',
    config: { 'user.owner': 'ops', 'volatile.addresses': b.ready.https },
    used_by: [],
  })
  const [identity] = await a.client.identities.list()
  assert.deepEqual([identity?.id, identity?.name, identity?.groups], [b.ready.fingerprint, 'berlin', ['readers']])
  assert.equal((await b.client.clusterLinks.get('london')).value.config['volatile.addresses'], a.ready.https)
  assert.deepEqual(await statusesOf(a, 'berlin'), ['Active'])
  assert.deepEqual(await statusesOf(b, 'london'), ['Active'])
  await forget([a, 'berlin'], [b, 'london'])
  await a.client.groups.delete('readers')
  assert.deepEqual([await names(a), await names(b)], [[], []])
  assert.equal(dumps().a.filter((row) => row.startsWith('identity ')).length, 0)
})

test('every wrong token is refused in one sentence, and changes nothing on either side', async () => {
  const good = await mintLinkToken(a, 'to-b')
  const own = await mintLinkToken(b, 'to-somebody')
  const client = await callV1(a, 'POST', '/1.0/auth/identities/tls', { name: 'person', token: true })
  const [closedPort] = await freePorts(1)
  const whole = encodeToken(good)
  const cases: { token: string; code: string; says: RegExp; more?: object }[] = [
    { token: whole.slice(0, -8), code: 'token-undecodable', says: /cut off.*copy it again/ },
    { token: 'no token', code: 'token-undecodable', says: /copy it again/ },
    { token: encodeToken({ ...good, secret: `${good.secret}0` }), code: 'token-unknown', says: /not known here/ },
    { token: encodeToken({ ...good, secret: 'f'.repeat(64) }), code: 'token-unknown', says: /used already/ },
    {
      token: encodeToken({ ...good, fingerprint: 'ab'.repeat(32) }),
      code: 'wrong-fingerprint',
      says: /another certificate.*nothing was sent.*new token/,
    },
    {
      token: encodeToken({ ...good, addresses: [`127.0.0.1:${closedPort}`] }),
      code: 'unreachable',
      says: /can be reached.*nothing listens there.*--advertise/,
    },
    { token: encodeToken(own), code: 'own-token', says: /made by this cluster: paste it on the other one/ },
    { token: encodeToken(client.metadata), code: 'token-type', says: /not for a cluster link/ },
    {
      token: encodeToken({ ...client.metadata, type: good.type }),
      code: 'token-type',
      says: /for a client, not for a cluster link/,
    },
    { token: whole, code: 'not-found', says: /no auth group "nobody"/, more: { auth_groups: ['nobody'] } },
    { token: whole, code: 'invalid-config', says: /Unknown config key "x"/, more: { config: { x: '1' } } },
    { token: whole, code: 'immutable', says: /volatile.addresses/, more: { config: { 'volatile.addresses': 'h:1' } } },
    { token: whole, code: 'already-exists', says: /"to-somebody" already exists/, more: { name: 'to-somebody' } },
    { token: whole, code: 'invalid-request', says: /cannot contain "\/"/, more: { name: 'a/b' } },
  ]
  const untouched = dumps()
  for (const { token, code, says, more } of cases) {
    const answer = await useLinkToken(b, 'to-a', token, more)
    assert.equal(answer.code, code, `${code}: ${answer.status} ${answer.error}`)
    assert.match(answer.error, says)
    assert.ok(!answer.error.includes(good.secret) && !answer.error.includes('\n'), answer.error)
    assert.deepEqual(dumps(), untouched, answer.error)
  }
  assert.equal((await useLinkToken(b, 'to-a', good)).status, 201)
  const reused = await useLinkToken(b, 'again', good)
  assert.deepEqual([reused.code, reused.status], ['already-exists', 409])
  assert.match(reused.error, /linked already, here by cluster link "to-a"/)
  await forget([a, 'to-b'], [b, 'to-a'], [b, 'to-somebody'])
  await a.client.identities.delete('person')
  const spent = await useLinkToken(b, 'to-a', good)
  assert.equal(spent.code, 'token-unknown')
  assert.deepEqual([await names(a), await names(b)], [[], []])
})

test('an expired token is told from a wrong one, and its pending link goes with its first use', async () => {
  await a.client.server.changeConfig({ config: { 'core.remote_token_expiry': '1S' } })
  const token = await mintLinkToken(a, 'short')
  await a.client.server.changeConfig({ config: { 'core.remote_token_expiry': '' } })
  await waitFor(() => systemClock.wallMs() > Date.parse(token.expires_at), { what: 'the end of the token' })
  assert.deepEqual(await names(a), ['short'])
  const untouched = dumps().b
  const expired = await useLinkToken(b, 'late', token)
  assert.equal(expired.code, 'token-expired')
  assert.match(expired.error, /has expired: ask for a new one/)
  assert.deepEqual(await names(a), [])
  assert.equal((await a.client.identities.list()).length, 0)
  assert.deepEqual(dumps().b, untouched)
  assert.equal((await useLinkToken(b, 'late', token)).code, 'token-unknown')
})

test('of four activations at once exactly one succeeds', async () => {
  const token = await mintLinkToken(a, 'raced')
  await using stranger = pinnedHttp({ address: a.ready.https, fingerprint: a.ready.fingerprint })
  const pem = await readFile(join(b.stateDir, 'cluster.crt'), 'utf8')
  const body = {
    name: '',
    type: 'bidirectional',
    config: { 'volatile.addresses': b.ready.https },
    trust_token: encodeToken(token),
    cluster_certificate: pem,
  }
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => callV1({ http: stranger }, 'POST', linksPath, body)),
  )
  assert.equal(answers.filter(({ status }) => status === 201).length, 1)
  for (const { status, code } of answers.filter((answer) => answer.status !== 201)) {
    assert.ok(code === 'token-unknown' || code === 'already-exists', `${status} ${code}`)
  }
  assert.deepEqual(await names(a), ['raced'])
  await forget([a, 'raced'])
})

test('whoever activates is called back, and must be who he says', async () => {
  const token = await mintLinkToken(a, 'checked')
  await using stranger = pinnedHttp({ address: a.ready.https, fingerprint: a.ready.fingerprint })
  const pem = await readFile(join(b.stateDir, 'cluster.crt'), 'utf8')
  const { certificatePem: foreign } = await createCertificate({
    commonName: 'x',
    hostNames: [],
    addresses: [],
    clock: systemClock,
  })
  const untouched = dumps()
  const activate = (change: { certificate?: string; addresses?: string; token?: TrustToken; type?: string }) => {
    return callV1({ http: stranger }, 'POST', linksPath, {
      name: '',
      type: change.type ?? 'bidirectional',
      config: { 'volatile.addresses': change.addresses ?? b.ready.https },
      trust_token: encodeToken(change.token ?? token),
      cluster_certificate: change.certificate ?? pem,
    })
  }
  const nine = Array.from({ length: 9 }, (_, index) => `127.0.0.1:${index + 1}`).join(',')
  const [closedPort] = await freePorts(1)
  const cases: [Parameters<typeof activate>[0], string, RegExp][] = [
    [{ certificate: foreign }, 'wrong-fingerprint', /another certificate/],
    [{ certificate: '' }, 'invalid-request', /certificate of your cluster/],
    [{ certificate: 'PEM' }, 'invalid-request', /Not a certificate/],
    [{ addresses: '' }, 'invalid-request', /made with one of these/],
    [{ addresses: nine }, 'invalid-request', /At most 8 addresses/],
    [{ addresses: 'no address' }, 'invalid-request', /is not an address/],
    [{ addresses: `127.0.0.1:${closedPort}` }, 'unreachable', /cannot be called back.*--advertise/],
    [{ token: { ...token, type: 'Client certificate' } }, 'token-type', /not for a cluster link/],
    [{ token: { ...token, secret: 'x' } }, 'token-unknown', /not known/],
    [{ type: 'unidirectional' }, 'invalid-request', /made with one of these/],
    [{ type: '' }, 'invalid-request', /has to be one of/],
  ]
  for (const [change, code, says] of cases) {
    const answer = await activate(change)
    assert.equal(answer.code, code, answer.error)
    assert.match(answer.error, says)
    assert.deepEqual(dumps(), untouched, answer.error)
  }
  assert.equal((await activate({})).status, 201)
  await forget([a, 'checked'])
})

test('deleting a link, or its identity, revokes at once what the other side has open', async () => {
  for (const remove of [
    () => a.client.clusterLinks.delete('gone'),
    () => a.client.identities.delete('gone'),
    () => a.client.identities.delete(b.ready.fingerprint),
  ]) {
    await linkDaemons(a, b, { atOne: 'gone', atOther: 'left' })
    await using open = await asCluster(b, a)
    const authOf = async () => (await callV1({ http: open }, 'GET', '/1.0')).metadata.auth
    assert.equal(await authOf(), 'trusted')
    const [socket] = Object.values(open.agent.freeSockets).flat()
    const closed = new Promise<void>((resolve) => socket!.once('close', () => resolve()))
    const startedMs = performance.now()
    await remove()
    await closed
    assert.ok(performance.now() - startedMs < 1000)
    assert.equal(await authOf(), 'untrusted')
    assert.deepEqual(await names(a), [])
    assert.deepEqual(await statusesOf(b, 'left'), ['Unauthenticated'])
    await forget([b, 'left'])
  }
})

test('a one-way link: an identity there, a link here', async () => {
  const minted = await callV1(a, 'POST', linksPath, { name: 'reader', type: 'unidirectional', auth_groups: null })
  assert.equal(minted.status, 201)
  assert.deepEqual(await names(a), [])
  const wrongWay = await useLinkToken(b, 'one-way', minted.metadata)
  assert.equal(wrongWay.code, 'token-type')
  assert.match(wrongWay.error, /--unidirectional/)
  const groups = await useLinkToken(b, 'one-way', minted.metadata, { type: 'unidirectional', auth_groups: ['admins'] })
  assert.equal(groups.code, 'invalid-request')
  const used = await useLinkToken(b, 'one-way', minted.metadata, { type: 'unidirectional' })
  assert.equal(used.status, 200, used.error)
  assert.deepEqual(await names(b), ['one-way'])
  assert.equal((await b.client.identities.list()).length, 0)
  const [identity] = await a.client.identities.list()
  assert.deepEqual([identity?.id, identity?.name], [b.ready.fingerprint, 'reader'])
  assert.deepEqual(await statusesOf(b, 'one-way'), ['Active'])
  await forget([b, 'one-way'])
  await a.client.identities.delete('reader')
  const both = await mintLinkToken(a, 'both')
  const refused = await useLinkToken(b, 'one-way', both, { type: 'unidirectional' })
  assert.equal(refused.code, 'token-type')
  assert.deepEqual(await names(b), [])
  await forget([a, 'both'])
})

test('a daemon that is killed keeps its links, its keys and its place', async () => {
  await linkDaemons(a, b, { atOne: 'kept', atOther: 'kept' })
  const token = await mintLinkToken(a, 'pending')
  const { stateDir, ready } = a
  const stored = dumpState(stateDir)
  await a.kill('SIGKILL')
  assert.ok(existsSync(join(stateDir, 'ready.json')), 'SIGKILL leaves no time to remove it')
  assert.deepEqual(await statusesOf(b, 'kept'), ['Unreachable'])
  const again = await startDaemon({ stateDir, args: ['--listen', ready.https] })
  killed = a
  a = again
  assert.equal(a.ready.fingerprint, ready.fingerprint)
  assert.equal(a.ready.clusterId, ready.clusterId)
  assert.deepEqual(dumpState(stateDir), stored)
  assert.deepEqual(await statusesOf(b, 'kept'), ['Active'])
  assert.deepEqual(await statusesOf(a, 'kept'), ['Active'])
  await forget([b, 'kept'], [a, 'kept'])
  assert.equal((await useLinkToken(b, 'late', token)).status, 201)
  await forget([b, 'late'], [a, 'pending'])
})

test('a link that a kill interrupted is completed, or undone, as the other side says', async () => {
  for (const trusted of [true, false]) {
    await using daemon = await startDaemon({ name: 'interrupted' })
    await using peer = await startFakePeer()
    peer.onActivation = () => void daemon.process.kill('SIGKILL')
    const token: TrustToken = {
      client_name: 'x',
      fingerprint: peer.fingerprint,
      addresses: [peer.address],
      secret: 'f'.repeat(64),
      expires_at: '0001-01-01T00:00:00Z',
      type: 'Cluster link certificate',
    }
    await assert.rejects(useLinkToken(daemon, 'half', token))
    await daemon.process.waitForExit()
    assert.equal(dumpState(daemon.stateDir).filter((row) => /^(link|identity) /.test(row)).length, 2)
    peer.trusted = trusted
    await using again = await startDaemon({ stateDir: daemon.stateDir })
    const settled = trusted ? ['Active'] : []
    const found = async () => {
      const links = await names(again)
      return links.length === 0 ? [] : await statusesOf(again, 'half').catch(() => ['pending'])
    }
    await waitFor(async () => JSON.stringify(await found()) === JSON.stringify(settled), { what: `${settled}` })
    const left = dumpState(daemon.stateDir).filter((row) => /^(link|identity) /.test(row)).length
    assert.equal(left, trusted ? 2 : 0)
  }
})

test('a peer that answers oddly leaves nothing behind', async () => {
  await using peer = await startFakePeer()
  const token: TrustToken = {
    client_name: 'x',
    fingerprint: peer.fingerprint,
    addresses: [peer.address],
    secret: 'e'.repeat(64),
    expires_at: '0001-01-01T00:00:00Z',
    type: 'Cluster link certificate',
  }
  const untouched = dumpState(b.stateDir)
  const says = (status: number, body: object, headers = {}) => {
    return (response: Parameters<typeof peer.onActivation>[0]) => respond(response, status, body, headers)
  }
  const cases: [typeof peer.onActivation, string, RegExp][] = [
    [says(500, { error: 'boom\u001b[2J' }), 'closed', /refused: boom\\x1b\[2J$/],
    [says(500, { error: 'why' }, { 'linkspan-error': 'internal' }), 'closed', /refused: why/],
    [says(409, { error: 'taken' }), 'already-exists', /refused: taken/],
    [says(403, { error: 'gone' }, { 'linkspan-error': 'token-expired' }), 'token-expired', /refused: gone/],
    [says(404, []), 'not-found', /refused: status 404/],
    [says(302, {}), 'unsupported', /refused: status 302/],
    [says(418, { error: 'x'.repeat(5000) }, { 'linkspan-error': 'nonsense' }), 'unsupported', /refused: x{500}$/],
    [(response) => void response.destroy(), 'unreachable', /did not answer.*delete the link there/],
  ]
  for (const [answer, code, text] of cases) {
    peer.onActivation = answer
    const refused = await useLinkToken(b, 'odd', token)
    assert.equal(refused.code, code, refused.error)
    assert.match(refused.error, text)
    assert.deepEqual(dumpState(b.stateDir), untouched)
  }
  const activations = peer.requests.filter(({ method }) => method === 'POST')
  assert.equal(activations.length, cases.length)
  assert.ok(activations.every(({ fingerprint }) => fingerprint === undefined))
  peer.onActivation = (response) => {
    peer.trusted = true
    response.destroy()
  }
  assert.equal((await useLinkToken(b, 'odd', token)).status, 201, 'the answer was lost, and only that')
  await forget([b, 'odd'])
})
