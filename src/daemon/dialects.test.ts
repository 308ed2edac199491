import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApi, type TestApi } from '../../test/support/api-server.ts'
import { createIdentityChanges } from '../access/identities.ts'
import { groupTable } from '../access/rows.ts'
import type { Dialect } from '../api/dialect.ts'
import { entityTypeOf, type Route } from '../api/route.ts'
import type { V1Rooms } from '../api/v1/rooms.ts'
import { type EntityType, entitlementsOf, entityTable, entityTypes } from '../contract/entities.ts'
import { patternUrl } from '../contract/patterns.ts'
import type { Caller } from '../transport/caller.ts'
import { daemonDialects } from './dialects.ts'

/** Routes that judge their callers themselves, or show each what he may see. Another one is to be decided on here. */
const open = [
  'GET /', // the API's versions
  'GET /1.0', // strangers learn how to become known, and nothing else
  'GET /1.0/cluster/certificate', // what every handshake shows, and what followed what
  'POST /1.0/auth/identities/tls', // spends tokens
  'POST /1.0/certificates', // spends tokens
  'POST /1.0/cluster/links', // spends tokens
]
const authenticated = [
  ...['auth/groups', 'auth/tokens', 'certificates', 'cluster/links'].map((list) => `GET /1.0/${list}`), // by right
  'GET /1.0/instances', // likewise
  ...['', '/tls', '/oidc', '/bearer'].map((path) => `GET /1.0/auth/identities${path}`),
  ...['', '/members', '/members/:name'].map((path) => `GET /1.0/cluster${path}`), // whom the caller deals with
  'GET /1.0/auth/identity-provider-groups', // nothing
  'GET /1.0/auth/identities/current', // who is asking
  'PUT /1.0/auth/identities/current/addresses', // where the caller is from now on
  'GET /1.0/auth/explain', // why he may, or may not
  ...['PUT', 'PATCH'].map((method) => `${method} /1.0/auth/identities/tls/:nameOrId`), // one's own certificate
  ...['PUT', 'PATCH'].map((method) => `${method} /1.0/certificates/:fingerprint`),
  'GET /1.0/events', // what the caller may see, event by event
  'GET /1.0/operations', // the caller's own, and others' for whoever may see all
  ...['GET', 'DELETE'].map((method) => `${method} /1.0/operations/:id`),
  'GET /1.0/operations/:id/wait',
  ...['GET /kafka/v3/clusters', 'GET /kafka/v3/clusters/:cluster'], // ids, which whoever is linked knows
  'GET /kafka/v3/clusters/:cluster/links', // lists again
  'GET /kafka/v3/clusters/:cluster/links/-/mirrors',
  'GET /kafka/v3/clusters/:cluster/topics',
  'GET /openapi.json',
]

/** What a route's handler would be asked, without asking it: this is about who gets so far. */
function gates(rooms: V1Rooms): Dialect[] {
  const bare = { ...rooms, links: {}, mirrors: {}, settling: (routes: readonly Route[]) => routes, api: () => {} }
  return daemonDialects(bare as never).map((dialect) => ({
    ...dialect,
    routes: dialect.routes.map((route): Route => {
      const { body: _, query: __, result: ___, socket: ____, ...gate } = route
      return { ...gate, handler: () => ({ status: 200, body: { past: true } }) }
    }),
  }))
}

/** By the table's own words, read again: does holding one entitlement give another? */
function gives(heldType: EntityType, held: string, type: EntityType, asked: string): boolean {
  if (heldType === type && held === asked) return true
  const implied = entityTable[type].entitlements as Record<
    string,
    { own?: readonly string[]; server?: readonly string[] }
  >
  const { own = [], server = [] } = implied[asked] ?? {}
  return (
    own.some((other) => gives(heldType, held, type, other)) ||
    server.some((other) => gives(heldType, held, 'server', other))
  )
}

const nameOf = ({ method, path }: Route) => `${method} ${path}`
const urlOf = ({ path }: Route) => path.replaceAll('::', ':').replaceAll(/(?<=\/):\w+/g, 'nosuch')

