import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeToken } from '../../src/identity/trust-token.ts'
import { created, startScriptedDaemon, sync } from '../support/scripted-daemon.ts'

const groupsPath = '/1.0/auth/groups'
const identitiesPath = '/1.0/auth/identities'

const readers = {
  name: 'readers',
  description: 'May read',
  permissions: [{ entity_type: 'topic', url: '/1.0/topics/orders', entitlement: 'can_read' }],
  identities: { tls: ['ab'] },
  identity_provider_groups: [],
}
const ada = {
  authentication_method: 'tls',
  type: 'Client certificate',
  id: 'ab12',
  name: 'ada',
  groups: ['readers'],
  tls_certificate: 'PEM',
}

test('groups are created, listed, shown, renamed and deleted', async (t) => {
  const daemon = await startScriptedDaemon(t, {
    [`POST ${groupsPath}`]: created(`${groupsPath}/readers`),
    [`GET ${groupsPath}?recursion=1`]: sync([readers, { ...readers, name: 'admins', description: '' }]),
    [`GET ${groupsPath}/readers`]: sync(readers),
    [`POST ${groupsPath}/readers`]: created(`${groupsPath}/viewers`),
    [`DELETE ${groupsPath}/readers`]: sync({}),
    [`PUT ${groupsPath}/readers`]: sync({}),
  })
  const out = async (...words: string[]) => (await daemon.cli(['auth', 'group', ...words])).stdout
  assert.equal(await out('create', 'readers', '-d', 'May read'), 'Group readers created\n')
  assert.deepEqual(daemon.requests[0]?.body, { name: 'readers', description: 'May read', permissions: [] })
  assert.equal(await out('list', '-c', 'dn', '-f', 'csv'), 'May read,readers\n,admins\n')
  assert.equal(
    await out('show', 'readers'),
    `name: readers
description: May read
permissions:
- entity_type: topic
  url: /1.0/topics/orders
  entitlement: can_read
identities:
  tls:
  - ab
identity_provider_groups: []
`,
  )
  assert.equal(await out('rename', 'readers', 'viewers'), 'Group readers renamed to viewers\n')
  assert.equal(await out('rm', 'readers'), 'Group readers deleted\n')
  await daemon.cli(['auth', 'group', 'edit', 'readers'], { input: 'description: x\n' })
  assert.deepEqual(daemon.requests.at(-1)?.body, { description: 'x', permissions: [] })
  const wrong = await daemon.cli(['auth', 'group', 'list', '-c', 'nx'])
  assert.deepEqual(
    [wrong.code, wrong.stderr],
    [2, 'Error: There is no column "x": choose among n (NAME), d (DESCRIPTION)\n'],
  )
})

test('a permission is added and removed with the tag of the group', async (t) => {
  const script = {
    [`GET ${groupsPath}/readers`]: sync(readers, { etag: '"g"' }),
    [`PUT ${groupsPath}/readers`]: sync({}),
    [`GET ${identitiesPath}/tls/ada`]: sync(ada),
  }
  const { description, permissions } = readers
  const cases: [string[], unknown[]][] = [
    [
      ['add', 'readers', 'server', 'admin'],
      [...permissions, { entity_type: 'server', url: '/1.0', entitlement: 'admin' }],
    ],
    [
      ['add', 'readers', 'topic', 'can_view'],
      [...permissions, { entity_type: 'topic', url: '/1.0/topics', entitlement: 'can_view' }],
    ],
    [
      ['add', 'readers', 'identity', 'tls/ada', 'can_view'],
      [...permissions, { entity_type: 'identity', url: '/1.0/auth/identities/tls/ab12', entitlement: 'can_view' }],
    ],
    [['remove', 'readers', 'topic', 'orders', 'can_read'], []],
  ]
  for (const [words, expected] of cases) {
    const daemon = await startScriptedDaemon(t, script)
    const result = await daemon.cli(['auth', 'group', 'permission', ...words])
    assert.deepEqual([result.code, result.stdout, result.stderr], [0, '', ''])
    assert.deepEqual(daemon.requests.at(-1)?.body, { description, permissions: expected })
    assert.equal(daemon.requests.at(-1)?.headers['if-match'], '"g"')
  }
  const daemon = await startScriptedDaemon(t, script)
  const again = await daemon.cli(['auth', 'group', 'perm', 'add', 'readers', 'topic', 'orders', 'can_read'])
  const absent = await daemon.cli(['auth', 'group', 'perm', 'rm', 'readers', 'topic', 'orders*', 'can_read'])
  assert.deepEqual([again.code, absent.code], [1, 1])
  assert.match(again.stderr, /There is already the permission "can_read" on topic orders in group readers/)
  assert.match(absent.stderr, /There is no permission "can_read" on topic orders\* in group readers/)
  assert.deepEqual(
    daemon.lines(),
    Array.from({ length: 2 }, () => `GET ${groupsPath}/readers`),
  )
})

