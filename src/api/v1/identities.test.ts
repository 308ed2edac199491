import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApi, type TestApi } from '../../../test/support/api-server.ts'
import { encodeToken } from '../../identity/trust-token.ts'
import type { Caller } from '../../transport/caller.ts'

const identities = '/1.0/auth/identities'
const grant = (entity_type: string, url: string, entitlement: string) => ({ entity_type, url, entitlement })

async function makeGroup(server: TestApi, name: string, ...permissions: object[]): Promise<void> {
  const body = { name, description: '', permissions }
  const answer = await server.call({ method: 'POST', path: '/1.0/auth/groups', body })
  assert.equal(answer.status, 201, answer.text)
}

async function mint(server: TestApi, name: string, groups: string[] = []): Promise<string> {
  const body = { name, trust_token: '', token: true, certificate: '', groups }
  const answer = await server.call({ method: 'POST', path: `${identities}/tls`, body })
  assert.equal(answer.status, 201, answer.text)
  return encodeToken(answer.metadata)
}

async function join(server: TestApi, name: string, groups: string[] = []): Promise<Caller> {
  const caller = await server.stranger()
  const trust_token = await mint(server, name, groups)
  const answer = await server.call({ as: caller, method: 'POST', path: `${identities}/tls`, body: { trust_token } })
  assert.equal(answer.status, 201, answer.text)
  return caller
}

test('a token makes a stranger an identity, once', async (t) => {
  const server = await startTestApi(t)
  const caller = await server.stranger()
  const trust_token = await mint(server, 'berlin')
  const before = await server.call({ as: caller, path: '/1.0' })
  assert.equal(before.metadata.auth, 'untrusted')
  const spend = () => server.call({ as: caller, method: 'POST', path: `${identities}/tls`, body: { trust_token } })
  const answer = await spend()
  assert.equal(answer.status, 201)
  assert.equal(answer.headers.location, `${identities}/tls/${caller.fingerprint}`)
  assert.deepEqual(answer.body, {
    type: 'sync',
    status: 'Success',
    status_code: 200,
    operation: '',
    error_code: 0,
    error: '',
    metadata: null,
  })
  const after = await server.call({ as: caller, path: '/1.0' })
  assert.equal(after.metadata.auth, 'trusted')
  assert.equal(after.metadata.auth_user_name, caller.fingerprint)
  assert.equal((await spend()).status, 409)
  const other = await server.stranger()
  const late = await server.call({ as: other, method: 'POST', path: `${identities}/tls`, body: { trust_token } })
  assert.equal(late.status, 403)
  assert.equal(late.headers['linkspan-error'], 'token-unknown')
})

test('a token is refused in every wrong use, and stays usable', async (t) => {
  const server = await startTestApi(t)
  const trust_token = await mint(server, 'berlin')
  const caller = await server.stranger()
  const spend = (body: object, as = caller) => {
    return server.call({ as, method: 'POST', path: `${identities}/tls`, body })
  }
  assert.equal((await spend({ trust_token, name: 'mine' })).status, 403)
  assert.equal((await spend({ trust_token: trust_token.slice(0, 60) })).status, 403)
  assert.equal((await spend({})).status, 403)
  const { certificate: _, fingerprint: __, ...bare } = caller
  assert.equal((await spend({ trust_token }, bare)).status, 400)
  assert.equal((await spend({ trust_token })).status, 201)
})

test('a token that nobody used in time is gone', async (t) => {
  const server = await startTestApi(t)
  await server.call({ method: 'PATCH', path: '/1.0', body: { config: { 'core.remote_token_expiry': '1H' } } })
  const trust_token = await mint(server, 'late')
  server.clock.nowMs += 3_600_000
  const as = await server.stranger()
  const spend = () => server.call({ as, method: 'POST', path: `${identities}/tls`, body: { trust_token } })
  assert.equal((await spend()).headers['linkspan-error'], 'token-expired')
  assert.equal((await spend()).headers['linkspan-error'], 'token-unknown')
  assert.deepEqual((await server.call({ path: identities })).metadata, [])
})

