import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApi, type TestApi } from '../../../test/support/api-server.ts'
import { joinByToken, makeGroup } from '../../../test/support/identities.ts'
import { encodeToken } from '../../identity/trust-token.ts'
import type { Caller } from '../../transport/caller.ts'

const path = '/1.0/certificates'

function mint(server: TestApi, body: object = {}, as: Caller | 'admin' = 'admin') {
  return server.call({ as, method: 'POST', path, body: { name: 'foo', type: 'client', token: true, ...body } })
}

async function mintToken(server: TestApi, body: object = {}): Promise<string> {
  const { metadata: operation } = await mint(server, body)
  const { addresses, expiresAt, fingerprint, request, secret } = operation.metadata
  const parts = { client_name: request.name, fingerprint, addresses, secret, expires_at: expiresAt, type: '' }
  return encodeToken(parts)
}

function spend(server: TestApi, as: Caller, token: string, field = 'trust_token') {
  return server.call({ as, method: 'POST', path, body: { type: 'client', [field]: token } })
}

async function trust(server: TestApi, body: object = {}): Promise<Caller> {
  const caller = await server.stranger()
  const answer = await server.call({ method: 'POST', path, body: { certificate: caller.certificate, ...body } })
  assert.equal(answer.status, 201, answer.text)
  assert.equal(answer.headers.location, `${path}/${caller.fingerprint}`)
  return caller
}

const derOf = (pem: string) => pem.replaceAll(/-----.*-----|\s/g, '')

test('a token is an operation that ends when it is used, once', async (t) => {
  const server = await startTestApi(t)
  const minted = await mint(server)
  assert.equal(minted.status, 202)
  const { operation: url, metadata: operation } = minted.body
  assert.equal(minted.headers.location, url)
  assert.deepEqual(operation, {
    id: url.split('/').at(-1),
    class: 'token',
    description: 'Certificate add token',
    created_at: operation.created_at,
    updated_at: operation.updated_at,
    status: 'Running',
    status_code: 103,
    resources: {},
    metadata: {
      addresses: ['127.0.0.1:8443'],
      expiresAt: operation.metadata.expiresAt,
      fingerprint: 'f'.repeat(64),
      request: {
        name: 'foo',
        type: 'client',
        restricted: false,
        projects: [],
        certificate: '',
        password: '',
        trust_token: '',
        token: true,
      },
      secret: operation.metadata.secret,
    },
    may_cancel: true,
    err: '',
    err_code: 0,
    child_count: 0,
    location: 'none',
    requestor: { username: 'root', protocol: 'unix', address: '@' },
  })
  const listed = await server.call({ path: '/1.0/operations?project=default&recursion=1' })
  assert.deepEqual(listed.metadata.running, [operation])
  const { secret, ...rest } = operation.metadata
  const token = encodeToken({
    client_name: 'foo',
    fingerprint: rest.fingerprint,
    addresses: rest.addresses,
    secret,
    expires_at: rest.expiresAt,
    type: '',
  })
  const callers = await Promise.all(Array.from({ length: 4 }, () => server.stranger()))
  const answers = await Promise.all(callers.map((caller) => spend(server, caller, token)))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 403, 403, 403])
  const winner = callers[answers.findIndex(({ status }) => status === 201)]!
  assert.equal((await server.call({ as: winner, path: '/1.0' })).metadata.auth, 'trusted')
  const ended = await server.call({ path: url })
  assert.deepEqual([ended.metadata.status, ended.metadata.status_code], ['Cancelled', 401])
  assert.ok(!JSON.stringify(server.events).includes(secret), 'an event told the secret')
  const again = await server.call({ method: 'DELETE', path: url })
  assert.equal(again.status, 400)
})

test('who may not make a token is not shown its secret', async (t) => {
  const server = await startTestApi(t)
  await makeGroup(server, 'viewers', { entity_type: 'server', url: '/1.0', entitlement: 'viewer' })
  const viewer = await joinByToken(server, 'viewer', ['viewers'])
  const { body } = await mint(server)
  const seen = await server.call({ as: viewer, path: body.operation })
  assert.equal(seen.metadata.metadata.request.name, 'foo')
  assert.equal(seen.metadata.metadata.secret, undefined)
  assert.equal((await server.call({ as: viewer, method: 'DELETE', path: body.operation })).status, 403)
  assert.equal((await mint(server, {}, viewer)).status, 403)
  assert.equal((await server.call({ method: 'DELETE', path: body.operation })).status, 200)
  const names = server.rooms.bus.audit.latest().map(({ metadata }) => metadata.name)
  for (const name of ['created', 'revoked']) assert.ok(names.some((one) => one.startsWith(`authn_token_${name}:`)))
})

