import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import { decodeToken } from '../../src/identity/trust-token.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { waitFor } from '../support/process.ts'

let clusterA: Daemon

before(async () => {
  clusterA = await startDaemon({ name: 'a' })
})

after(() => clusterA?.[Symbol.asyncDispose]())

/** A line as the documentation has it; quotation marks hold words together. */
async function type(daemon: Daemon, line: string): Promise<string> {
  const words = (line.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^(["'])(.*)\1$/s, '$2'))
  const { code, stdout, stderr } = await daemon.cli(words)
  assert.deepEqual([code, stderr], [0, ''], `${line}: ${stderr}`)
  return stdout
}

test('an edit of what is shown changes what was changed in it', async () => {
  await type(clusterA, 'auth group create edited')
  const shown = await type(clusterA, 'auth group show edited')
  const input = shown.replace('description: ""', 'description: by hand')
  assert.equal((await clusterA.cli(['auth', 'group', 'edit', 'edited'], { input })).code, 0)
  assert.equal(parse(await type(clusterA, 'auth group show edited')).description, 'by hand')
  await type(clusterA, 'auth group permission add edited topic orders* can_read')
  await type(clusterA, 'auth group permission add edited consumer_group can_view')
  await type(clusterA, 'auth group permission remove edited topic orders* can_read')
  assert.deepEqual(parse(await type(clusterA, 'auth group show edited')).permissions, [
    { entity_type: 'consumer_group', url: '/1.0/consumer-groups', entitlement: 'can_view' },
  ])
})

test('what the daemon refuses says why, and the exit code says of which kind it is', async () => {
  const cases: [string[], number, RegExp][] = [
    [['cluster', 'link', 'show', 'none'], 1, /^Error: .*none.* not found/i],
    [['cluster', 'link', 'create', 'a/b'], 1, /^Error: /],
    [['cluster', 'link', 'create', 'x', 'nonsense=1'], 1, /^Error: .*nonsense/],
    [['auth', 'group', 'create', 'admins'], 1, /^Error: .*admins/],
    [['auth', 'group', 'delete', 'none'], 1, /^Error: /],
  ]
  for (const [words, code, pattern] of cases) {
    const result = await clusterA.cli(words)
    assert.deepEqual([result.code, result.stdout], [code, ''], words.join(' '))
    assert.match(result.stderr, pattern)
  }
})

test('the status tells that Kafka does not answer', async () => {
  const status = await type(clusterA, 'status')
  assert.match(status, /^Server: a \(Linkspan \d+\.\d+\.\d+\)\n/)
  assert.match(status, /- The Kafka cluster that this daemon fronts does not answer\n/)
})

test('rights are explained, by the chain from the permission to the question', async () => {
  await type(clusterA, 'auth group create explained')
  await type(clusterA, 'auth group permission add explained server viewer')
  await type(clusterA, 'auth identity create tls/ada --group explained -q')
  const yes = await type(clusterA, 'auth explain tls/ada can_view cluster_link/berlin')
  assert.match(yes, /^(Yes|No): tls\/ada /)
  const no = await type(clusterA, 'auth explain ada can_edit server')
  assert.match(no, /^No: ada does not have can_edit on \/1.0\n[\s\S]*- server admin/)
})

test('tokens are listed without secrets and made anew, and the old one is void', async () => {
  const first = (await type(clusterA, 'auth identity create tls/bob -q')).trim()
  const listed = JSON.parse(await type(clusterA, 'auth token list -f json')) as { name: string }[]
  assert.ok(listed.some(({ name }) => name === 'bob'))
  assert.ok(!JSON.stringify(listed).includes(decodeToken(first).secret))
  const second = (await type(clusterA, 'auth token reissue tls/bob -q')).trim()
  assert.notEqual(decodeToken(second).secret, decodeToken(first).secret)
  const env = { LINKSPAN_CONF: join(clusterA.stateDir, 'bob') }
  const spend = (token: string) => clusterA.cli(['remote', 'add', 'here', token], { env })
  assert.equal((await spend(first)).code, 1)
  assert.equal((await spend(second)).code, 0)
})

test('the config of the server is set, shown and unset', async () => {
  await type(clusterA, 'config set core.remote_token_expiry=1d')
  await type(clusterA, 'config set user.note "two words"')
  assert.equal(await type(clusterA, 'config get user.note'), 'two words\n')
  assert.equal(parse(await type(clusterA, 'config show')).config['core.remote_token_expiry'], '1d')
  await type(clusterA, 'config unset user.note')
  assert.equal(await type(clusterA, 'config get user.note'), '\n')
})

test('a token of the old trust store makes a remote that may do everything', async () => {
  const token = (await type(clusterA, 'config trust add --name carol -q')).trim()
  assert.match(await type(clusterA, 'config trust list-tokens -f csv'), /^carol,/)
  const env = { LINKSPAN_CONF: join(clusterA.stateDir, 'carol') }
  const added = await clusterA.cli(['remote', 'add', 'here', token], { env })
  assert.deepEqual([added.code, added.stdout], [0, 'Remote here added\n'], added.stderr)
  const [listed = ''] = (await type(clusterA, 'config trust list -f csv')).split('\n')
  assert.match(listed, /^client,carol,/)
  assert.equal((await clusterA.cli(['auth', 'group', 'create', 'here:by-carol'], { env })).code, 0)
  await type(clusterA, `config trust remove ${listed.split(',')[3]}`)
  assert.equal((await clusterA.cli(['cluster', 'link', 'list', 'here:'], { env })).code, 4)
  await type(clusterA, 'config trust add --name dave -q')
  await type(clusterA, 'config trust revoke-token dave')
  assert.equal(await type(clusterA, 'config trust list-tokens -f csv'), '')
})

test('the server tells what it is and can do', async () => {
  const info = parse(await type(clusterA, 'info'))
  assert.deepEqual([info.auth, info.environment.server_name], ['trusted', 'a'])
  assert.ok(info.api_extensions.includes('cluster_links'))
})

test('every host is a cluster of one', async () => {
  assert.match(await type(clusterA, 'cluster list -f csv'), /^a,https:\/\/127.0.0.1:\d+,/)
  assert.match(await type(clusterA, 'cluster show a'), /^server_name: a\n/)
})

test('the daemon warns that Kafka is not reached, until somebody acknowledges it', async () => {
  const list = () => type(clusterA, 'warning list -f csv -c utS')
  const row = await waitFor(list, { what: 'a warning' })
  const [uuid = ''] = row.split(',')
  assert.match(row, /,Kafka is not reached,NEW\n$/)
  assert.match(await type(clusterA, `warning show ${uuid}`), /\nseverity: high\n/)
  await type(clusterA, `warning acknowledge ${uuid}`)
  assert.equal(await list(), '')
  assert.match(await type(clusterA, 'warning list --all -f csv -c uS'), new RegExp(`^${uuid},ACKNOWLEDGED\n$`))
  assert.match(await type(clusterA, 'warning delete --all --force'), /^Warnings deleted: \d\n$/)
})
