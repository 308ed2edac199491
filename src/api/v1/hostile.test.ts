import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { startTestApi } from '../../../test/support/api-server.ts'
import { joinByToken, makeGroup } from '../../../test/support/identities.ts'
import type { Route } from '../route.ts'
import { v1CoreRoutes } from './routes.ts'

const odd = [
  '',
  ' ',
  '-',
  '*',
  '\\*',
  '..',
  'a/b',
  'é',
  '\u0000',
  '\ud800',
  '__proto__',
  'constructor',
  'x'.repeat(5000),
]
const texts = fc.oneof(fc.constantFrom(...odd, 'me', 'mine', 'admins', '/1.0', '1', '-1', '1e99'), fc.string())
const values = fc.oneof(texts, fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(null, true, false, [], {}, 1e308, -0))

/** Any body, most of them with the members that the route knows. */
function bodiesOf({ body }: Route): fc.Arbitrary<unknown> {
  const names = Object.keys((body as { properties?: object } | undefined)?.properties ?? {})
  if (names.length === 0) return fc.constant(undefined)
  const members = fc.dictionary(fc.oneof(fc.constantFrom(...names), texts), values, {
    maxKeys: 4,
    noNullPrototype: true,
  })
  return fc.oneof({ weight: 5, arbitrary: members }, { weight: 1, arbitrary: values })
}

function pathsOf({ path, query = {} }: Route): fc.Arbitrary<string> {
  const names = fc.array(texts, { minLength: 3, maxLength: 3 })
  const queries = fc.dictionary(fc.oneof(fc.constantFrom('recursion', ...Object.keys(query)), texts), texts, {
    maxKeys: 3,
  })
  return fc.tuple(names, queries).map(([parts, asked]) => {
    let index = 0
    const filled = path.replaceAll(/:\w+/g, () => encodeURIComponent((parts[index++] ?? '').toWellFormed()))
    const pairs = Object.entries(asked).map(([name, value]): [string, string] => [
      name.toWellFormed(),
      value.toWellFormed(),
    ])
    return `${filled}?${new URLSearchParams(pairs)}`
  })
}

test('property: whatever is sent to whatever route is answered, and never by an error of ours', async (t) => {
  const server = await startTestApi(t)
  await makeGroup(server, 'mine', { entity_type: 'server', url: '/1.0', entitlement: 'can_view_permissions' })
  const me = await joinByToken(server, 'me', ['mine'])
  const requests = v1CoreRoutes(server.rooms).map((route) => {
    const callers = fc.constantFrom('admin' as const, me)
    return fc.record({ method: fc.constant(route.method), path: pathsOf(route), body: bodiesOf(route), as: callers })
  })
  await fc.assert(
    fc.asyncProperty(fc.oneof(...requests), async (request) => {
      // Waiting for an operation that goes on is all that this one is for.
      if (request.path.includes('/wait')) request.path += '&timeout=0'
      const { status, text } = await server.call(request)
      assert.notEqual(status, 500, `${request.method} ${request.path} ${JSON.stringify(request.body)}: ${text}`)
    }),
    { numRuns: 1500 },
  )
})
