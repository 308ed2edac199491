import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApi } from '../../../test/support/api-server.ts'
import { joinByToken, makeGroup } from '../../../test/support/identities.ts'

const path = '/1.0/warnings'

test('warnings are shown in the shape of LXD, acknowledged, and deleted', async (t) => {
  const server = await startTestApi(t)
  assert.deepEqual((await server.call({ path: `${path}?recursion=1` })).metadata, [])
  await server.rooms.warnings.raise({
    type: 'Mirror failed',
    message: 'why',
    severity: 'high',
    entity: '/1.0/topics/orders',
  })
  const [url] = (await server.call({ path })).metadata
  const { metadata: shown, headers } = await server.call({ path: url })
  const seenAt = new Date(server.clock.nowMs).toISOString()
  assert.deepEqual(shown, {
    uuid: url.split('/').at(-1),
    location: 'none',
    project: '',
    type: 'Mirror failed',
    count: 1,
    first_seen_at: seenAt,
    last_seen_at: seenAt,
    last_message: 'why',
    severity: 'high',
    status: 'new',
    entity_url: '/1.0/topics/orders',
  })
  const put = (status: string, tag = '*') => {
    return server.call({ method: 'PUT', path: url, body: { status }, headers: { 'if-match': tag } })
  }
  assert.equal((await put('acknowledged', headers.etag)).status, 200)
  assert.equal((await put('new', headers.etag)).status, 412)
  assert.equal((await put('resolved')).status, 400)
  assert.equal((await server.call({ path: `${path}?recursion=1` })).metadata[0].status, 'acknowledged')
  assert.equal((await server.call({ method: 'PATCH', path: url, body: { status: 'new' } })).status, 200)
  assert.equal((await server.call({ method: 'DELETE', path: url })).status, 200)
  assert.equal((await server.call({ path: url })).status, 404)
  const actions = server.events.flatMap((event) => (event.type === 'lifecycle' ? [event.metadata.action] : []))
  assert.deepEqual(actions, ['warning-acknowledged', 'warning-reset', 'warning-deleted'])
})

test('viewers see warnings, and change none', async (t) => {
  const server = await startTestApi(t)
  await makeGroup(server, 'viewers', { entity_type: 'server', url: '/1.0', entitlement: 'viewer' })
  const [viewer, other] = [await joinByToken(server, 'viewer', ['viewers']), await joinByToken(server, 'other')]
  assert.equal((await server.call({ as: other, path })).status, 403)
  assert.equal((await server.call({ as: viewer, path })).status, 200)
  assert.equal((await server.call({ as: viewer, method: 'DELETE', path: `${path}/x` })).status, 403)
})