test('clients of LXD 5.0 send their token as a password; real passwords there are none', async (t) => {
  const server = await startTestApi(t)
  const caller = await server.stranger()
  assert.equal((await spend(server, caller, 'sesame', 'password')).status, 501)
  assert.equal((await spend(server, caller, await mintToken(server), 'password')).status, 201)
  const { metadata } = await server.call({ as: caller, path: `${path}?recursion=1` })
  const { name, restricted, fingerprint, certificate } = metadata[0]
  assert.deepEqual([name, restricted, fingerprint], ['foo', false, caller.fingerprint])
  assert.equal(certificate, caller.certificate)
})

test('they can use the token of an identity as well, that of a link not', async (t) => {
  const server = await startTestApi(t)
  const body = { name: 'person', token: true }
  const { metadata: token } = await server.call({ method: 'POST', path: '/1.0/auth/identities/tls', body })
  const [caller, other] = [await server.stranger(), await server.stranger()]
  const asLink = encodeToken({ ...token, type: 'Cluster link certificate' })
  assert.equal((await spend(server, caller, asLink, 'password')).status, 400)
  assert.equal((await spend(server, caller, encodeToken(token))).status, 400)
  assert.equal((await spend(server, caller, encodeToken(token), 'password')).status, 201)
  const again = await spend(server, other, encodeToken(token), 'password')
  assert.equal(again.headers['linkspan-error'], 'token-unknown')
  const current = await server.call({ as: caller, path: '/1.0/auth/identities/current' })
  assert.deepEqual([current.metadata.name, current.metadata.fine_grained], ['person', true])
  const names = server.rooms.bus.audit.latest().map(({ metadata }) => metadata.name)
  assert.ok(names.includes('authn_login_fail:token'))
})

test('every wrong use of a token is refused, and leaves it usable', async (t) => {
  const server = await startTestApi(t)
  const token = await mintToken(server)
  const caller = await server.stranger()
  const fields = JSON.parse(Buffer.from(token, 'base64').toString())
  const wrong = encodeToken({ ...fields, secret: 'a'.repeat(64) })
  assert.equal((await spend(server, caller, wrong)).headers['linkspan-error'], 'token-unknown')
  assert.equal((await spend(server, caller, token.slice(0, -9))).headers['linkspan-error'], 'token-undecodable')
  const typed = await spend(server, caller, encodeToken({ ...fields, type: 'Client certificate' }))
  assert.deepEqual([typed.status, typed.body.error.includes('/1.0/auth/identities/tls')], [400, true])
  const bare = { transport: 'tls', address: '10.9.9.9:1' } as const
  assert.equal((await spend(server, bare, token)).status, 400)
  const known = await joinByToken(server, 'known')
  assert.equal((await spend(server, known, token)).status, 409)
  assert.equal((await server.call({ as: await server.stranger(), method: 'POST', path, body: {} })).status, 403)
  assert.equal((await spend(server, caller, token)).status, 201)
})

test('an expired token is refused, and ends', async (t) => {
  const server = await startTestApi(t)
  const token = await mintToken(server)
  server.clock.nowMs += 16 * 86_400_000
  const answer = await spend(server, await server.stranger(), token)
  assert.equal(answer.headers['linkspan-error'], 'token-expired')
  assert.deepEqual(Object.keys((await server.call({ path: '/1.0/operations' })).metadata), ['cancelled'])
})

test('what LXD refuses in a certificate or a token is refused', async (t) => {
  const server = await startTestApi(t)
  const refused = async (body: object) => (await server.call({ method: 'POST', path, body })).status
  for (const body of [
    { token: true },
    { token: true, name: '-x' },
    { token: true, name: 'a/b' },
    { token: true, name: 'a', type: 'metrics' },
    { token: true, name: 'a', projects: ['p'] },
    { token: true, name: 'a', restricted: true, projects: ['p'] },
    { token: true, name: 'a', certificate: 'x' },
    { certificate: 'x' },
    {},
  ]) {
    assert.equal(await refused(body), 400, JSON.stringify(body))
  }
  server.rooms.server.addresses = () => []
  assert.equal(await refused({ token: true, name: 'a' }), 400)
})

