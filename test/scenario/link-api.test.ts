import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import { systemClock } from '../../src/base/clock.ts'
import { createCertificate } from '../../src/identity/certificate.ts'
import { encodeToken } from '../../src/identity/trust-token.ts'
import { type HttpConnections, pinnedHttp } from '../../src/transport/pinned-fetch.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { callV1, linksPath, mintLinkToken, useLinkToken } from '../support/link-calls.ts'
import { waitFor } from '../support/process.ts'

let daemon: Daemon
let other: Daemon

before(async () => {
  ;[daemon, other] = await Promise.all([startDaemon({ name: 'here' }), startDaemon({ name: 'there' })])
})

after(async () => {
  await Promise.all([daemon?.[Symbol.asyncDispose](), other?.[Symbol.asyncDispose]()])
})

/** A client with a certificate of its own, in a group that has these permissions. */
async function person(name: string, permissions: [type: string, url: string, entitlement: string][]) {
  const group = `group-of-${name}`
  const given = permissions.map(([entity_type, url, entitlement]) => ({ entity_type, url, entitlement }))
  await daemon.client.groups.create({ name: group, permissions: given })
  const request = { commonName: name, hostNames: [], addresses: [], clock: systemClock }
  const { certificatePem, privateKeyPem } = await createCertificate(request)
  await daemon.client.identities.create({ name, certificate: certificatePem, groups: [group] })
  const { https, fingerprint } = daemon.ready
  const http: HttpConnections = pinnedHttp({
    address: https,
    fingerprint,
    certificate: certificatePem,
    key: privateKeyPem,
  })
  return { http, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() }
}

test('the shape of a link, its URL and its lists', async () => {
  assert.deepEqual((await callV1(daemon, 'GET', linksPath)).metadata, [])
  await mintLinkToken(daemon, 'a link:%', { config: { 'user.a': 'b' } })
  await mintLinkToken(daemon, 'Z')
  const list = await callV1(daemon, 'GET', linksPath)
  assert.deepEqual(list.metadata, [`${linksPath}/Z`, `${linksPath}/a%20link%3A%25`])
  const url = list.metadata[1] as string
  const one = await callV1(daemon, 'GET', url)
  const shown = { name: 'a link:%', description: '', type: 'bidirectional', config: { 'user.a': 'b' }, used_by: [] }
  assert.deepEqual(one.metadata, shown)
  assert.match(one.etag!, /^"[0-9a-f]{64}"$/)
  assert.deepEqual((await callV1(daemon, 'GET', `${linksPath}?recursion=1`)).metadata[1], shown)
  for (const path of [`${linksPath}/none`, `${linksPath}/none/state`, `${linksPath}/z`]) {
    const missing = await callV1(daemon, 'GET', path)
    assert.equal(missing.status, 404)
    assert.match(missing.error, /^Cluster link "(none|z)" not found$/)
  }
  await daemon.client.clusterLinks.delete('a link:%')
  await daemon.client.clusterLinks.delete('Z')
})

