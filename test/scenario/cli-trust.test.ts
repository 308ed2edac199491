import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeToken, encodeToken } from '../../src/identity/trust-token.ts'
import { created, failed, type Script, startScriptedDaemon, sync } from '../support/scripted-daemon.ts'

const tokenObject = {
  client_name: 'berlin',
  fingerprint: 'ab'.repeat(32),
  addresses: ['127.0.0.1:8443'],
  secret: 'cd'.repeat(32),
  expires_at: '2030-01-01T00:00:00Z',
  type: 'Cluster link certificate',
}
const token = encodeToken(tokenObject)
const id = '7c028b71-6791-4101-bd21-c0044b8f254e'
const minted = { 'POST /1.0/cluster/links': created(`/1.0/auth/identities/tls/${id}`, tokenObject) }
const used = { 'POST /1.0/cluster/links': created(`/1.0/auth/identities/tls/${'ab'.repeat(32)}`) }
const empty = { type: 'bidirectional', description: '', config: {}, trust_token: '', auth_groups: [] }

const link = {
  name: 'berlin',
  description: 'second site',
  type: 'bidirectional',
  config: { 'volatile.addresses': '10.0.0.1:8443,10.0.0.2:8443', 'user.owner': 'ops' },
  used_by: [],
}
const paths = { links: '/1.0/cluster/links', berlin: '/1.0/cluster/links/berlin' }

test('a link without token prints one, as LXD does', async (t) => {
  const daemon = await startScriptedDaemon(t, minted)
  const result = await daemon.cli(['cluster', 'link', 'create', 'berlin', '-g', 'readers,backup', '-d', 'second site'])
  const lines = [
    'Cluster link berlin created (pending)',
    `Cluster link "berlin" (${id}) pending identity token:`,
    token,
  ]
  assert.deepEqual(result, { code: 0, signal: null, stdout: `${lines.join('\n')}\n`, stderr: '' })
  assert.deepEqual(decodeToken(token), tokenObject)
  const body = { ...empty, name: 'berlin', description: 'second site', auth_groups: ['readers', 'backup'] }
  assert.deepEqual(daemon.requests[0]?.body, body)
  assert.match(String(daemon.requests[0]?.headers['user-agent']), /^linkspan\/\d/)

  const quiet = await daemon.cli(['cluster', 'link', 'create', 'local:berlin', 'user.a=b=c', '-q'])
  assert.equal(quiet.stdout, `${token}\n`)
  assert.deepEqual(daemon.requests[1]?.body, { ...empty, name: 'berlin', config: { 'user.a': 'b=c' } })
})

test('a token is taken wherever it is given', async (t) => {
  const daemon = await startScriptedDaemon(t, used)
  const create = (words: string[], input?: string) => {
    return daemon.cli(['cluster', 'link', 'create', 'paris', ...words], input === undefined ? {} : { input })
  }
  const results = await Promise.all([
    create([token]),
    create(['user.a=1', token.replace(/=+$/, '')]),
    create(['--token', token]),
    create(['--token', '-'], `${token.slice(0, 50)}\n${token.slice(50)}\n`),
    create(['--token-file', '-'], token),
  ])
  for (const result of results)
    assert.deepEqual([result.code, result.stdout, result.stderr], [0, 'Cluster link paris created\n', ''])
  for (const { body } of daemon.requests) {
    const { trust_token } = body as { trust_token: string }
    assert.deepEqual(decodeToken(trust_token), tokenObject)
  }
})

test('a token that is cut off, twice there or misplaced is refused before anything is sent', async (t) => {
  const daemon = await startScriptedDaemon(t, used)
  const cases: [string[], number, RegExp][] = [
    [[token.slice(0, 100)], 1, /^Error: This is not a usable token, .*copy it again whole/],
    [[token, '--token', token], 2, /^Error: Give the token once/],
    [[token, token], 2, /^Error: Only one token/],
    [['nonsense'], 2, /^Error: Expected key=value, got "nonsense"/],
    [['--unidirectional'], 2, /needs the token of the other side/],
    [['--public'], 2, /--public and --remote-address go together/],
    [['--unidirectional', '--auth-group', 'a', '--token', token], 2, /cannot be used with option/],
  ]
  await Promise.all(
    cases.map(async ([words, code, pattern]) => {
      const result = await daemon.cli(['cluster', 'link', 'create', 'paris', ...words])
      assert.deepEqual([result.code, result.stdout], [code, ''], words.join(' '))
      assert.match(result.stderr, pattern)
      assert.ok(!result.stderr.includes(tokenObject.secret))
    }),
  )
  const nameless = await daemon.cli(['cluster', 'link', 'create', token])
  assert.deepEqual([nameless.code, nameless.stderr], [2, 'Error: Name the link first, then the token\n'])
  assert.deepEqual(daemon.requests, [])
})

