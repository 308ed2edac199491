import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import { type Daemon, startDaemon } from '../support/daemon.ts'

let clusterA: Daemon
let clusterB: Daemon

before(async () => {
  const started = await Promise.all([startDaemon({ name: 'a' }), startDaemon({ name: 'b' })])
  clusterA = started[0]
  clusterB = started[1]
})

after(async () => {
  await Promise.all([clusterA?.[Symbol.asyncDispose](), clusterB?.[Symbol.asyncDispose]()])
})

/** A line as the documentation has it; quotation marks hold words together. */
async function type(daemon: Daemon, line: string): Promise<string> {
  const words = (line.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^(["'])(.*)\1$/s, '$2'))
  const { code, stdout, stderr } = await daemon.cli(words)
  assert.deepEqual([code, stderr], [0, ''], `${line}: ${stderr}`)
  return stdout
}

test('the lines of the documentation of LXD work as they stand there', async () => {
  for (const daemon of [clusterA, clusterB]) {
    await type(daemon, 'auth group create clusters')
    await type(daemon, 'auth group permission add clusters server admin')
  }
  await type(clusterA, 'auth group create backup')
  await type(clusterA, 'auth group permission add backup instance can_manage_backups')
  const token = (await type(clusterA, 'cluster link create cluster_b --auth-group clusters')).trim().split('\n').at(-1)
  await type(clusterB, `cluster link create cluster_a ${token} --auth-group clusters`)

  const identity = await type(clusterA, 'auth identity show tls/cluster_b')
  assert.match(identity, /\ntype: Cluster link certificate\n/)
  const port = clusterB.ready.https.split(':').at(-1)
  assert.match(await type(clusterA, 'cluster link list'), new RegExp(`\\| cluster_b \\| [^|]*:${port}`))
  assert.match(await type(clusterA, 'cluster link info cluster_b'), /\| ACTIVE \|/)

  await type(clusterA, 'cluster link set cluster_b user.site east')
  await type(clusterA, 'cluster link set cluster_b user.site=west')
  await type(clusterA, 'cluster link set cluster_b -p description "Backup cluster in data center 2"')
  const shown = parse(await type(clusterA, 'cluster link show cluster_b'))
  assert.deepEqual([shown.description, shown.config['user.site']], ['Backup cluster in data center 2', 'west'])
  const body = `'{"description": "Backup cluster in data center B"}'`
  await type(clusterA, `query --request PATCH /1.0/cluster/links/cluster_b --data ${body}`)
  const description = await type(clusterA, 'cluster link get cluster_b description --property')
  assert.equal(description, 'Backup cluster in data center B\n')
  assert.match(await type(clusterA, 'query --request GET /1.0/cluster/links?recursion=1'), /"name": "cluster_b"/)

  await type(clusterA, 'auth group create viewers')
  await type(clusterA, 'auth group permission add viewers server viewer')
  await type(clusterA, 'auth identity group add tls/cluster_b viewers')
  const groups = parse(await type(clusterA, 'auth identity show cluster-link/cluster_b')).groups
  assert.deepEqual(groups.toSorted(), ['clusters', 'viewers'])

  await type(clusterA, 'cluster link remove cluster_b')
  await type(clusterB, 'cluster link remove cluster_a')
  assert.equal(await type(clusterA, 'cluster link list --format csv'), '')
})

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