test('which way a link is to be made is checked before rights are, and rights before work', async () => {
  await using nobody = await person('nobody', [])
  await using minter = await person('minter', [
    ['server', '/1.0', 'can_create_cluster_links'],
    ['server', '/1.0', 'can_create_identities'],
  ])
  await using half = await person('half', [['server', '/1.0', 'can_create_cluster_links']])
  const { https, fingerprint } = daemon.ready
  await using anonymous = pinnedHttp({ address: https, fingerprint })
  const callers = { nobody, minter, half, anonymous: { http: anonymous } }
  const cases: [body: object, who: keyof typeof callers, status: number, says: RegExp][] = [
    [{}, 'anonymous', 400, /bidirectional, unidirectional, public/],
    [{ type: 'one-way' }, 'anonymous', 400, /has to be one of/],
    [{ type: 'bidirectional', name: 'a/b' }, 'anonymous', 400, /cannot contain "\/"/],
    [{ type: 'bidirectional' }, 'anonymous', 403, /a name, or the token/],
    [{ type: 'bidirectional', name: '', trust_token: 'x' }, 'anonymous', 400, /one of these/],
    [{ type: 'bidirectional', name: 'x', remote_address: 'y' }, 'anonymous', 400, /public links only/],
    [{ type: 'public', name: 'x' }, 'anonymous', 400, /needs "remote_address"/],
    [{ type: 'public', name: 'x', trust_token: 'y' }, 'anonymous', 400, /takes no token/],
    [{ type: 'public', remote_address: 'y' }, 'anonymous', 400, /Give the cluster link a name/],
    [{ type: 'public', name: 'x', auth_groups: ['g'], remote_address: 'y' }, 'anonymous', 400, /has no groups/],
    [{ type: 'public', name: 'x', remote_address: 'y' }, 'anonymous', 403, /Not trusted/],
    [{ type: 'public', name: 'x', remote_address: 'y' }, 'nobody', 403, /can_create_cluster_links/],
    [{ type: 'public', name: 'x', fingerprint: 'y' }, 'nobody', 403, /can_create_cluster_links/],
    [{ type: 'public', name: 'x', remote_address: 'y y' }, 'half', 400, /is not an address/],
    [{ type: 'bidirectional', name: 'x', trust_token: 'y' }, 'anonymous', 403, /not a usable token/],
    [{ type: 'bidirectional', name: 'x' }, 'anonymous', 403, /Not trusted/],
    [{ type: 'bidirectional', name: 'x' }, 'nobody', 403, /can_create_identities/],
    [{ type: 'bidirectional', name: 'x' }, 'half', 403, /can_create_identities/],
    [{ type: 'unidirectional', name: 'x' }, 'half', 403, /can_create_identities/],
    [{ type: 'bidirectional', name: 'x' }, 'minter', 201, /^$/],
  ]
  for (const [body, who, status, says] of cases) {
    const answer = await callV1(callers[who], 'POST', linksPath, body)
    assert.equal(answer.status, status, `${who} ${JSON.stringify(body)}: ${answer.status} ${answer.error}`)
    assert.match(answer.error, says)
  }
  assert.equal((await callV1(nobody, 'GET', `${linksPath}/x`)).error, 'Not Found')
  assert.equal((await callV1(nobody, 'DELETE', `${linksPath}/x`)).status, 404)
  assert.deepEqual((await callV1(nobody, 'GET', linksPath)).metadata, [])
  await using viewer = await person('viewer', [['cluster_link', `${linksPath}/x`, 'can_view']])
  assert.equal((await callV1(viewer, 'GET', `${linksPath}/x`)).status, 200)
  assert.equal((await callV1(viewer, 'DELETE', `${linksPath}/x`)).status, 403)
  assert.equal((await callV1(viewer, 'PUT', `${linksPath}/x`, { config: {} })).status, 403)
  await daemon.client.clusterLinks.delete('x')
  assert.equal((await callV1(viewer, 'GET', `${linksPath}/x`)).status, 404)
})