test('a form on standard input is overridden by flags, and a silent pipe is given up', async (t) => {
  const daemon = await startScriptedDaemon(t, minted)
  const input = 'description: from the form\nconfig:\n  user.a: 1\n  user.b: two\n'
  await daemon.cli(['cluster', 'link', 'create', 'berlin', 'user.b=three'], { input })
  const silent = await daemon.cli(['cluster', 'link', 'create', 'berlin'], { openInput: true })
  const broken = await daemon.cli(['cluster', 'link', 'create', 'berlin'], { input: 'a: [b' })
  assert.deepEqual(
    daemon.requests.map(({ body }) => body),
    [
      { ...empty, name: 'berlin', description: 'from the form', config: { 'user.a': 1, 'user.b': 'three' } },
      { ...empty, name: 'berlin' },
    ],
  )
  assert.equal(silent.code, 0)
  assert.match(silent.stderr, /nothing came from it within a second/)
  assert.equal(broken.code, 1)
  assert.match(broken.stderr, /^Error: This is not YAML: /)
})

test('a public link is made once its certificate is accepted', async (t) => {
  const fingerprint = 'ef'.repeat(32)
  const script: Script = {
    'POST /1.0/cluster/links': [sync({ fingerprint, certificate: 'PEM' }), created('/1.0/cluster/links/open')],
    'DELETE /1.0/cluster/links/open': sync({}),
  }
  const words = ['cluster', 'link', 'create', 'open', '--public', '--remote-address', '10.0.0.9:8443']
  const yes = await startScriptedDaemon(t, script)
  const accepted = await yes.cli(words, { input: `what\n${fingerprint}\n` })
  assert.deepEqual([accepted.code, accepted.stdout], [0, 'Cluster link open created\n'])
  assert.match(accepted.stderr, new RegExp(`Certificate fingerprint: ${fingerprint}`))
  const confirmed = yes.requests[1]?.body as Record<string, unknown> | undefined
  assert.equal(confirmed?.cluster_certificate, 'PEM')
  for (const [input, code] of [
    ['n\n', 4],
    ['', 4],
    [`${'00'.repeat(32)}\n`, 1],
  ] as const) {
    const no = await startScriptedDaemon(t, script)
    const refused = await no.cli(words, { input })
    assert.deepEqual([refused.code, refused.stdout], [code, ''])
    assert.deepEqual(no.lines(), ['POST /1.0/cluster/links', 'DELETE /1.0/cluster/links/open'])
  }
})

