import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApi } from '../../test/support/api-server.ts'
import { createClient } from '../client/client.ts'
import { unixHttp } from '../transport/pinned-fetch.ts'

test('the client drives the API over the administrator’s socket', async (t) => {
  const server = await startTestApi(t)
  await using http = unixHttp(server.adminPath)
  const client = createClient(http)
  const { value, etag } = await client.server.get()
  assert.equal(value.auth, 'trusted')
  assert.equal(value.environment?.server_name, 'here')
  assert.deepEqual(value.config, { 'core.https_address': '127.0.0.1:8443' })
  await client.server.changeConfig({ config: { 'user.note': 'x', 'core.remote_token_expiry': '2H' } }, etag)
  await assert.rejects(client.server.changeConfig({ config: {} }, etag), { code: 'precondition-failed' })
  await assert.rejects(client.server.changeConfig({ config: { 'core.https_address': 'x' } }), { code: 'immutable' })
  await assert.rejects(client.server.changeConfig({ config: { nonsense: 1 } }), { code: 'invalid-config' })

  const permissions = [{ entity_type: 'topic', url: '/1.0/topics/orders', entitlement: 'can_read' }]
  await client.groups.create({ name: 'readers', description: 'x', permissions })
  await assert.rejects(client.groups.create({ name: 'readers' }), { code: 'already-exists' })
  const group = await client.groups.get('readers')
  await client.groups.replace('readers', { ...group.value, description: 'y' }, group.etag)
  await client.groups.rename('readers', 'order readers')
  assert.deepEqual(
    (await client.groups.list()).map(({ name, description }) => [name, description]),
    [
      ['admins', 'Server administrators'],
      ['order readers', 'y'],
    ],
  )
  const { metadata: token, location } = await client.identities.createToken('berlin', ['order readers'])
  assert.equal(token.client_name, 'berlin')
  const { value: pending, etag: tag } = await client.identities.get('berlin')
  assert.equal(location, `/1.0/auth/identities/tls/${pending.id}`)
  await client.identities.replace('berlin', { groups: [] }, tag)
  const held = await client.permissions.listWithGroups('topic')
  assert.ok(held.some(({ groups }) => groups?.includes('order readers')))
  await client.identities.delete('berlin')
  await assert.rejects(client.identities.get('berlin'), { code: 'not-found' })
  await client.groups.delete('order readers')
  assert.deepEqual(await client.operations.list(), [])
})