test('PUT and PATCH: If-Match first, then volatile keys, then values', async () => {
  const token = await mintLinkToken(daemon, 'edited', { description: 'one', config: { 'user.a': '1', 'user.b': '2' } })
  assert.equal((await useLinkToken(other, 'back', token)).status, 201)
  const path = `${linksPath}/edited`
  const get = () => callV1(daemon, 'GET', path)
  const { metadata: before, etag } = await get()
  assert.equal(before.config['volatile.addresses'], other.ready.https)
  const stale = { 'if-match': '"00"' }
  assert.equal((await callV1(daemon, 'PUT', path, { config: { bad: 'x' } }, stale)).status, 412)
  assert.equal((await callV1(daemon, 'PUT', `${linksPath}/none`, { config: {} }, stale)).status, 404)
  const refused: ['PUT' | 'PATCH', object, RegExp][] = [
    ['PUT', { 'user.a': '1' }, /"volatile.addresses" cannot be modified/],
    ['PUT', { 'volatile.addresses': 'evil:1' }, /"volatile.addresses" cannot be modified/],
    ['PUT', { ...before.config, 'volatile.pending_address': 'x:1' }, /cannot be modified/],
    ['PATCH', { 'volatile.addresses': 'evil:1' }, /cannot be modified/],
    ['PATCH', { 'volatile.addresses': '' }, /cannot be modified/],
    ['PATCH', { unknown: '1' }, /Unknown config key "unknown"/],
    ['PATCH', { 'acl.sync.enable': 'perhaps' }, /acl.sync.enable/],
    ['PATCH', { 'bootstrap.servers': 'k:1' }, /straight to Kafka/],
  ]
  for (const [method, config, says] of refused) {
    const answer = await callV1(daemon, method, path, { config })
    assert.equal(answer.status, 400, answer.error)
    assert.match(answer.error, says)
    assert.equal((await get()).etag, etag)
  }
  const put = { description: 'two', config: { 'volatile.addresses': other.ready.https, 'user.b': '3' } }
  assert.deepEqual((await callV1(daemon, 'PUT', path, put, { 'if-match': etag! })).metadata, {})
  const replaced = await get()
  assert.deepEqual([replaced.metadata.description, replaced.metadata.config], ['two', put.config])
  assert.equal((await callV1(daemon, 'PUT', path, put, { 'if-match': etag! })).status, 412)
  const patch = { description: '', config: { 'user.b': '', 'user.c': 4 } }
  assert.equal((await callV1(daemon, 'PATCH', path, patch)).status, 200)
  const { description, config } = (await get()).metadata
  assert.deepEqual([description, config], ['two', { 'volatile.addresses': other.ready.https, 'user.c': '4' }])
  assert.equal((await callV1(daemon, 'POST', path, { name: 'edited' })).status, 200)
  assert.equal((await callV1(daemon, 'POST', path, { name: '..' })).status, 400)
  assert.equal((await callV1(daemon, 'POST', path, { name: 'renamed' })).status, 200)
  assert.equal((await get()).status, 404)
  assert.equal((await daemon.client.identities.get('renamed')).value.id, other.ready.fingerprint)
  await daemon.client.clusterLinks.delete('renamed')
  await other.client.clusterLinks.delete('back')
})

test('a Kafka link in this dialect is made when its Kafka answers, and not before', async () => {
  const bad = await callV1(daemon, 'POST', linksPath, {
    name: 'dr',
    type: 'unidirectional',
    config: { 'linkspan.reach': 'kafka', 'bootstrap.servers': '127.0.0.1:1' },
  })
  assert.equal(bad.code, 'unreachable')
  assert.match(bad.error, /127.0.0.1:1 could not be asked: .*create the link without validating it/)
  assert.deepEqual((await callV1(daemon, 'GET', linksPath)).metadata, [])
})

test('a token that was pasted as an argument is refused as a config key, and not repeated', async () => {
  const text = encodeToken(await mintLinkToken(other, 'minted'))
  const config = { [text.replace(/=+$/, '')]: text.endsWith('==') ? '=' : '' }
  const answer = await callV1(daemon, 'POST', linksPath, { name: 'x', type: 'bidirectional', config })
  assert.equal(answer.status, 400)
  assert.match(answer.error, /looks like a token.*--token/)
  assert.ok(!answer.error.includes(text.slice(0, 30)))
  await other.client.clusterLinks.delete('minted')
})

