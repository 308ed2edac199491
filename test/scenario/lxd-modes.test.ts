import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { encodeToken, type TrustToken } from '../../src/identity/trust-token.ts'
import { pinnedHttp } from '../../src/transport/pinned-fetch.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { callV1, linksPath, mintLinkToken, type V1Answer } from '../support/link-calls.ts'
import { dumpState } from '../support/state-dump.ts'

/**
 * The six things that one POST can mean in LXD's dialect, and what each answers: a status, where the new thing is, and
 * what comes with it. Every member that is not needed is sent as LXD's client does: empty, null, or not at all.
 */
let a: Daemon
let b: Daemon
let certificate = ''

before(async () => {
  ;[a, b] = await Promise.all([startDaemon({ name: 'a' }), startDaemon({ name: 'b' })])
  certificate = await readFile(join(b.stateDir, 'cluster.crt'), 'utf8')
})

after(async () => {
  await Promise.all([a?.[Symbol.asyncDispose](), b?.[Symbol.asyncDispose]()])
})

const empty = { description: '', config: null, trust_token: '', auth_groups: null, cluster_certificate: '' }
const post = (at: Daemon, body: object) => callV1(at, 'POST', linksPath, { ...empty, ...body })
const identityUrl = /^\/1\.0\/auth\/identities\/tls\/([0-9a-f-]{36}|[0-9a-f]{64})$/

async function clear(): Promise<void> {
  for (const { client } of [a, b]) {
    for (const { name } of await client.clusterLinks.list()) await client.clusterLinks.delete(name)
    for (const { id } of await client.identities.list()) await client.identities.delete(id)
  }
}

function checkCreated(answer: V1Answer, metadata: unknown): void {
  assert.equal(answer.status, 201, answer.error)
  assert.match(answer.location!, identityUrl)
  assert.deepEqual(answer.metadata, metadata)
}

test('each of the six ways answers with its own shape', async () => {
  const both = await post(a, { name: 'both', type: 'bidirectional' })
  assert.deepEqual([both.status, both.metadata.type], [201, 'Cluster link certificate'])
  assert.match(both.location!, identityUrl)
  checkCreated(await post(b, { name: 'back', type: 'bidirectional', trust_token: encodeToken(both.metadata) }), null)
  await clear()

  const oneWay = await post(a, { name: 'one-way', type: 'unidirectional' })
  assert.match(oneWay.location!, identityUrl)
  const used = await post(b, { name: 'there', type: 'unidirectional', trust_token: encodeToken(oneWay.metadata) })
  assert.deepEqual([used.status, used.metadata], [200, {}])
  await clear()

  const found = await post(b, { name: 'open', type: 'public', remote_address: a.ready.https })
  assert.deepEqual([found.status, found.location], [200, undefined])
  const pem = found.metadata.certificate
  const confirmed = await post(b, {
    name: 'open',
    type: 'public',
    remote_address: a.ready.https,
    cluster_certificate: pem,
  })
  assert.deepEqual([confirmed.status, confirmed.metadata], [200, {}])
  await clear()

  const token = await mintLinkToken(a, 'called', { config: { 'user.kept': '1' }, description: 'kept' })
  await using stranger = pinnedHttp({ address: a.ready.https, fingerprint: a.ready.fingerprint })
  const answered = await callV1({ http: stranger }, 'POST', linksPath, {
    ...empty,
    name: '',
    type: 'bidirectional',
    description: 'not theirs to say',
    config: { 'volatile.addresses': b.ready.https, 'user.kept': '2', 'user.smuggled': '3', 'volatile.other': 'x' },
    trust_token: encodeToken(token),
    auth_groups: ['admins'],
    cluster_certificate: certificate,
  })
  checkCreated(answered, null)
  const { value } = await a.client.clusterLinks.get('called')
  assert.deepEqual(value.config, { 'user.kept': '1', 'volatile.addresses': b.ready.https })
  assert.equal(value.description, 'kept')
  assert.deepEqual((await a.client.identities.get('called')).value.groups, [], 'nor are groups')
  await clear()
})

