import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApi } from '../../test/support/api-server.ts'
import { joinByToken } from '../../test/support/identities.ts'
import { identityUseTable } from './uses.ts'

const identities = '/1.0/auth/identities/tls'

test('when an identity was last used is known, follows it to another certificate, and goes with it', async (t) => {
  const server = await startTestApi(t)
  const { access, clock } = server
  const me = await joinByToken(server, 'me')
  const shown = async (name = 'me') => (await server.call({ path: `${identities}/${name}` })).metadata
  const createdAt = new Date(clock.nowMs).toISOString()
  assert.deepEqual([(await shown()).created_at, (await shown()).last_used_at], [createdAt, undefined])
  clock.nowMs += 5000
  const before = await server.call({ path: `${identities}/me` })
  await server.call({ as: me, path: '/1.0' })
  const after = await server.call({ path: `${identities}/me` })
  assert.equal(after.metadata.last_used_at, new Date(clock.nowMs).toISOString())
  assert.equal(after.headers.etag, before.headers.etag)
  assert.equal(access.rows.count(identityUseTable), 0)
  await access.uses.flush()
  assert.equal(access.rows.get(identityUseTable, me.fingerprint!)?.lastUsedMs, clock.nowMs)

  const next = await server.stranger()
  const body = { tls_certificate: next.certificate }
  assert.equal((await server.call({ as: me, method: 'PATCH', path: `${identities}/me`, body })).status, 200)
  assert.equal((await shown()).last_used_at, new Date(clock.nowMs).toISOString())
  assert.equal((await server.call({ method: 'DELETE', path: `${identities}/me` })).status, 200)
  await access.uses.flush()
  assert.equal(access.rows.count(identityUseTable), 0)
})