test('identities are listed, shown, put in groups and deleted', async (t) => {
  const script = {
    [`GET ${identitiesPath}?recursion=1`]: sync([{ ...ada, groups: ['readers', 'writers'] }]),
    [`GET ${identitiesPath}/tls/ada`]: sync(ada, { etag: '"i"' }),
    [`PUT ${identitiesPath}/tls/ada`]: sync({}),
    [`DELETE ${identitiesPath}/tls/ada`]: sync({}),
    [`GET ${identitiesPath}/current`]: sync({
      ...ada,
      effective_groups: [],
      effective_permissions: [],
      fine_grained: true,
    }),
  }
  const daemon = await startScriptedDaemon(t, script)
  const run = (...words: string[]) => daemon.cli(['auth', 'identity', ...words])
  assert.equal(
    (await run('list', '-c', 'ng')).stdout,
    `+------+---------+
| NAME | GROUPS  |
+------+---------+
| ada  | readers |
|      | writers |
+------+---------+
`,
  )
  assert.equal((await daemon.cli(['auth', 'user', 'ls', '-c', 'g', '-f', 'csv'])).stdout, '"readers,writers"\n')
  assert.match(
    (await run('show', 'tls/ada')).stdout,
    /^authentication_method: tls\ntype: Client certificate\nid: ab12\n/,
  )
  const other = await run('show', 'cluster-link/ada')
  assert.deepEqual([other.code, /name it as tls\/ada/.test(other.stderr)], [1, true])
  assert.match((await run('info')).stdout, /fine_grained: true/)
  await run('group', 'add', 'tls/ada', 'writers')
  assert.deepEqual(daemon.requests.at(-1)?.body, { groups: ['readers', 'writers'], tls_certificate: 'PEM' })
  assert.equal(daemon.requests.at(-1)?.headers['if-match'], '"i"')
  await run('group', 'remove', 'tls/ada', 'readers')
  assert.deepEqual(daemon.requests.at(-1)?.body, { groups: [], tls_certificate: 'PEM' })
  assert.match((await run('group', 'add', 'tls/ada', 'readers')).stderr, /is in group readers already/)
  assert.match((await run('group', 'remove', 'tls/ada', 'none')).stderr, /is not in group none/)
  assert.deepEqual(await run('delete', 'tls/ada'), { code: 0, signal: null, stdout: '', stderr: '' })
  assert.equal(daemon.lines().at(-1), `DELETE ${identitiesPath}/tls/ada`)
})

test('an identity is made from a certificate, or a token for it', async (t) => {
  const tokenObject = {
    client_name: 'bob',
    fingerprint: 'ab'.repeat(32),
    addresses: ['127.0.0.1:8443'],
    secret: 's',
    expires_at: '2030-01-01T00:00:00Z',
    type: 'Client certificate',
  }
  const daemon = await startScriptedDaemon(t, {
    [`POST ${identitiesPath}/tls`]: created(`${identitiesPath}/tls/uuid`, tokenObject),
    'POST /1.0/cluster/links': created(`${identitiesPath}/tls/uuid`, tokenObject),
  })
  const run = (...words: string[]) => daemon.cli(['auth', 'identity', 'create', ...words])
  const token = encodeToken(tokenObject)
  const text = `TLS identity "bob" (uuid) pending identity token:\n${token}\n`
  assert.equal((await run('tls/bob', '--group', 'a', '--auth-group', 'b')).stdout, text)
  assert.deepEqual(daemon.requests[0]?.body, { name: 'bob', groups: ['a', 'b'], token: true })
  assert.equal((await run('cluster-link/bob', '-q')).stdout, `${token}\n`)
  const unidirectional = { name: 'bob', type: 'unidirectional', trust_token: '', auth_groups: [] }
  assert.deepEqual(daemon.requests[1]?.body, unidirectional)
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-cli-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'bob.crt'), 'PEM')
  assert.equal((await run('tls/bob', join(folder, 'bob.crt'))).stdout, 'TLS identity "bob" created\n')
  assert.deepEqual(daemon.requests[2]?.body, { name: 'bob', groups: [], certificate: 'PEM' })
  assert.equal((await run('oidc/bob')).code, 2)
})

test('permissions are listed by entity, those that are held first', async (t) => {
  const on = (entitlement: string, groups: string[] | null) => ({
    entity_type: 'topic',
    url: '/1.0/topics/a',
    entitlement,
    groups,
  })
  const permissions = [on('can_view', null), on('can_read', ['x', 'y']), on('can_edit', []), on('can_delete', null)]
  const path = 'GET /1.0/auth/permissions?entity-type=topic&recursion=1'
  const daemon = await startScriptedDaemon(t, { [path]: sync(permissions) })
  const run = async (...words: string[]) => {
    return (await daemon.cli(['auth', 'permission', 'list', 'entity_type=topic', ...words])).stdout
  }
  assert.equal(
    await run('--max-entitlements', '2'),
    `+-------------+---------------+---------------------------+
| ENTITY TYPE |      URL      | ENTITLEMENTS ==> (GROUPS) |
+-------------+---------------+---------------------------+
| topic       | /1.0/topics/a | can_read ==> (x, y)       |
|             |               | can_delete                |
|             |               | can_edit                  |
|             |               | ...                       |
+-------------+---------------+---------------------------+
`,
  )
  assert.equal(
    await run('-f', 'csv', '-c', 'e', '--max-entitlements', '0'),
    '"can_read:(x,y),can_delete,can_edit,can_view"\n',
  )
  assert.deepEqual(JSON.parse(await run('-f', 'json')), permissions)
  assert.equal((await daemon.cli(['auth', 'permission', 'list', 'entity_type=topik'])).code, 2)
})
