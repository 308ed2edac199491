import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApi, type TestApi } from '../../../test/support/api-server.ts'
import { joinByToken, makeGroup } from '../../../test/support/identities.ts'
import type { Caller } from '../../transport/caller.ts'

function explain(server: TestApi, as: Caller | 'admin', parts: Record<string, string>) {
  return server.call({ as, path: `/1.0/auth/explain?${new URLSearchParams(parts)}` })
}

test('everybody may ask about himself, and whoever may view permissions about all', async (t) => {
  const server = await startTestApi(t)
  const permission = { entity_type: 'topic', url: '/1.0/topics/orders', entitlement: 'can_read' }
  await makeGroup(server, 'readers', permission)
  await makeGroup(server, 'managers', { entity_type: 'server', url: '/1.0', entitlement: 'permission_manager' })
  const reader = await joinByToken(server, 'reader', ['readers'])
  const manager = await joinByToken(server, 'manager', ['managers'])
  const asked = { entitlement: 'can_view', entity: '/1.0/topics/orders' }
  const expected = {
    identity: reader.fingerprint,
    ...asked,
    allowed: true,
    granted_by: [{ group: 'readers', permission, implies: ['topic can_read', 'topic can_view'] }],
    would_grant: [],
  }
  for (const identity of ['reader', reader.fingerprint!]) {
    assert.deepEqual((await explain(server, manager, { ...asked, identity })).metadata, expected)
    assert.deepEqual((await explain(server, reader, { ...asked, identity })).metadata, expected)
  }
  assert.deepEqual((await explain(server, reader, asked)).metadata, expected)
  assert.equal((await explain(server, reader, { ...asked, identity: 'manager' })).status, 403)
  assert.equal((await explain(server, reader, { ...asked, identity: 'nobody' })).status, 403)
  assert.equal((await explain(server, manager, { ...asked, identity: 'nobody' })).status, 404)
  assert.match((await explain(server, 'admin', asked)).metadata.reason, /local administrator/)
})

test('it does not tell whether something exists to whoever may not see it', async (t) => {
  const server = await startTestApi(t)
  await makeGroup(server, 'hidden')
  const me = await joinByToken(server, 'me')
  const [there, missing] = await Promise.all(
    ['hidden', 'nowhere'].map((name) => {
      return explain(server, me, { entitlement: 'can_edit', entity: `/1.0/auth/groups/${name}` })
    }),
  )
  assert.equal(there!.text, missing!.text.replaceAll('nowhere', 'hidden'))
})

test('what is no entity, and what it cannot be granted, is refused', async (t) => {
  const server = await startTestApi(t)
  const refusal = async (entitlement: string, entity: string) => {
    const { status, body } = await explain(server, 'admin', { entitlement, entity })
    assert.equal(status, 400)
    return body.error
  }
  assert.match(await refusal('can_view', '/1.0/gossip/x'), /not the URL of an entity/)
  assert.match(await refusal('can_view', '/1.0/topics'), /not the URL of an entity/)
  assert.match(await refusal('can_fly', '/1.0/topics/x'), /it has can_view, can_read/)
  assert.match(await refusal('', '/1.0'), /A server has no entitlement ""/)
})
