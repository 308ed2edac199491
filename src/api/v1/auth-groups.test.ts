import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApi } from '../../../test/support/api-server.ts'

const groups = '/1.0/auth/groups'
const viewer = { entity_type: 'server', url: '/1.0', entitlement: 'viewer' }
const orders = { entity_type: 'topic', url: '/1.0/topics/orders', entitlement: 'can_read' }

test('the life of a group', async (t) => {
  const server = await startTestApi(t)
  const send = (method: string, path: string, body?: object, headers = {}) => {
    return server.call({ method, path, ...(body && { body }), headers })
  }
  const made = await send('POST', groups, { name: 'links', description: 'x', permissions: null })
  assert.equal(made.status, 201)
  assert.equal(made.headers.location, `${groups}/links`)
  assert.equal(made.body.metadata, null)
  assert.equal((await send('POST', groups, { name: 'links' })).status, 409)
  const shown = await send('GET', `${groups}/links`)
  assert.deepEqual(shown.metadata, {
    name: 'links',
    description: 'x',
    permissions: [],
    identities: {},
    identity_provider_groups: [],
  })
  const etag = shown.headers.etag!
  assert.match(etag, /^"[0-9a-f]{64}"$/)
  const put = await send('PUT', `${groups}/links`, { permissions: [orders, orders] }, { 'if-match': etag })
  assert.deepEqual([put.status, put.metadata], [200, {}])
  assert.equal((await send('PUT', `${groups}/links`, {}, { 'if-match': etag })).status, 412)
  assert.equal((await send('PATCH', `${groups}/links`, { permissions: [viewer] })).status, 200)
  assert.deepEqual((await send('GET', `${groups}/links`)).metadata.permissions, [viewer, orders])
  const renamed = await send('POST', `${groups}/links`, { name: 'other name' })
  assert.deepEqual([renamed.status, renamed.headers.location], [201, `${groups}/other%20name`])
  assert.equal((await send('GET', `${groups}/links`)).status, 404)
  assert.deepEqual((await send('GET', groups)).metadata, [`${groups}/admins`, `${groups}/other%20name`])
  assert.equal((await send('DELETE', `${groups}/other%20name`)).status, 200)
  assert.equal((await send('DELETE', `${groups}/other%20name`)).status, 404)
  const actions = server.events.flatMap(({ metadata }) => ('action' in metadata ? [metadata.action] : []))
  assert.deepEqual(actions, [
    'auth-group-created',
    'auth-group-updated',
    'auth-group-updated',
    'auth-group-renamed',
    'auth-group-deleted',
  ])
  for (const event of server.events) assert.ok(!('project' in event))
})

test('wrong groups are refused with a sentence', async (t) => {
  const server = await startTestApi(t)
  const post = (body: unknown) => server.call({ method: 'POST', path: groups, body })
  const wrong: unknown[] = [
    {},
    [],
    '{"name":',
    { name: '' },
    { name: 'a:b' },
    { name: 5 },
    { name: 'x', permissions: [{ ...viewer, entitlement: 'fly' }] },
    { name: 'x', permissions: [{ ...viewer, entity_type: 'planet' }] },
    { name: 'x', permissions: [{ ...orders, url: '/1.0' }] },
  ]
  for (const body of wrong) {
    const answer = await post(body)
    assert.equal(answer.status, 400, JSON.stringify(body))
    assert.equal(answer.body.type, 'error')
    assert.ok(answer.body.error.length > 10)
  }
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    const answer = await server.call({ method, path: `${groups}/admins`, body: {} })
    assert.equal(answer.status, 400, method)
  }
})

test('permissions that can be granted are listed with who holds them', async (t) => {
  const server = await startTestApi(t)
  await server.call({ method: 'POST', path: groups, body: { name: 'g', permissions: [orders] } })
  const path = '/1.0/auth/permissions'
  const all = (await server.call({ path: `${path}?recursion=1` })).metadata
  const admin = all.find((one: typeof viewer) => one.entitlement === 'admin')
  assert.deepEqual(admin.groups, ['admins'])
  const topics = (await server.call({ path: `${path}?entity-type=topic&recursion=1` })).metadata
  assert.ok(topics.every((one: typeof viewer) => one.entity_type === 'topic'))
  assert.deepEqual(
    topics.find((one: typeof orders) => one.url === orders.url && one.entitlement === 'can_read')?.groups,
    ['g'],
  )
  assert.ok(!('groups' in (await server.call({ path })).metadata[0]))
  assert.equal((await server.call({ path: `${path}?entity-type=planet` })).status, 400)
})