test('a certificate is trusted for everything, known by its first digits, and forgotten at once', async (t) => {
  const server = await startTestApi(t)
  const one = await trust(server, { name: 'one' })
  const der = await server.stranger()
  const added = await server.call({ as: one, method: 'POST', path, body: { certificate: derOf(der.certificate!) } })
  assert.equal(added.status, 201, added.text)
  assert.equal(added.metadata, null)
  const short = await server.call({ as: one, path: `${path}/${one.fingerprint!.slice(0, 12).toUpperCase()}` })
  assert.deepEqual(short.metadata, {
    name: 'one',
    type: 'client',
    restricted: false,
    projects: [],
    certificate: one.certificate,
    fingerprint: one.fingerprint,
  })
  assert.ok(short.headers.etag)
  assert.equal((await server.call({ as: one, path: `${path}/${der.fingerprint}` })).metadata.name, 'stranger')
  const urls = await server.call({ as: one, path })
  assert.deepEqual(urls.metadata, [one, der].map(({ fingerprint }) => `${path}/${fingerprint}`).sort())
  const again = await server.call({ method: 'POST', path, body: { name: 'x', certificate: one.certificate } })
  assert.equal(again.status, 409)

  const identity = await server.call({ path: `/1.0/auth/identities/tls/${one.fingerprint}` })
  assert.equal(identity.metadata.type, 'Client certificate (unrestricted)')
  const current = await server.call({ as: one, path: '/1.0/auth/identities/current' })
  const { effective_groups, effective_permissions, fine_grained } = current.metadata
  assert.deepEqual([effective_groups, effective_permissions, fine_grained], [[], [], false])
  const grouped = { groups: ['admins'] }
  const inGroup = await server.call({ method: 'PUT', path: `/1.0/auth/identities/tls/one`, body: grouped })
  assert.equal(inGroup.status, 501)
  assert.equal((await server.call({ as: one, method: 'PATCH', path: '/1.0', body: { config: {} } })).status, 200)

  const removed = await server.call({ method: 'DELETE', path: `${path}/${one.fingerprint!.slice(0, 12)}` })
  assert.equal(removed.status, 200)
  assert.equal((await server.call({ as: one, path: '/1.0' })).metadata.auth, 'untrusted')
  const actions = server.events.flatMap((event) => (event.type === 'lifecycle' ? [event.metadata.action] : []))
  assert.deepEqual(
    actions.filter((action) => action.startsWith('certificate')),
    ['certificate-created', 'certificate-created', 'certificate-deleted'],
  )
})

test('a restricted one sees itself, replaces itself, and nothing else', async (t) => {
  const server = await startTestApi(t)
  const admin = await trust(server, { name: 'admin' })
  const me = await trust(server, { name: 'me', restricted: true })
  const mine = `${path}/${me.fingerprint}`
  assert.deepEqual((await server.call({ as: me, path })).metadata, [mine])
  const { metadata: shown } = await server.call({ as: me, path: mine })
  assert.deepEqual((await server.call({ as: me, path: `${path}?recursion=1` })).metadata, [shown])
  assert.equal((await server.call({ as: me, path: `${path}/${admin.fingerprint}` })).status, 404)
  assert.deepEqual((await server.call({ as: me, path: '/1.0' })).metadata.config, {})
  assert.deepEqual((await server.call({ as: me, path: '/1.0/auth/groups' })).metadata, [])
  for (const method of ['PUT', 'PATCH']) {
    const change = async (more: object) => {
      return (await server.call({ as: me, method, path: mine, body: { ...shown, ...more } })).status
    }
    assert.equal(await change({ name: 'you' }), 403)
    assert.equal(await change({ restricted: false }), 403)
    assert.equal(await change({ type: 'metrics' }), 403)
    assert.equal(await change({ projects: ['p'] }), 400)
    assert.equal(await change({}), 200)
  }
  const next = await server.stranger()
  const body = { certificate: next.certificate }
  assert.equal((await server.call({ as: me, method: 'PATCH', path: mine, body })).status, 200)
  assert.equal((await server.call({ as: me, path: '/1.0' })).metadata.auth, 'untrusted')
  assert.equal((await server.call({ as: next, path: '/1.0' })).metadata.auth, 'trusted')
  const names = server.rooms.bus.audit.latest().map(({ metadata }) => metadata.name)
  assert.ok(names.includes(`authn_certificate_change:${me.fingerprint}`))
  assert.equal((await server.call({ as: next, method: 'DELETE', path: `${path}/${next.fingerprint}` })).status, 200)
  assert.equal((await server.call({ as: next, path: '/1.0' })).metadata.auth, 'untrusted')
})

test('an administrator changes name and restriction, if nobody did meanwhile', async (t) => {
  const server = await startTestApi(t)
  const one = await trust(server, { name: 'one', restricted: true })
  const url = `${path}/${one.fingerprint}`
  const { metadata: shown, headers } = await server.call({ path: url })
  const put = (body: object, tag = '') => {
    return server.call({ method: 'PUT', path: url, body, headers: tag ? { 'if-match': tag } : {} })
  }
  assert.equal((await put({ ...shown, name: 'uno', restricted: false }, headers.etag)).status, 200)
  assert.equal((await put({ ...shown, name: 'eins' }, headers.etag)).status, 412)
  const { metadata: now } = await server.call({ path: url })
  assert.deepEqual([now.name, now.restricted], ['uno', false])
  const nobody = await server.call({ method: 'PUT', path: `${path}/${'0'.repeat(64)}`, body: shown })
  assert.equal(nobody.status, 404)
})
