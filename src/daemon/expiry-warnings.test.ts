import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApi } from '../../test/support/api-server.ts'
import { joinByToken } from '../../test/support/identities.ts'
import { createCertificate } from '../identity/certificate.ts'
import { warnOfExpiry } from './expiry-warnings.ts'

const dayMs = 86_400_000

test('a certificate that ends soon is a warning until it is another one', async (t) => {
  const server = await startTestApi(t)
  const { access, clock } = server
  const { warnings } = server.rooms
  const me = await joinByToken(server, 'me')
  const own = await createCertificate({ commonName: 'own', hostNames: [], addresses: [], clock })
  const check = () => warnOfExpiry({ rows: access.rows, warnings, clock, ownCertificate: own.certificatePem })
  const shown = () => warnings.list().map(({ entity, severity, status }) => [entity, severity, status])
  const mine = `/1.0/auth/identities/tls/${me.fingerprint}`
  await check()
  assert.deepEqual(shown(), [])
  clock.nowMs += 3640 * dayMs
  await check()
  assert.deepEqual(shown().toSorted(), [
    ['/1.0', 'moderate', 'new'],
    [mine, 'moderate', 'new'],
  ])
  clock.nowMs += 30 * dayMs
  await check()
  assert.equal(shown().find(([entity]) => entity === mine)?.[1], 'high')
  await server.call({ method: 'DELETE', path: mine })
  await check()
  assert.equal(shown().find(([entity]) => entity === mine)?.[2], 'resolved')
})
