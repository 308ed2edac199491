import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApi } from '../../../test/support/api-server.ts'
import { joinByToken, makeGroup } from '../../../test/support/identities.ts'
import { entityTypeOf } from '../route.ts'
import { v1CoreRoutes } from './routes.ts'

test('what a caller may not see answers exactly as what is not there, whatever is asked of it', async (t) => {
  const server = await startTestApi(t)
  await makeGroup(server, 'hidden')
  const other = await joinByToken(server, 'other')
  const me = await joinByToken(server, 'me')
  const { certificate } = await server.stranger()
  const trusted = await server.call({ method: 'POST', path: '/1.0/certificates', body: { certificate } })
  const fingerprint = trusted.headers.location!.split('/').at(-1)!
  const operation = await server.call({ method: 'POST', path: '/1.0/certificates', body: { name: 'x', token: true } })
  const pairs: Record<string, [there: string, missing: string]> = {
    '/1.0/auth/groups/:name': ['hidden', 'nowhere'],
    '/1.0/auth/identities/tls/:nameOrId': [other.fingerprint!, 'f'.repeat(64)],
    '/1.0/certificates/:fingerprint': [fingerprint, 'f'.repeat(64)],
    '/1.0/operations/:id': [operation.metadata.id, crypto.randomUUID()],
  }
  let compared = 0
  for (const route of v1CoreRoutes(server.rooms)) {
    const [pattern, names] = Object.entries(pairs).find(([prefix]) => route.path.startsWith(prefix)) ?? []
    if (!pattern || !names) {
      // The server itself is known to be there, the member of the cluster to whoever is known.
      const { access, path } = route
      const known = access.kind !== 'entitlement' || entityTypeOf(access) === 'server' || !path.includes(':')
      assert.ok(known, `${route.method} ${path} is about something that is not compared here`)
      continue
    }
    const ask = async (name: string) => {
      const path = route.path.replace(pattern, pattern.replace(/:\w+/, name))
      const body = route.body ? {} : undefined
      const { status, text } = await server.call({ as: me, method: route.method, path, ...(body && { body }) })
      return { status, text: text.replaceAll(name, 'NAME') }
    }
    const [there, missing] = [await ask(names[0]), await ask(names[1])]
    assert.deepEqual(there, missing, `${route.method} ${route.path}`)
    if (route.body === undefined || route.access.kind === 'entitlement') assert.equal(there.status, 404, there.text)
    compared += 1
  }
  assert.ok(compared >= 16, `${compared} routes were compared`)
})