test('lists come in every format', async (t) => {
  const pending = { name: 'ü10', description: '', type: 'unidirectional', config: {}, used_by: [] }
  const kafka = { ...pending, name: 'ü9', config: { 'linkspan.reach': 'kafka', 'bootstrap.servers': 'k:9092' } }
  const links = [pending, link, kafka]
  const daemon = await startScriptedDaemon(t, { 'GET /1.0/cluster/links?recursion=1': sync(links) })
  const list = async (...words: string[]) => (await daemon.cli(['cluster', 'link', 'ls', ...words])).stdout
  const expected: [string[], string][] = [
    [
      [],
      `+--------+-----------------------------+-------------+-----------------+----------------+
|  NAME  |          ADDRESSES          | DESCRIPTION | IDENTITY STATUS |      TYPE      |
+--------+-----------------------------+-------------+-----------------+----------------+
| berlin | 10.0.0.1:8443,10.0.0.2:8443 | second site | ACTIVE          | BIDIRECTIONAL  |
+--------+-----------------------------+-------------+-----------------+----------------+
| ü9     | k:9092                      |             | ACTIVE          | UNIDIRECTIONAL |
+--------+-----------------------------+-------------+-----------------+----------------+
| ü10    |                             |             | PENDING         | UNIDIRECTIONAL |
+--------+-----------------------------+-------------+-----------------+----------------+
`,
    ],
    [
      ['-f', 'csv'],
      `berlin,"10.0.0.1:8443,10.0.0.2:8443",second site,ACTIVE,BIDIRECTIONAL
ü9,k:9092,,ACTIVE,UNIDIRECTIONAL
ü10,,,PENDING,UNIDIRECTIONAL
`,
    ],
    [['--format', 'json', 'local:'], `${JSON.stringify(links)}\n`],
    [['-o', 'json'], `${JSON.stringify(links)}\n`],
    [['-f', 'yaml'], /^- name: ü10\n {2}description: ""\n/.source],
  ]
  for (const [words, text] of expected) {
    const stdout = await list(...words)
    if (text.startsWith('^')) assert.match(stdout, new RegExp(text))
    else assert.equal(stdout, text)
  }
})

test('a link is shown and its members told', async (t) => {
  const members = [
    { server_name: 'n1', address: '10.0.0.1:8443', status: 'Active' },
    { server_name: '', address: '10.0.0.2:8443', status: 'Unreachable', reason: 'nothing listens there' },
  ]
  const daemon = await startScriptedDaemon(t, {
    [`GET ${paths.berlin}`]: sync(link),
    [`GET ${paths.berlin}/state`]: sync({ cluster_link_members: members }),
  })
  const show = await daemon.cli(['cluster', 'link', 'show', 'berlin'])
  assert.equal(
    show.stdout,
    `name: berlin
description: second site
type: bidirectional
config:
  volatile.addresses: 10.0.0.1:8443,10.0.0.2:8443
  user.owner: ops
used_by: []
`,
  )
  const info = await daemon.cli(['cluster', 'link', 'info', 'berlin'])
  assert.equal(
    info.stdout,
    `Name: berlin
Description: second site
Type: BIDIRECTIONAL
Cluster link members:
+---------------+------+-------------+-----------------------+
|    ADDRESS    | NAME |    STATE    |        REASON         |
+---------------+------+-------------+-----------------------+
| 10.0.0.1:8443 | n1   | ACTIVE      |                       |
+---------------+------+-------------+-----------------------+
| 10.0.0.2:8443 |      | UNREACHABLE | nothing listens there |
+---------------+------+-------------+-----------------------+
`,
  )
  const get = async (...words: string[]) => (await daemon.cli(['cluster', 'link', 'get', 'berlin', ...words])).stdout
  assert.equal(await get('user.owner'), 'ops\n')
  assert.equal(await get('user.none'), '\n')
  assert.equal(await get('Description', '--property'), 'second site\n')
})

test('a change of a link is read, changed and written with its tag', async (t) => {
  const script = { [`GET ${paths.berlin}`]: sync(link, { etag: '"e1"' }), [`PUT ${paths.berlin}`]: sync({}) }
  const { description, config } = link
  const cases: [string[], unknown, string?][] = [
    [['set', 'user.owner', 'me'], { description, config: { ...config, 'user.owner': 'me' } }],
    [['set', 'user.a=1', 'user.b==2'], { description, config: { ...config, 'user.a': '1', 'user.b': '=2' } }],
    [['set', '-p', 'description', 'new text'], { description: 'new text', config }],
    [['set', '--property', 'description=new text'], { description: 'new text', config }],
    [
      ['set', 'user.owner', '-'],
      { description, config: { ...config, 'user.owner': 'line 1\nline 2' } },
      'line 1\nline 2\n',
    ],
    [['unset', 'user.owner'], { description, config: { ...config, 'user.owner': '' } }],
    [['unset', 'description', '-p'], { description: '', config }],
  ]
  for (const [[verb = '', ...words], body, input] of cases) {
    const daemon = await startScriptedDaemon(t, script)
    const result = await daemon.cli(['cluster', 'link', verb, 'berlin', ...words], input === undefined ? {} : { input })
    assert.deepEqual([result.code, result.stdout, result.stderr], [0, '', ''])
    assert.deepEqual(daemon.lines(), [`GET ${paths.berlin}`, `PUT ${paths.berlin}`])
    assert.deepEqual(daemon.requests[1]?.body, body)
    assert.equal(daemon.requests[1]?.headers['if-match'], '"e1"')
  }
  const daemon = await startScriptedDaemon(t, script)
  const name = await daemon.cli(['cluster', 'link', 'set', 'berlin', '-p', 'name=x'])
  assert.deepEqual([name.code, name.stderr.includes('use "cluster link rename"')], [2, true])
  assert.deepEqual(daemon.requests, [])
})

