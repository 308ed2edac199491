import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { startTestApi, type TestApi } from '../../test/support/api-server.ts'
import { createIdentityChanges } from '../access/identities.ts'
import { groupTable } from '../access/rows.ts'
import { type Entitlement, type EntityRef, type EntityType, serverRef } from '../contract/entities.ts'
import { patternUrl } from '../contract/patterns.ts'
import type { Caller } from '../transport/caller.ts'
import type { Dialect } from './dialect.ts'
import { v3Dialect } from './kafka-v3/dialect.ts'
import { defineRoute, type Route } from './route.ts'
import { v1Dialect } from './v1/dialect.ts'
import { v1CoreRoutes } from './v1/routes.ts'

async function makeIdentity(server: TestApi, name: string): Promise<Caller> {
  const caller = await server.stranger()
  await server.access.execute('test', (rows) => {
    const certificate = { pem: caller.certificate!, fingerprint: caller.fingerprint!, validFromMs: 0, validToMs: 1e15 }
    const input = { kind: 'client', name, groups: ['admins'], nowMs: 0, certificate } as const
    const { changes, identity } = createIdentityChanges(rows, server.access.hooks, input)
    return { changes: changes.map((change) => withGroup(change, identity.groups)), result: undefined }
  })
  return caller
}

/** The test's own group, which is filled anew for every case. */
function withGroup<Change extends { value: string | null }>(change: Change, groups: string[]): Change {
  return { ...change, value: change.value!.replace(JSON.stringify(groups), '["case"]') }
}

async function grantOnly(server: TestApi, type: EntityType, entitlement: Entitlement): Promise<void> {
  const url = patternUrl({ type, kind: type === 'server' ? 'exact' : 'all', name: '' })
  await server.access.execute('test', () => {
    const permissions = [{ entity_type: type, url, entitlement }]
    return { changes: [groupTable.put('case', { name: 'case', description: '', permissions })], result: undefined }
  })
}

test('a route that declares nothing stops the start', async (t) => {
  const bare = { method: 'GET', path: '/1.0/bare', summary: '', handler: () => ({ status: 200 }) } as unknown as Route
  await assert.rejects(startTestApi(t, { dialects: [v1Dialect([bare])] }), /does not declare what it needs/)
  const strange = { ...bare, access: { kind: 'everybody' } } as unknown as Route
  await assert.rejects(startTestApi(t, { dialects: [v1Dialect([strange])] }), /unknown kind of access/)
})

test('so does one that asks for an entitlement that its entity does not have: nobody could use it', async (t) => {
  const route = probe({ kind: 'entitlement', entitlement: 'can_read', entity: () => serverRef })
  await assert.rejects(startTestApi(t, { dialects: [v1Dialect([route])] }), /a server has no entitlement can_read/)
})

function probe(access: Route['access'], extra: Partial<Route> = {}, path = '/1.0/probe'): Route {
  const handler = () => ({ status: 200, body: { fine: true } })
  return { ...defineRoute({ method: 'POST', path, summary: '', access, handler }), method: 'GET', ...extra }
}

function probeDialects(...routes: Route[]): { dialects: Dialect[] } {
  return { dialects: [v1Dialect(routes)] }
}