test('each change tells of itself once, in the names and the order of LXD', async () => {
  const socket = new WebSocket(`ws+unix:${join(daemon.stateDir, 'unix.socket')}:/1.0/events?type=lifecycle,security`)
  // biome-ignore lint/suspicious/noExplicitAny: events of two shapes
  const events: any[] = []
  socket.on('message', (data) => events.push(JSON.parse(String(data))))
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const { clusterLinks } = daemon.client
  const token = await mintLinkToken(daemon, 'told')
  const pending = (await daemon.client.identities.get('told')).value.id
  assert.equal((await useLinkToken(other, 'back', token)).status, 201)
  await clusterLinks.change('told', { config: { 'user.x': 'y' } })
  await clusterLinks.rename('told', 'said')
  await clusterLinks.delete('said')
  await waitFor(() => events.some(({ metadata }) => metadata.name?.startsWith('authz_admin:identity_delete')))
  const lifecycle = events.filter(({ type }) => type === 'lifecycle').map(({ metadata }) => metadata)
  const peer = other.ready.fingerprint
  const identity = (id: string) => `/1.0/auth/identities/tls/${id}`
  assert.deepEqual(
    lifecycle.map(({ action, source }) => [action, source]),
    [
      ['cluster-link-created', `${linksPath}/told`],
      ['identity-created', identity(pending)],
      ['cluster-link-created', `${linksPath}/told`],
      ['identity-updated', identity(peer)],
      ['cluster-link-updated', `${linksPath}/told`],
      ['cluster-link-renamed', `${linksPath}/said`],
      ['identity-updated', identity(peer)],
      ['cluster-link-deleted', `${linksPath}/said`],
      ['identity-deleted', identity(peer)],
    ],
  )
  assert.deepEqual(lifecycle[5].context, { old_name: 'told' })
  assert.deepEqual([lifecycle[0].requestor.protocol, lifecycle[2].requestor.protocol], ['unix', ''])
  assert.match(lifecycle[2].requestor.address, /^127\.0\.0\.1:\d+$/)
  const security = events.filter(({ type, metadata }) => type === 'security' && /^(user|authz)_/.test(metadata.name))
  assert.deepEqual(
    security.map(({ metadata }) => metadata.name),
    [
      `user_created:tls:${pending}`,
      `authz_admin:identity_create:tls/${pending}`,
      `user_updated:tls:${peer}`,
      `authz_admin:identity_edit:tls/${peer}`,
      `user_updated:tls:${peer}`,
      `authz_admin:identity_edit:tls/${peer}`,
      `user_deleted:tls:${peer}`,
      `authz_admin:identity_delete:tls/${peer}`,
    ],
  )
  assert.equal(security[0].metadata.request_path, linksPath)
  const times = events.map(({ timestamp }) => timestamp)
  assert.deepEqual(times, times.toSorted())
  socket.close()
  await other.client.clusterLinks.delete('back')
})

test('an identity that is deleted takes its link along, and both are told', async () => {
  const socket = new WebSocket(`ws+unix:${join(daemon.stateDir, 'unix.socket')}:/1.0/events?type=lifecycle`)
  const told: string[] = []
  socket.on('message', (data) => told.push(JSON.parse(String(data)).metadata.action))
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  await mintLinkToken(daemon, 'waiting')
  await daemon.client.identities.delete('waiting')
  await waitFor(() => told.length === 4, { what: 'four events' })
  const whole = ['cluster-link-created', 'identity-created', 'cluster-link-deleted', 'identity-deleted']
  assert.deepEqual(told, whole)

  told.length = 0
  await daemon.client.server.changeConfig({ config: { 'core.remote_token_expiry': '1S' } })
  const { expires_at } = await mintLinkToken(daemon, 'late')
  await daemon.client.server.changeConfig({ config: { 'core.remote_token_expiry': '' } })
  await waitFor(() => systemClock.wallMs() > Date.parse(expires_at), { what: 'the end of the token' })
  // Whoever mints takes away what has expired, so that its name is free.
  await mintLinkToken(daemon, 'late')
  await waitFor(() => told.length === 8, { what: 'what became of the first one' })
  assert.deepEqual(
    told.filter((action) => action !== 'config-updated'),
    [...whole, 'cluster-link-created', 'identity-created'],
  )
  socket.close()
  await daemon.client.clusterLinks.delete('late')
})

test('whoever deletes himself still gets his answer', async () => {
  await using leaver = await person('leaver', [])
  const deleted = await callV1(leaver, 'DELETE', '/1.0/auth/identities/tls/leaver')
  assert.equal(deleted.status, 200)
  assert.equal((await callV1(leaver, 'GET', '/1.0')).metadata.auth, 'untrusted')
})