test('what each way refuses is told by its status, and nothing is changed by it', async () => {
  const own = await mintLinkToken(b, 'own')
  const good = await mintLinkToken(a, 'good')
  const client = (await a.client.identities.createToken('person')).metadata as TrustToken
  const use = { name: 'x', type: 'bidirectional' }
  const cases: [what: string, body: object, status: number, code: string][] = [
    ['no type', { name: 'x' }, 400, 'invalid-request'],
    ['an empty type', { name: 'x', type: '' }, 400, 'invalid-request'],
    ['an unknown type', { name: 'x', type: 'one-way' }, 400, 'invalid-request'],
    ['neither name nor token', { type: 'bidirectional' }, 403, 'not-permitted'],
    ['a token without name and addresses', { type: 'bidirectional', trust_token: 'x' }, 400, 'invalid-request'],
    ['no token at all', { ...use, trust_token: 'x' }, 403, 'token-undecodable'],
    [
      'a token without addresses',
      { ...use, trust_token: encodeToken({ ...good, addresses: [] }) },
      403,
      'token-undecodable',
    ],
    [
      'a token without client',
      { ...use, trust_token: encodeToken({ ...good, client_name: '' }) },
      403,
      'token-undecodable',
    ],
    ['a group that is not there', { ...use, trust_token: encodeToken(good), auth_groups: ['none'] }, 404, 'not-found'],
    ['a bad key', { ...use, trust_token: encodeToken(good), config: { bad: '1' } }, 400, 'invalid-config'],
    ["the daemon's own key", { ...use, config: { 'volatile.addresses': 'evil:1' } }, 400, 'immutable'],
    [
      'the same in one direction',
      { name: 'x', type: 'unidirectional', config: { 'volatile.addresses': 'e:1' } },
      400,
      'immutable',
    ],
    ['a token of a person', { ...use, trust_token: encodeToken(client) }, 403, 'token-type'],
    ['the same, rewritten', { ...use, trust_token: encodeToken({ ...client, type: good.type }) }, 403, 'token-type'],
    ['its own token', { ...use, trust_token: encodeToken(own) }, 409, 'own-token'],
    ['a name that is taken', { ...use, name: 'own', trust_token: encodeToken(good) }, 409, 'already-exists'],
    ['a name that is taken, minting', { name: 'own', type: 'bidirectional' }, 409, 'already-exists'],
    ['a group that is not there, minting', { ...use, auth_groups: ['none'] }, 404, 'not-found'],
    ['a wrong secret', { ...use, trust_token: encodeToken({ ...good, secret: 'f'.repeat(64) }) }, 403, 'token-unknown'],
    [
      'another fingerprint',
      { ...use, trust_token: encodeToken({ ...good, fingerprint: 'ab'.repeat(32) }) },
      400,
      'wrong-fingerprint',
    ],
    ['nobody there', { ...use, trust_token: encodeToken({ ...good, addresses: ['127.0.0.1:1'] }) }, 502, 'unreachable'],
    [
      'no address in it',
      { ...use, trust_token: encodeToken({ ...good, addresses: ['h:x'] }) },
      403,
      'token-undecodable',
    ],
  ]
  const before = [dumpState(a.stateDir), dumpState(b.stateDir)]
  for (const [what, body, status, code] of cases) {
    const answer = await post(b, body)
    assert.deepEqual([answer.status, answer.code], [status, code], `${what}: ${answer.error}`)
    assert.deepEqual([dumpState(a.stateDir), dumpState(b.stateDir)], before, what)
  }
  await clear()
})

test('a token that arrives as a config key is refused everywhere, with the way out, and never stored', async () => {
  const text = encodeToken(await mintLinkToken(a, 'minted'))
  await mintLinkToken(b, 'there')
  // As LXD's client parts KEY=VALUE: at the first equals sign.
  const config = { [text.replace(/=.*$/, '')]: text.includes('==') ? '=' : '' }
  const bodies: [method: string, path: string, body: object][] = [
    ['POST', linksPath, { ...empty, name: 'x', type: 'bidirectional', config }],
    ['POST', linksPath, { ...empty, name: 'x', type: 'unidirectional', config }],
    ['POST', linksPath, { ...empty, name: 'x', type: 'public', remote_address: a.ready.https, config }],
    ['PUT', `${linksPath}/there`, { description: '', config }],
    ['PATCH', `${linksPath}/there`, { config }],
  ]
  const before = dumpState(b.stateDir)
  for (const [method, path, body] of bodies) {
    const answer = await callV1(b, method, path, body)
    assert.deepEqual([answer.status, answer.code], [400, 'invalid-config'], answer.error)
    assert.match(answer.error, /looks like a token.*--token/)
    assert.ok(!answer.error.includes(text.slice(0, 20)))
    assert.deepEqual(dumpState(b.stateDir), before)
  }
  await clear()
})