test('unknown routes, methods, slashes and bad escapes answer in the envelope', async (t) => {
  const server = await startTestApi(t)
  const cases: [string, string, number][] = [
    ['GET', '/1.0/nothing', 404],
    ['GET', '/elsewhere', 404],
    ['GET', '/1.0/auth/groups/', 404],
    ['HEAD', '/1.0', 501],
    ['DELETE', '/1.0', 501],
    ['POST', '/1.0/auth/groups/%zz', 400],
    ['POST', '/1.0/auth/permissions', 501],
    ['GET', '/1.0/auth/groups/%zz', 400],
    ['GET', '/1.0/auth/groups/a%2Fb', 404],
  ]
  for (const [method, path, status] of cases) {
    const answer = await server.call({ method, path })
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`)
    if (method === 'HEAD') continue
    assert.equal(answer.body.error_code, status)
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    assert.ok(answer.text.endsWith('}\n'))
  }
})

test("Confluent's dialect: two prefixes, forgiven slashes, literal colons, its own errors", async (t) => {
  const topic: EntityRef = { type: 'topic', name: 'x' }
  const path = '/kafka/v3/clusters/:cluster/links/:link/mirrors::promote'
  const routes = [
    probe({ kind: 'authenticated' }, {}, '/kafka/v3/clusters'),
    defineRoute({
      method: 'POST',
      path,
      summary: '',
      access: { kind: 'entitlement', entitlement: 'can_edit', entity: () => topic },
      handler: (request) => ({ status: 200, body: { link: request.param('link') } }),
    }),
  ]
  const server = await startTestApi(t, { dialects: [v1Dialect([]), v3Dialect(routes)] })
  for (const url of ['/kafka/v3/clusters', '/v3/clusters', '/v3/clusters/', '/kafka/v3/clusters/?x=1']) {
    assert.equal((await server.call({ path: url })).status, 200, url)
  }
  const promote = await server.call({ method: 'POST', path: '/v3/clusters/C/links/a%2Fb%20c/mirrors:promote' })
  assert.deepEqual(promote.body, { link: 'a/b c' })
  const stranger = await server.stranger()
  const refused = await server.call({ as: stranger, path: '/v3/clusters' })
  assert.deepEqual([refused.status, refused.body.error_code], [401, 40101])
  assert.equal((await server.call({ method: 'PUT', path: '/v3/clusters' })).status, 405)
  assert.deepEqual((await server.call({ path: '/v3/nothing' })).body.error_code, 404)
  assert.equal((await server.call({ path: '/v3x' })).body.type, 'error')
})

test('a dialect of streams reads and answers them itself, however long, and has HEAD of its own', async (t) => {
  const path = '/v2/blob'
  const access = { kind: 'open' } as const
  const echo = defineRoute({
    method: 'PUT',
    path,
    summary: '',
    access,
    bodyBytesMax: 64 * 1024 * 1024,
    handler: async (request) => {
      let bytes = 0
      for await (const chunk of request.stream) bytes += chunk.length
      return { status: 201, headers: { location: path }, body: Readable.from([`${bytes}`, ' bytes']) }
    },
  })
  const head = defineRoute({
    method: 'HEAD',
    path,
    summary: '',
    access,
    handler: () => ({ status: 200, headers: { 'content-length': '7', 'docker-content-digest': 'sha256:x' } }),
  })
  const oci: Dialect = { ...v1Dialect([echo, head]), name: 'oci', prefixes: ['/v2'], bodies: 'stream' }
  const server = await startTestApi(t, { dialects: [v1Dialect([]), oci] })
  const body = 'x'.repeat(3_000_000)
  for (const type of ['application/octet-stream', 'application/json']) {
    const answer = await server.call({ method: 'PUT', path, body, headers: { 'content-type': type } })
    assert.deepEqual([answer.status, answer.text], [201, '3000000 bytes'])
  }
  const bare = await server.call({ method: 'PUT', path })
  assert.deepEqual([bare.status, bare.text], [201, '0 bytes'])
  const { status, headers } = await server.call({ method: 'HEAD', path })
  assert.deepEqual([status, headers['content-length'], headers['docker-content-digest']], [200, '7', 'sha256:x'])
})

test('bodies: JSON only from browsers, bounded, and never with an own prototype', async (t) => {
  const server = await startTestApi(t)
  const post = (body: string, headers: Record<string, string> = {}) => {
    return server.call({ method: 'POST', path: '/1.0/auth/groups', body, headers })
  }
  assert.equal((await post('{"name":"a"}', { 'content-type': 'text/plain' })).status, 201)
  const me = await makeIdentity(server, 'me')
  const form = { 'content-type': 'text/plain', 'user-agent': 'Mozilla/5.0' }
  const path = '/1.0/auth/groups'
  const fromBrowser = await server.call({ as: me, method: 'POST', path, body: '{"name":"b"}', headers: form })
  assert.equal(fromBrowser.status, 403)
  assert.equal((await post('{"name":"c","__proto__":{"x":1}}')).status, 400)
  const huge = await post(JSON.stringify({ name: 'd', description: 'x'.repeat(2_000_000) }))
  assert.equal(huge.status, 413)
  assert.equal((await post('')).status, 400)
})

test("other sites' pages and bare browser certificates change nothing", async (t) => {
  const server = await startTestApi(t)
  await grantOnly(server, 'server', 'admin')
  const me = await makeIdentity(server, 'me')
  const send = async (method: string, headers: Record<string, string>) => {
    return (await server.call({ as: me, method, path: '/1.0', headers })).status
  }
  assert.equal(await send('GET', { 'sec-fetch-site': 'cross-site' }), 403)
  assert.equal(await send('GET', { 'sec-fetch-site': 'same-origin' }), 200)
  assert.equal(await send('PATCH', { 'sec-fetch-site': 'same-site' }), 403)
  assert.equal(await send('PATCH', { 'sec-fetch-site': 'same-origin' }), 403)
  assert.equal(await send('PATCH', { origin: 'https://evil.test' }), 403)
  assert.equal(await send('PATCH', { origin: 'null' }), 403)
  assert.equal(await send('PATCH', {}), 400)
  const session = await startTestApi(t, {
    sessionOf: (cookie) => (cookie === 'session=1' ? { kind: 'administrator' } : undefined),
  })
  const patch = async (headers: Record<string, string>) => {
    const as = { transport: 'tls', address: '10.1.1.1:1' } as const
    const body = { config: {} }
    return (await session.call({ as, method: 'PATCH', path: '/1.0', body, headers })).status
  }
  const own = { cookie: 'session=1', origin: 'https://linkspan.test', 'sec-fetch-site': 'same-origin' }
  assert.equal(await patch(own), 200)
  assert.equal(await patch({ ...own, cookie: 'session=2' }), 403)
  assert.equal(await patch({ ...own, origin: 'https://other.test' }), 403)
})

test('refusals are audited, with who and what, and strangers are slowed down', async (t) => {
  const server = await startTestApi(t)
  const me = await makeIdentity(server, 'me')
  await grantOnly(server, 'cluster_link', 'can_view')
  await server.call({ as: me, method: 'DELETE', path: '/1.0/auth/groups/admins' })
  const stranger = await server.stranger()
  await server.call({ as: stranger, path: '/1.0/auth/groups' })
  const [refusal, login] = server.rooms.bus.audit.latest()
  assert.equal(refusal?.metadata.name, 'authz_fail:can_delete:/1.0/auth/groups/admins')
  assert.equal(refusal?.metadata.requestor?.username, me.fingerprint)
  assert.equal(refusal?.metadata.request_method, 'DELETE')
  assert.equal(login?.metadata.name, 'authn_login_fail:tls')
  const statuses = new Set<number>()
  for (let index = 0; index < 60; index += 1) {
    const body = { trust_token: 'x' }
    const answer = await server.call({ as: stranger, method: 'POST', path: '/1.0/auth/identities/tls', body })
    statuses.add(answer.status)
  }
  assert.deepEqual([...statuses], [403, 429])
  assert.equal((await server.call({ as: await server.stranger(), path: '/1.0' })).status, 200)
})

test('strangers are slowed down on what is not there too', async (t) => {
  const server = await startTestApi(t)
  const stranger = await server.stranger()
  for (const [method, path, first] of [
    ['POST', '/1.0/nothing', 404],
    ['DELETE', '/1.0', 501],
  ] as const) {
    const as = { ...stranger, address: `10.7.${first}.1:1` }
    const statuses = new Set<number>()
    for (let index = 0; index < 60; index += 1) statuses.add((await server.call({ as, method, path })).status)
    assert.deepEqual([...statuses], [first, 429])
  }
})

test('names that speak for cluster members, and headers that forward, are refused', async (t) => {
  const server = await startTestApi(t)
  const get = async (headers: Record<string, string>, as?: Caller) => {
    return (await server.call({ ...(as && { as }), path: '/1.0', headers })).status
  }
  assert.equal(await get({ 'user-agent': 'lxd-cluster-notifier' }), 403)
  assert.equal(await get({ 'x-lxd-forwarded-username': 'root' }), 403)
  const stranger = await server.stranger()
  assert.equal(await get({}, stranger), 200)
  assert.equal(await get({ 'x-lxd-authenticated': 'true' }, stranger), 403)
})

test('the description is for those who are known, and names every route', async (t) => {
  const server = await startTestApi(t)
  const stranger = await server.stranger()
  assert.equal((await server.call({ as: stranger, path: '/openapi.json' })).status, 403)
  const { body } = await server.call({ path: '/openapi.json' })
  assert.equal(body.openapi, '3.1.0')
  for (const { path, method } of v1CoreRoutes(server.rooms)) {
    const described = body.paths[path.replaceAll(/:(\w+)/g, '{$1}')]
    assert.ok(described?.[method.toLowerCase()], `${method} ${path}`)
  }
})

test('what breaks in a handler is logged, not told', async (t) => {
  const broken = probe({ kind: 'open' }, { handler: () => Promise.reject(new Error('secret path /etc/x')) })
  const server = await startTestApi(t, probeDialects(broken))
  const answer = await server.call({ path: '/1.0/probe' })
  assert.equal(answer.status, 500)
  assert.ok(!answer.text.includes('secret'))
})

test('a request that is sent halfway is ended', async (t) => {
  const server = await startTestApi(t, { headersTimeoutMs: 200 })
  const socket = await server.dial(await server.stranger())
  socket.write('GET /1.0 HTTP/1.1\r\nHost')
  const chunks = await socket.toArray()
  assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1.1 408/)
})

test('at the end idle connections are closed, and a request in flight is answered first', async (t) => {
  const gate = Promise.withResolvers<void>()
  const slow = probe({ kind: 'open' }, { handler: () => gate.promise.then(() => ({ status: 200, body: 'late' })) })
  const server = await startTestApi(t, probeDialects(slow))
  const inFlight = server.call({ path: '/1.0/probe' })
  const idle = await server.dial('admin')
  await until(() => server.api.connections === 2)
  const closing = server.api.close(5000)
  await new Promise<void>((resolve) => idle.resume().once('close', () => resolve()))
  gate.resolve()
  assert.equal((await inFlight).text, 'late')
  await closing
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

test('the signal of a request tells that its client left', async (t: TestContext) => {
  const left = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  const waits = probe(
    { kind: 'open' },
    {
      handler: (request) => {
        request.signal.addEventListener('abort', () => left.resolve())
        started.resolve()
        return new Promise(() => {})
      },
    },
  )
  const server = await startTestApi(t, probeDialects(waits))
  const socket = await server.dial('admin')
  socket.write('GET /1.0/probe HTTP/1.1\r\nHost: x\r\n\r\n')
  await started.promise
  socket.destroy()
  await left.promise
})