test('minting answers with the token, a pending identity, and events in order', async (t) => {
  const server = await startTestApi(t)
  await makeGroup(server, 'readers')
  server.events.length = 0
  const body = { name: 'berlin', token: true, groups: ['readers'] }
  const answer = await server.call({ method: 'POST', path: `${identities}/tls`, body })
  const id = answer.headers.location!.split('/').at(-1)!
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.deepEqual(Object.keys(answer.metadata), [
    'client_name',
    'fingerprint',
    'addresses',
    'secret',
    'expires_at',
    'type',
  ])
  assert.equal(answer.metadata.type, 'Client certificate')
  assert.match(answer.metadata.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
  const shown = await server.call({ path: `${identities}/tls/berlin` })
  assert.deepEqual(shown.metadata, {
    authentication_method: 'tls',
    type: 'Client certificate (pending)',
    id,
    name: 'berlin',
    groups: ['readers'],
    tls_certificate: '',
    created_at: new Date(server.clock.nowMs).toISOString(),
  })
  const names = server.events.map(({ metadata }) =>
    'action' in metadata ? metadata.action : 'name' in metadata && metadata.name,
  )
  assert.deepEqual(names, ['identity-created', `user_created:tls:${id}`, `authz_admin:identity_create:tls/${id}`])
  assert.deepEqual((await server.call({ path: identities })).metadata, [`${identities}/tls/${id}`])
  assert.deepEqual((await server.call({ path: `${identities}/oidc` })).metadata, [])
  assert.ok(!(await server.call({ path: `${identities}?recursion=1` })).text.includes(answer.metadata.secret))
})

test('creation is refused with the reason', async (t) => {
  const server = await startTestApi(t)
  const post = (body: object, as?: Caller) => {
    return server.call({ ...(as && { as }), method: 'POST', path: `${identities}/tls`, body })
  }
  await mint(server, 'taken')
  assert.equal((await post({ token: true })).status, 400)
  assert.equal((await post({ name: 'x' })).status, 400)
  assert.equal((await post({ name: 'x', token: true, certificate: 'y' })).status, 400)
  assert.equal((await post({ name: 'x', certificate: 'y' })).status, 400)
  assert.equal((await post({ name: 'taken', token: true })).status, 409)
  const missing = await post({ name: 'x', token: true, groups: ['none', 'neither'] })
  assert.equal(missing.status, 404)
  assert.match(missing.body.error, /"none", "neither"/)
  const nobody = await join(server, 'nobody')
  assert.equal((await post({ name: 'x', token: true }, nobody)).status, 403)
  const { certificate } = await server.stranger()
  assert.equal((await post({ name: 'known', certificate })).status, 201)
  assert.equal((await post({ name: 'again', certificate })).status, 409)
})

test('whoever has no rights sees and deletes himself, and nobody else', async (t) => {
  const server = await startTestApi(t)
  const me = await join(server, 'me')
  const other = await join(server, 'other')
  const get = (path: string) => server.call({ as: me, path })
  assert.deepEqual((await get(identities)).metadata, [`${identities}/tls/${me.fingerprint}`])
  const hidden = await get(`${identities}/tls/${other.fingerprint}`)
  const missing = await get(`${identities}/tls/unheard-of`)
  assert.equal(hidden.status, 404)
  assert.deepEqual(hidden.body, missing.body)
  assert.equal(hidden.body.error, 'Not Found')
  const self = `${identities}/tls/${me.fingerprint}`
  const current = await get(`${identities}/current`)
  assert.equal(current.metadata.fine_grained, true)
  assert.deepEqual(current.metadata.effective_permissions, [])
  const regroup = await server.call({ as: me, method: 'PUT', path: self, body: { groups: ['admins'] } })
  assert.equal(regroup.status, 403)
  assert.equal((await server.call({ as: me, method: 'DELETE', path: `${identities}/tls/other` })).status, 404)
  assert.equal((await server.call({ as: me, method: 'DELETE', path: `${identities}/tls/me` })).status, 200)
  assert.equal((await get('/1.0')).metadata.auth, 'untrusted')
  assert.equal((await get(identities)).status, 403)
  assert.equal((await server.call({ path: `${identities}/current` })).status, 400)
})

test('rights are judged per request on a connection that stays open', async (t) => {
  const server = await startTestApi(t)
  const me = await join(server, 'me')
  const socket = await server.dial(me)
  const ask = async () => {
    socket.write('GET /1.0 HTTP/1.1\r\nHost: x\r\n\r\n')
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      if (/"auth":"(\w+)"/.test(String(chunk))) return /"auth":"(\w+)"/.exec(String(chunk))![1]
    }
    return undefined
  }
  assert.equal(await ask(), 'trusted')
  await server.call({ method: 'DELETE', path: `${identities}/tls/me` })
  assert.equal(await ask(), 'untrusted')
  socket.destroy()
})

test('PUT replaces the groups of an identity, an empty PATCH keeps them; ETag and sight guard them', async (t) => {
  const server = await startTestApi(t)
  await makeGroup(server, 'a')
  await makeGroup(server, 'b')
  const me = await join(server, 'me', ['a'])
  const path = `${identities}/tls/me`
  const groups = async () => (await server.call({ path })).metadata.groups
  const { etag } = (await server.call({ path })).headers
  const change = (method: string, body: object, headers = {}) => server.call({ method, path, body, headers })
  assert.equal((await change('PUT', { groups: ['b'] }, { 'if-match': etag! })).status, 200)
  assert.equal((await change('PUT', { groups: ['a'] }, { 'if-match': etag! })).status, 412)
  assert.deepEqual(await groups(), ['b'])
  assert.equal((await change('PATCH', { groups: [] })).status, 200)
  assert.deepEqual(await groups(), ['b'])
  assert.equal((await change('PUT', { groups: null })).status, 200)
  assert.deepEqual(await groups(), [])
  assert.equal((await change('PUT', { groups: ['none'] })).status, 404)
  await makeGroup(server, 'editors', grant('identity', '/1.0/auth/identities/tls', 'can_edit'))
  const editor = await join(server, 'editor', ['editors'])
  const promote = await server.call({ as: editor, method: 'PUT', path, body: { groups: ['admins'] } })
  assert.equal(promote.status, 403)
  assert.equal((await server.call({ as: editor, method: 'PUT', path, body: { groups: ['editors'] } })).status, 200)
  assert.ok(me)
})

test('an identity replaces its own certificate, and is the new one from then on', async (t) => {
  const server = await startTestApi(t)
  const me = await join(server, 'me')
  const next = await server.stranger()
  const path = `${identities}/tls/${me.fingerprint}`
  const body = { groups: [], tls_certificate: next.certificate }
  assert.equal((await server.call({ as: me, method: 'PUT', path, body })).status, 200)
  assert.equal((await server.call({ as: me, path: '/1.0' })).metadata.auth, 'untrusted')
  assert.equal((await server.call({ as: next, path: '/1.0' })).metadata.auth, 'trusted')
})
