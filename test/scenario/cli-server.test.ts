import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCertificate, fingerprintOf } from '../../src/identity/certificate.ts'
import { decodeToken } from '../../src/identity/trust-token.ts'
import { created, failed, operation, startScriptedDaemon, sync } from '../support/scripted-daemon.ts'

const uuid = '7c028b71-6791-4101-bd21-c0044b8f254e'
const fingerprint = 'ab'.repeat(32)
const secret = 'cd'.repeat(32)
const addresses = ['127.0.0.1:8443']

const started = (parts: Record<string, unknown>) => {
  const { body } = sync(operation(parts))
  return { status: 202, body: { ...(body as object), type: 'async', operation: '/1.0/operations/op1' } }
}

test('the config of the server is read, changed with its tag, and replaced', async (t) => {
  const config = { 'core.remote_token_expiry': '1d', 'user.a': 'x' }
  const daemon = await startScriptedDaemon(t, {
    'GET /1.0': sync({ config }, { etag: '"s"' }),
    'PUT /1.0': sync({}),
  })
  const run = (words: string[], input?: string) =>
    daemon.cli(['config', ...words], input === undefined ? {} : { input })
  assert.equal((await run(['get', 'user.a'])).stdout, 'x\n')
  assert.equal((await run(['get', 'local:', 'user.none'])).stdout, '\n')
  assert.equal((await run(['show'])).stdout, 'config:\n  core.remote_token_expiry: 1d\n  user.a: x\n')
  const cases: [string[], unknown, string?][] = [
    [['set', 'user.b', 'two words'], { ...config, 'user.b': 'two words' }],
    [['set', 'local:', 'user.a=1:2', 'user.b=b'], { ...config, 'user.a': '1:2', 'user.b': 'b' }],
    [['set', 'user.a', '-'], { ...config, 'user.a': 'from input' }, 'from input\n'],
    [['unset', 'user.a'], { 'core.remote_token_expiry': '1d' }],
  ]
  for (const [words, expected, input] of cases) {
    const result = await run(words, input)
    assert.deepEqual([result.code, result.stdout, result.stderr], [0, '', ''])
    assert.deepEqual(daemon.requests.at(-1)?.body, { config: expected })
    assert.equal(daemon.requests.at(-1)?.headers['if-match'], '"s"')
  }
  await run(['edit'], 'config:\n  user.c: "3"\n')
  assert.deepEqual(daemon.requests.at(-1)?.body, { config: { 'user.c': '3' } })
  assert.equal(daemon.requests.at(-1)?.headers['if-match'], undefined)
  assert.equal((await run(['get', 'a', 'b'])).code, 2)
})

test('warnings are listed as long as they are new, acknowledged, and deleted', async (t) => {
  const warning = {
    uuid,
    location: 'none',
    project: '',
    type: 'Cluster link unreachable',
    count: 3,
    first_seen_at: '2026-01-01T00:00:00Z',
    last_seen_at: '2026-01-02T00:00:00Z',
    last_message: 'nothing listens there',
    severity: 'moderate',
    status: 'new',
    entity_url: '/1.0/cluster/links/west',
  }
  const done = { ...warning, uuid: 'old', status: 'resolved' }
  const daemon = await startScriptedDaemon(t, {
    'GET /1.0/warnings?recursion=1': sync([warning, done]),
    [`GET /1.0/warnings/${uuid}`]: sync(warning),
    [`PUT /1.0/warnings/${uuid}`]: sync({}),
    [`DELETE /1.0/warnings/${uuid}`]: sync({}),
    'DELETE /1.0/warnings/old': sync({}),
  })
  const run = (words: string[], input?: string) => {
    return daemon.cli(['warning', ...words], input === undefined ? {} : { input })
  }
  const row = `${uuid},Cluster link unreachable,NEW,MODERATE,3,,2026-01-02T00:00:00Z,nothing listens there\n`
  assert.equal((await run(['list', '-f', 'csv'])).stdout, row)
  assert.equal((await run(['ls', '--all', '-f', 'csv', '-c', 'uS'])).stdout, `${uuid},NEW\nold,RESOLVED\n`)
  assert.match((await run(['show', uuid])).stdout, /\nentity_url: \/1.0\/cluster\/links\/west\n/)
  assert.equal((await run(['ack', uuid])).stdout, `Warning ${uuid} acknowledged\n`)
  assert.deepEqual(daemon.requests.at(-1)?.body, { status: 'acknowledged' })
  assert.equal((await run(['rm', uuid])).stdout, `Warning ${uuid} deleted\n`)
  const before = daemon.requests.length
  const silent = await run(['delete', '--all'])
  assert.deepEqual([silent.code, /Nobody is there to answer: give --force/.test(silent.stderr)], [2, true])
  assert.match((await run(['delete', '--all'], 'n\n')).stderr, /Nothing was deleted/)
  assert.equal(daemon.requests.length, before)
  assert.equal((await run(['delete', '--all', '-y'])).stdout, 'Warnings deleted: 2\n')
  assert.equal((await run(['delete'])).code, 2)
})