async function startGates(t: Parameters<typeof startTestApi>[0], change: Parameters<typeof startTestApi>[1] = {}) {
  let routes: Route[] = []
  const server = await startTestApi(t, change, (rooms) => {
    const dialects = gates(rooms)
    routes = dialects.flatMap((dialect) => [...dialect.routes])
    return dialects
  })
  return { server, routes }
}

async function makeMember(server: TestApi, group: string): Promise<Caller> {
  const caller = await server.stranger()
  await server.access.execute('test', (rows) => {
    const certificate = { pem: caller.certificate!, fingerprint: caller.fingerprint!, validFromMs: 0, validToMs: 1e15 }
    const input = { kind: 'client', name: 'me', groups: [group], nowMs: 0, certificate } as const
    return { changes: createIdentityChanges(rows, server.access.hooks, input).changes, result: undefined }
  })
  return caller
}

async function grantOnly(server: TestApi, type: EntityType, entitlement: string): Promise<void> {
  const url = patternUrl({ type, kind: type === 'server' ? 'exact' : 'all', name: '' })
  await server.access.execute('test', () => {
    const permissions = [{ entity_type: type, url, entitlement }]
    return { changes: [groupTable.put('case', { name: 'case', description: '', permissions })], result: undefined }
  })
}

test('every route lets in exactly whom the table says, for every entitlement that there is', async (t) => {
  const { server, routes } = await startGates(t)
  await grantOnly(server, 'server', 'viewer')
  const me = await makeMember(server, 'case')
  let judged = 0
  for (const heldType of entityTypes) {
    for (const held of entitlementsOf(heldType)) {
      await grantOnly(server, heldType, held)
      await Promise.all(
        routes.map(async (route) => {
          const { status, text } = await server.call({ as: me, method: route.method, path: urlOf(route) })
          const label = `${heldType} ${held}: ${nameOf(route)} → ${status} ${text}`
          judged += 1
          if (route.access.kind !== 'entitlement') return assert.equal(status, 200, label)
          const type = entityTypeOf(route.access)
          if (gives(heldType, held, type, route.access.entitlement)) return assert.equal(status, 200, label)
          // What cannot even be seen is not there; the server is known to be.
          const visible = type === 'server' || gives(heldType, held, type, 'can_view')
          assert.equal(status, visible ? 403 : 404, label)
        }),
      )
    }
  }
  const held = entityTypes.flatMap((type) => entitlementsOf(type))
  assert.equal(judged, held.length * routes.length)
})

test('strangers get into open routes only, and no route is open or unguarded by omission', async (t) => {
  const { server, routes } = await startGates(t)
  const kinds = (kind: string) => routes.filter(({ access }) => access.kind === kind).map(nameOf)
  assert.deepEqual(kinds('open').sort(), open.toSorted())
  assert.deepEqual(kinds('authenticated').sort(), authenticated.toSorted())
  for (const route of routes) {
    const as = await server.stranger()
    const { status } = await server.call({ as, method: route.method, path: urlOf(route) })
    const refused = route.path.startsWith('/kafka') ? 401 : 403
    assert.equal(status, route.access.kind === 'open' ? 200 : refused, nameOf(route))
  }
})

test('whoever is not known is slowed down on every route', async (t) => {
  // Time stands still, so that nothing is given back.
  const { server, routes } = await startGates(t, { clock: { wallMs: () => Date.now(), monotonicMs: () => 0 } })
  const as = await server.stranger()
  const isLimited = async (method: string, path: string) => {
    return (await server.call({ as, method, path })).status === 429
  }
  let answered = 0
  while (!(await isLimited('GET', '/1.0'))) answered += 1
  assert.equal(answered, 200)
  for (const route of routes) assert.ok(await isLimited(route.method, urlOf(route)), nameOf(route))
  assert.ok(await isLimited('GET', '/nothing'))
  assert.equal((await server.call({ as: await server.stranger(), path: '/1.0' })).status, 200)
})