test('an edit from standard input replaces without a tag', async (t) => {
  const daemon = await startScriptedDaemon(t, { [`PUT ${paths.berlin}`]: sync({}) })
  const input = 'name: berlin\ndescription: edited\nconfig:\n  user.n: "7"\nused_by: []\n'
  const result = await daemon.cli(['cluster', 'link', 'edit', 'berlin'], { input })
  assert.deepEqual([result.code, result.stdout], [0, ''])
  assert.deepEqual(daemon.requests[0]?.body, { description: 'edited', config: { 'user.n': '7' } })
  assert.equal(daemon.requests[0]?.headers['if-match'], undefined)
})

test('links are renamed and deleted under all of their words', async (t) => {
  const daemon = await startScriptedDaemon(t, {
    [`POST ${paths.berlin}`]: created('/1.0/cluster/links/bonn', {}),
    [`DELETE ${paths.berlin}`]: sync({}),
    [`DELETE ${paths.berlin}?force=true`]: sync({}),
  })
  const out = async (...words: string[]) => (await daemon.cli(['cluster', 'link', ...words])).stdout
  assert.equal(await out('rename', 'berlin', 'bonn'), 'Cluster link berlin renamed to bonn\n')
  assert.deepEqual(daemon.requests[0]?.body, { name: 'bonn' })
  for (const verb of ['delete', 'rm', 'remove'])
    assert.equal(await out(verb, 'berlin'), 'Cluster link berlin deleted\n')
  assert.equal(await out('delete', '--force', '-q', 'berlin'), '')
  assert.deepEqual(daemon.lines().slice(1), [
    ...Array.from({ length: 3 }, () => `DELETE ${paths.berlin}`),
    `DELETE ${paths.berlin}?force=true`,
  ])
})

test('the exit code tells what went wrong', async (t) => {
  const daemon = await startScriptedDaemon(t, {
    'DELETE /1.0/cluster/links/gone': failed(404, 'Cluster link "gone" not found'),
    'DELETE /1.0/cluster/links/theirs': failed(403, 'That is not permitted'),
    'DELETE /1.0/cluster/links/far': failed(502, 'Cannot connect', 'unreachable'),
    'DELETE /1.0/cluster/links/odd': failed(500, 'a\u001b[31m red\nline'),
  })
  const cases: [string[], number, string][] = [
    [['delete', 'gone'], 1, 'Error: Cluster link "gone" not found\n'],
    [['delete', 'theirs'], 4, 'Error: That is not permitted\n'],
    [['delete', 'far'], 3, 'Error: Cannot connect\n'],
    [['delete', 'odd'], 1, 'Error: a\\u{1b}[31m red\nline\n'],
    [['delete'], 2, "Error: missing required argument 'link'\n"],
    [['list', '--format', 'xml'], 2, ''],
    [['delete', 'east:x'], 2, ''],
  ]
  for (const [words, code, stderr] of cases) {
    const result = await daemon.cli(['cluster', 'link', ...words])
    assert.deepEqual([result.code, result.stdout], [code, ''], words.join(' '))
    if (stderr !== '') assert.equal(result.stderr, stderr)
  }
  const none = await daemon.cli(['cluster', 'link', 'list', '--state-dir', '/nowhere/at/all'])
  assert.equal(none.code, 3)
  assert.match(none.stderr, /^Error: No Linkspan daemon answers at \/nowhere.*start one with "linkspand --state-dir/)
})