test('the old trust store: certificates and tokens', async (t) => {
  const clock = { wallMs: () => Date.UTC(2026, 10, 21, 1, 19), monotonicMs: () => 0 }
  const request = { commonName: 'ada', hostNames: [], addresses: [], clock }
  const { certificatePem: pem } = await createCertificate(request)
  const own = fingerprintOf(pem)
  const listed = { name: 'ada', type: 'client', restricted: false, projects: [], certificate: pem, fingerprint: own }
  const odd = { ...listed, name: 'odd', certificate: 'none', fingerprint: 'ff' }
  const metadata = { addresses, expiresAt: '2026-11-21T01:18:00.5Z', fingerprint, secret, request: { name: 'bob' } }
  const pending = { class: 'token', description: 'Certificate add token', metadata }
  const path = '/1.0/certificates'
  const daemon = await startScriptedDaemon(t, {
    [`GET ${path}?recursion=1`]: sync([listed, odd]),
    [`GET ${path}/${own.slice(0, 12)}`]: sync(listed, { etag: '"c"' }),
    [`PUT ${path}/ab`]: sync({}),
    [`DELETE ${path}/ab`]: sync({}),
    [`POST ${path}`]: [started(pending), created(`${path}/${own}`)],
    'GET /1.0/operations?recursion=1': sync({ running: [operation(pending), operation({ id: 'op2' })] }),
    'DELETE /1.0/operations/op1': sync({}),
  })
  const run = (words: string[], input?: string) => {
    return daemon.cli(['config', 'trust', ...words], input === undefined ? {} : { input })
  }
  const dates = /"Nov \d+, 2026 at \d+:\d\d[ap]m \(UTC\)","Nov \d+, 2036 at \d+:\d\d[ap]m \(UTC\)"/.source
  const rows = new RegExp(`^client,ada,ada,${own.slice(0, 12)},${dates}\nclient,odd,,ff,,\n$`)
  assert.match((await run(['list', '-f', 'csv'])).stdout, rows)
  const added = await run(['add', '--name', 'bob'])
  const [title, token = ''] = added.stdout.split('\n')
  assert.equal(title, 'Client bob certificate add token:')
  const expected = { client_name: 'bob', fingerprint, addresses, secret, expires_at: metadata.expiresAt, type: '' }
  assert.deepEqual(decodeToken(token), expected)
  assert.deepEqual(daemon.requests.at(-1)?.body, { name: 'bob', type: 'client', restricted: false, token: true })
  await run(['add', '-', '--name', 'ada', '--restricted'], pem)
  const body = { name: 'ada', type: 'client', restricted: true, certificate: pem }
  assert.deepEqual(daemon.requests.at(-1)?.body, body)
  assert.equal((await run(['list-tokens', '-f', 'csv'])).stdout, `bob,${token},2026/11/21 01:18 UTC\n`)
  const raw = [{ ClientName: 'bob', Token: token, ExpiresAt: '2026/11/21 01:18 UTC' }]
  assert.deepEqual(JSON.parse((await run(['list-tokens', '-f', 'json'])).stdout), raw)
  assert.equal((await run(['revoke-token', 'bob'])).stdout, 'Certificate add token for bob deleted\n')
  assert.match((await run(['revoke-token', 'eve'])).stderr, /There is no token for "eve"/)
  assert.match((await run(['show', own.slice(0, 12)])).stdout, /^name: ada\ntype: client\n/)
  await run(['edit', 'ab'], 'name: new\ntype: client\n')
  assert.deepEqual(daemon.requests.at(-1)?.body, { name: 'new', type: 'client' })
  assert.deepEqual([(await run(['rm', 'ab'])).code, daemon.lines().at(-1)], [0, `DELETE ${path}/ab`])
})

