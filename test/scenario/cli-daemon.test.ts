import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import { type Daemon, startDaemon } from '../support/daemon.ts'

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