test('a right is explained: why yes, and what would make it yes', async (t) => {
  const topic = { entity_type: 'topic', url: '/1.0/topics/orders', entitlement: 'can_read' }
  const explanation = (parts: object) => ({ identity: 'ab12', entitlement: 'can_view', entity: topic.url, ...parts })
  const path = (identity: string, entity: string) => {
    return `GET /1.0/auth/explain?identity=${identity}&entitlement=can_view&entity=${encodeURIComponent(entity)}`
  }
  const daemon = await startScriptedDaemon(t, {
    [path('ada', topic.url)]: sync(
      explanation({
        allowed: true,
        granted_by: [{ group: 'readers', permission: topic, implies: ['topic can_read', 'topic can_view'] }],
        would_grant: [],
      }),
    ),
    [path('berlin', '/1.0')]: sync(
      explanation({
        entity: '/1.0',
        allowed: false,
        granted_by: [],
        would_grant: [{ entity_type: 'server', url: '/1.0', entitlement: 'viewer' }, topic],
      }),
    ),
  })
  const explain = (...words: string[]) => daemon.cli(['auth', 'explain', ...words])
  assert.equal(
    (await explain('tls/ada', 'can_view', 'topic/orders')).stdout,
    `Yes: tls/ada has can_view on /1.0/topics/orders
Group readers grants it by can_read on /1.0/topics/orders, by way of topic can_read → topic can_view
`,
  )
  assert.equal(
    (await explain('cluster-link/berlin', 'can_view', 'server')).stdout,
    `No: cluster-link/berlin does not have can_view on /1.0
A group that it is in would have to hold one of these permissions:
- server viewer
- can_read on /1.0/topics/orders
`,
  )
  assert.equal(JSON.parse((await explain('ada', 'can_view', topic.url, '-f', 'json')).stdout).allowed, true)
  for (const entity of ['topik/x', 'topic', 'server/x', '/2.0']) {
    assert.equal((await explain('ada', 'can_view', entity)).code, 2, entity)
  }
})

test('tokens are listed without their secrets, and made anew', async (t) => {
  const waiting = {
    name: 'berlin',
    type: 'Cluster link certificate',
    identity: `/1.0/auth/identities/tls/${uuid}`,
    cluster_link: '/1.0/cluster/links/berlin',
    created_at: '2026-01-01T00:00:00Z',
    expires_at: '2026-01-16T00:00:00Z',
  }
  const token = { client_name: 'berlin', fingerprint, addresses, secret, expires_at: waiting.expires_at, type: 'x' }
  const daemon = await startScriptedDaemon(t, {
    'GET /1.0/auth/tokens': sync([waiting]),
    'POST /1.0/auth/identities/tls/berlin/token': sync(token),
  })
  assert.equal(
    (await daemon.cli(['auth', 'token', 'list', '-f', 'csv'])).stdout,
    `berlin,Cluster link certificate,${uuid},berlin,2026-01-01T00:00:00Z,2026-01-16T00:00:00Z\n`,
  )
  const made = await daemon.cli(['auth', 'token', 'reissue', 'cluster-link/berlin', '--address', '10.0.0.1:8443'])
  assert.deepEqual(decodeToken(made.stdout.split('\n')[1] ?? ''), token)
  assert.deepEqual(daemon.requests.at(-1)?.body, { addresses: ['10.0.0.1:8443'] })
})

test('the hosts of a cluster, and its certificate', async (t) => {
  const member = {
    server_name: 'n1',
    url: 'https://10.0.0.1:8443',
    database: true,
    status: 'Online',
    message: 'Fully operational',
    architecture: 'x86_64',
    roles: ['leader', 'worker'],
    failure_domain: 'default',
    description: '',
    config: {},
    groups: ['default'],
  }
  const report = { told: ['west'], untold: [{ link: 'north', problem: 'it does not answer' }], void_tokens: ['bob'] }
  const ended = operation({ status: 'Success', status_code: 200, metadata: report })
  const daemon = await startScriptedDaemon(t, {
    'GET /1.0/cluster': sync({ server_name: 'n1', enabled: true, member_config: [] }),
    'GET /1.0/cluster/members?recursion=1': sync([member]),
    'GET /1.0/cluster/members/n1': sync(member),
    'POST /1.0/cluster/certificate': started({}),
    'GET /1.0/cluster/certificate': sync({ certificate: 'PEM', fingerprint: 'old', rotation: { next: fingerprint } }),
    'GET /1.0/operations/op1/wait?timeout=0.5': sync(ended),
  })
  const row = 'n1,https://10.0.0.1:8443,"leader,worker",x86_64,default,,ONLINE,Fully operational\n'
  assert.equal((await daemon.cli(['cluster', 'list', '-f', 'csv'])).stdout, row)
  assert.match((await daemon.cli(['cluster', 'show', 'n1'])).stdout, /^server_name: n1\n/)
  const before = daemon.requests.length
  assert.equal((await daemon.cli(['cluster', 'certificate', 'rotate'])).code, 2)
  assert.equal((await daemon.cli(['cluster', 'certificate', 'rotate'], { input: 'no\n' })).code, 1)
  assert.equal(daemon.requests.length, before)
  assert.equal(
    (await daemon.cli(['cluster', 'certificate', 'rotate', '-y'])).stdout,
    `The cluster's certificate is now ${fingerprint}
Linked clusters that know it: west
Cluster link north does not know it yet and is tried on: it does not answer
Void tokens, to be made anew with "auth token reissue": bob
`,
  )
  const alone = await startScriptedDaemon(t, {
    'GET /1.0/cluster': sync({ enabled: false }),
    'GET /1.0/x': failed(404, ''),
  })
  assert.deepEqual((await alone.cli(['cluster', 'list'])).stderr, 'Error: This host is in no cluster\n')
})
