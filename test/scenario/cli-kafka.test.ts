import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusters, kafkaPath, list, type Script, startScriptedDaemon } from '../support/scripted-daemon.ts'

const links = `${kafkaPath}/links`
const topics = `${kafkaPath}/topics`
const notFound = {
  status: 404,
  body: { error_code: 40403, message: 'This server does not host this topic-partition.' },
}

const link = {
  link_name: 'west',
  cluster_link_id: 'AAAAAAAAAAAAAAAAAAAAAA',
  source_cluster_id: 'SRC',
  destination_cluster_id: null,
  remote_cluster_id: null,
  topic_names: ['orders', 'audit'],
  link_state: 'ACTIVE',
  link_error: 'NO_ERROR',
  link_error_message: null,
  category_counts: [{ state_category: 'ACTIVE', count: 12 }],
}
const lags = [
  { partition: 0, lag: 0, last_source_fetch_offset: 100, lag_ms: 0 },
  { partition: 1, lag: 7, last_source_fetch_offset: 90, lag_ms: 140 },
]
const mirror = {
  link_name: 'west',
  mirror_topic_name: 'orders',
  source_topic_name: 'orders',
  num_partitions: 2,
  mirror_lags: lags,
  mirror_status: 'ACTIVE',
  mirror_topic_error: 'NO_ERROR',
  state_time_ms: 1700000000000,
}
const altered = (name: string, error?: string) => ({
  mirror_topic_name: name,
  error_code: error === undefined ? null : 40401,
  error_message: error ?? null,
  mirror_lags: error === undefined ? lags : [],
})

test('links are listed and described by the words of Confluent', async (t) => {
  const failed = {
    ...link,
    link_name: 'east',
    link_state: 'FAILED',
    link_error: 'TIMEOUT_ERROR',
    source_cluster_id: null,
  }
  const daemon = await startScriptedDaemon(t, {
    ...clusters,
    [`GET ${links}`]: list([link, failed]),
    [`GET ${links}/west`]: { body: link },
  })
  const out = async (...words: string[]) => (await daemon.cli(['kafka', 'link', ...words])).stdout
  assert.equal(
    await out('list', '--include-topics', '-f', 'csv'),
    `east,AAAAAAAAAAAAAAAAAAAAAA,audit,,,,FAILED,TIMEOUT_ERROR,
east,AAAAAAAAAAAAAAAAAAAAAA,orders,,,,FAILED,TIMEOUT_ERROR,
west,AAAAAAAAAAAAAAAAAAAAAA,audit,SRC,,,ACTIVE,,
west,AAAAAAAAAAAAAAAAAAAAAA,orders,SRC,,,ACTIVE,,
`,
  )
  const ids = { link_id: 'AAAAAAAAAAAAAAAAAAAAAA' }
  assert.deepEqual(JSON.parse(await out('list', '-o', 'json')), [
    { link_name: 'east', ...ids, state: 'FAILED', error: 'TIMEOUT_ERROR' },
    { link_name: 'west', ...ids, source_cluster: 'SRC', state: 'ACTIVE' },
  ])
  assert.deepEqual(
    JSON.parse(await out('list', '--include-topics', '-o', 'json')).map(
      (row: Record<string, string>) => row.topic_name,
    ),
    ['audit', 'orders', 'audit', 'orders'],
  )
  assert.equal(
    await out('describe', 'west'),
    `+-------------------------------+------------------------+
| Name                          | west                   |
| ID                            | AAAAAAAAAAAAAAAAAAAAAA |
| Source Cluster                | SRC                    |
| State                         | ACTIVE                 |
| Mirror Partition States Count | ACTIVE: 12             |
+-------------------------------+------------------------+
`,
  )
})

test('a link is created with its config, or only tried', async (t) => {
  const query = (dry: boolean, validate: boolean) => `link_name=west&validate_only=${dry}&validate_link=${validate}`
  const daemon = await startScriptedDaemon(t, {
    ...clusters,
    [`POST ${links}?${query(false, true)}`]: { status: 204 },
    [`POST ${links}?${query(true, false)}`]: { status: 204 },
  })
  const words = [
    'kafka',
    'link',
    'create',
    'west',
    '--source-bootstrap-server',
    'w1:9092,w2:9092',
    '--source-cluster',
    'SRC',
  ]
  const result = await daemon.cli([...words, '--config', 'acl.sync.ms=7000', '--config', 'sasl.jaas.config=secret'])
  assert.equal(result.stderr, '')
  assert.equal(
    result.stdout,
    'Created cluster link "west" with configs:\n"acl.sync.ms"="7000"\n"bootstrap.servers"="w1:9092,w2:9092"\n\n',
  )
  assert.deepEqual(daemon.requests[1]?.body, {
    source_cluster_id: 'SRC',
    configs: [
      { name: 'bootstrap.servers', value: 'w1:9092,w2:9092' },
      { name: 'acl.sync.ms', value: '7000' },
      { name: 'sasl.jaas.config', value: 'secret' },
    ],
  })
  const dry = await daemon.cli([...words, '--dry-run', '--no-validate'])
  assert.match(dry.stdout, /^\[DRY RUN\] Created cluster link "west"/)
})

test('links and topics are deleted after a question', async (t) => {
  const script: Script = {
    ...clusters,
    [`GET ${links}/west`]: { body: link },
    [`DELETE ${links}/west?force=false`]: { status: 204 },
    [`DELETE ${links}/west?force=true`]: { status: 204 },
    [`GET ${topics}/a`]: { body: { topic_name: 'a' } },
    [`GET ${topics}/b`]: { body: { topic_name: 'b' } },
    [`GET ${topics}/gone`]: notFound,
    [`DELETE ${topics}/a`]: { status: 400, body: { error_code: 40002, message: 'a is a mirror' } },
    [`DELETE ${topics}/b`]: { status: 204 },
  }
  const daemon = await startScriptedDaemon(t, script)
  const changes = () => daemon.lines().filter((line) => line.startsWith('DELETE'))
  const no = await daemon.cli(['kafka', 'link', 'delete', 'west'], { input: 'n\n' })
  assert.deepEqual([no.code, no.stdout], [0, ''])
  assert.equal(no.stderr, 'Are you sure you want to delete cluster link "west"? (y/n): ')
  const nobody = await daemon.cli(['kafka', 'link', 'delete', 'west'])
  assert.equal(nobody.code, 2)
  assert.match(nobody.stderr, /give --force to go on without the question/)
  assert.deepEqual(changes(), [])
  const yes = await daemon.cli(['kafka', 'link', 'delete', 'west'], { input: 'maybe\ny\n' })
  assert.deepEqual([yes.code, yes.stdout], [0, 'Deleted cluster link "west".\n'])
  await daemon.cli(['kafka', 'link', 'delete', 'west', '--force', '--failover'])
  assert.deepEqual(changes(), [`DELETE ${links}/west?force=false`, `DELETE ${links}/west?force=true`])

  const missing = await daemon.cli(['kafka', 'topic', 'delete', 'b', 'gone', '--force'])
  assert.deepEqual([missing.code, missing.stderr.split(':')[1]?.trim()], [1, 'topic "gone" not found'])
  assert.equal(changes().length, 2)
  const partly = await daemon.cli(['kafka', 'topic', 'delete', 'a', 'b', '--force'])
  assert.deepEqual([partly.code, partly.stdout, partly.stderr], [1, 'Deleted topic "b".\n', 'Error: a is a mirror\n'])
})

test('config and tasks of a link', async (t) => {
  const config = (name: string, value: string | null, isDefault: boolean) => ({
    name,
    value,
    is_default: isDefault,
    is_read_only: false,
    is_sensitive: value === null,
    source: isDefault ? 'DEFAULT_CONFIG' : 'DYNAMIC_CLUSTER_LINK_CONFIG',
    synonyms: [],
  })
  const tasks = [
    { task_name: 'TopicConfigsSync', state: 'ACTIVE', errors: [] },
    {
      task_name: 'AclSync',
      state: 'IN_ERROR',
      errors: [{ error_code: 'AUTHORIZATION_ERROR', error_message: 'no right' }],
    },
  ]
  const daemon = await startScriptedDaemon(t, {
    ...clusters,
    [`GET ${links}/west/configs`]: list([config('sasl.jaas.config', null, false), config('acl.sync.ms', '5000', true)]),
    [`PUT ${links}/west/configs:alter?validate_only=false`]: { status: 204 },
    [`GET ${links}/west?include_tasks=true`]: { body: { ...link, tasks } },
  })
  const out = async (...words: string[]) => (await daemon.cli(['kafka', 'link', ...words])).stdout
  assert.deepEqual(JSON.parse(await out('configuration', 'list', 'west', '-o', 'json', '--changed')), [
    {
      config_name: 'sasl.jaas.config',
      config_value: '',
      read_only: false,
      sensitive: true,
      source: 'DYNAMIC_CLUSTER_LINK_CONFIG',
      synonyms: [],
    },
  ])
  assert.match(await out('configuration', 'list', 'west'), /^ {3}Config Name {4}\| Config Value \| Read-Only \|/)
  const updated = await out(
    'configuration',
    'update',
    'west',
    '--config',
    'acl.sync.ms=7000,topic.config.sync.include=a,b',
  )
  assert.equal(updated, 'Updated cluster link "west".\n')
  assert.deepEqual(daemon.requests.at(-1)?.body, {
    data: [
      { name: 'acl.sync.ms', value: '7000' },
      { name: 'topic.config.sync.include', value: 'a,b' },
    ],
  })
  assert.equal(
    await out('task', 'list', 'west'),
    `    Task Name     |  State   |             Errors
------------------+----------+---------------------------------
 AclSync          | IN_ERROR | AUTHORIZATION_ERROR: "no right"
 TopicConfigsSync | ACTIVE   |
`,
  )
})

test('mirrors are created with what was said and nothing else', async (t) => {
  const daemon = await startScriptedDaemon(t, { ...clusters, [`POST ${links}/west/mirrors`]: { status: 204 } })
  const create = (...words: string[]) => daemon.cli(['kafka', 'mirror', 'create', ...words, '--link', 'west'])
  assert.equal((await create('orders')).stdout, 'Created mirror topic "orders".\n')
  await create('w.orders', '--source-topic', 'orders', '--replication-factor', '1', '--config', 'a=1')
  await create('orders', '--adopt')
  assert.deepEqual(
    daemon.requests.flatMap(({ body }) => body ?? []),
    [
      { source_topic_name: 'orders', configs: [] },
      {
        source_topic_name: 'orders',
        mirror_topic_name: 'w.orders',
        replication_factor: 1,
        configs: [{ name: 'a', value: '1' }],
      },
      { source_topic_name: 'orders', configs: [], adopt: true },
    ],
  )
  assert.equal((await daemon.cli(['kafka', 'mirror', 'create', 'orders'])).code, 2)
  assert.equal((await create('orders', '--replication-factor', 'many')).code, 2)
})

test('mirrors are listed and described', async (t) => {
  const daemon = await startScriptedDaemon(t, {
    ...clusters,
    [`GET ${links}/-/mirrors`]: list([mirror]),
    [`GET ${links}/west/mirrors?mirror_status=FAILED`]: list([]),
    [`GET ${links}/west/mirrors/orders`]: { body: mirror },
    [`GET ${links}/west/mirrors/orders?include_state_transition_errors=true`]: {
      body: { ...mirror, mirror_state_transition_errors: [{ error_code: 'UNKNOWN', error_message: 'producers live' }] },
    },
  })
  const out = async (...words: string[]) => (await daemon.cli(['kafka', 'mirror', ...words])).stdout
  assert.deepEqual(JSON.parse(await out('list', '-o', 'json')), [
    {
      link_name: 'west',
      mirror_topic_name: 'orders',
      source_topic_name: 'orders',
      mirror_status: 'ACTIVE',
      status_time_ms: 1700000000000,
      num_partition: 2,
      max_per_partition_mirror_lag: 7,
      max_per_partition_mirror_lag_ms: 140,
    },
  ])
  assert.equal(await out('list', '--link', 'west', '--mirror-status', 'failed'), 'None found.\n')
  assert.equal((await daemon.cli(['kafka', 'mirror', 'list', '--mirror-status', 'odd'])).code, 2)
  assert.equal(
    await out('describe', 'orders', '--link', 'west', '--format', 'csv'),
    `west,orders,orders,ACTIVE,NO_ERROR,1700000000000,0,0,100,0
west,orders,orders,ACTIVE,NO_ERROR,1700000000000,1,7,90,140
`,
  )
  const [title, rule, first] = (await out('describe', 'orders', '--link', 'west')).split('\n')
  assert.match(title ?? '', /^ Link Name \| Mirror Topic Name \| .* \| Last Source Fetch Offset \| Lag Time \(ms\)$/)
  assert.match(rule ?? '', /^-----------\+-------------------\+[-+]+$/)
  assert.match(first ?? '', /^ west {6}\| orders {12}\| .* \| 100 +\| 0$/)
  assert.deepEqual(JSON.parse(await out('state-transition-error', 'list', 'orders', '--link', 'west', '-o', 'json')), [
    { error_code: 'UNKNOWN', error_message: 'producers live' },
  ])
})

test('verbs print what became of each topic, and fail when one did', async (t) => {
  const path = `${links}/west/mirrors`
  const daemon = await startScriptedDaemon(t, {
    ...clusters,
    [`POST ${path}:promote?validate_only=false`]: list([altered('orders'), altered('audit', 'no such mirror')]),
    [`POST ${path}:pause?validate_only=true`]: list([altered('orders')]),
    [`GET ${path}`]: list([mirror, { ...mirror, mirror_topic_name: 'old', mirror_status: 'STOPPED' }]),
    [`POST ${path}:resume?validate_only=false`]: list([altered('orders')]),
  })
  const run = (...words: string[]) => daemon.cli(['kafka', 'mirror', ...words, '--link', 'west'])
  const promote = await run('promote', 'orders', 'audit', '-o', 'json')
  assert.equal(promote.code, 1)
  assert.equal(promote.stderr, 'Error: Could not promote audit: see the messages above\n')
  const of = (name: string, partition: number, lag: number, offset: number, message = '', code = '') => ({
    mirror_topic_name: name,
    error_message: message,
    error_code: code,
    partition,
    partition_mirror_lag: lag,
    last_source_fetch_offset: offset,
  })
  assert.deepEqual(JSON.parse(promote.stdout), [
    of('orders', 0, 0, 100),
    of('orders', 1, 7, 90),
    of('audit', -1, -1, -1, 'no such mirror', '40401'),
  ])
  assert.equal((await run('pause', 'orders', '--dry-run')).code, 0)
  await run('resume', '--all')
  assert.deepEqual(daemon.requests.at(-1)?.body, { mirror_topic_names: ['orders'] })
  for (const words of [['pause'], ['pause', 'orders', '--all']]) assert.equal((await run(...words)).code, 2)
})

test('a verb can wait for its end', async (t) => {
  const path = `${links}/west/mirrors`
  const errors = [{ error_code: 'UNKNOWN', error_message: 'producer 7 is still open' }]
  const state = (name: string, mirror_status: string, mirror_state_transition_errors: unknown[] = []) => ({
    body: { ...mirror, mirror_topic_name: name, mirror_status, mirror_state_transition_errors },
  })
  const pending = state('orders', 'PENDING_STOPPED', errors)
  const daemon = await startScriptedDaemon(t, {
    ...clusters,
    [`POST ${path}:promote?validate_only=false`]: list([altered('orders')]),
    [`POST ${path}:failover?validate_only=false`]: list([altered('bad')]),
    [`GET ${path}/orders?include_state_transition_errors=true`]: [pending, pending, state('orders', 'STOPPED')],
    [`GET ${path}/bad?include_state_transition_errors=true`]: state('bad', 'FAILED', errors),
  })
  const run = (...words: string[]) => daemon.cli(['kafka', 'mirror', ...words, '--link', 'west', '--wait'])
  const promoted = await run('promote', 'orders')
  assert.deepEqual(
    [promoted.code, promoted.stderr],
    [0, 'orders: producer 7 is still open\nMirror topic orders is STOPPED\n'],
  )
  const failed = await run('failover', 'bad')
  assert.deepEqual([failed.code, failed.stderr], [1, 'Error: Mirror topic bad is FAILED: producer 7 is still open\n'])
})

test('topics are listed, created, described and changed', async (t) => {
  const topic = { topic_name: 'orders', is_internal: false, replication_factor: 3, partitions_count: 6 }
  const exists = { status: 400, body: { error_code: 40002, message: "Topic 'orders' already exists." } }
  const config = { name: 'retention.ms', value: '1', is_default: false, is_read_only: false }
  const daemon = await startScriptedDaemon(t, {
    ...clusters,
    [`GET ${topics}`]: list([topic, { ...topic, topic_name: 'audit' }]),
    [`GET ${topics}/orders`]: { body: topic },
    [`POST ${topics}`]: [{ status: 201, body: topic }, exists, exists],
    [`GET ${topics}/orders/configs`]: list([{ ...config, name: 'z', is_default: true }, config]),
    [`POST ${topics}/orders/configs:alter`]: { status: 204 },
    [`PATCH ${topics}/orders`]: { body: topic },
  })
  const run = (...words: string[]) => daemon.cli(['kafka', 'topic', ...words])
  assert.equal(
    (await run('list')).stdout,
    `  Name  | Is Internal | Replication Factor | Partition Count
--------+-------------+--------------------+-----------------
 audit  | false       | 3                  | 6
 orders | false       | 3                  | 6
`,
  )
  assert.deepEqual(JSON.parse((await run('describe', 'orders', '-o', 'json')).stdout), {
    name: 'orders',
    is_internal: false,
    replication_factor: 3,
    partition_count: 6,
  })
  const created = await run('create', 'orders', '--partitions', '6', '--config', 'retention.ms=1')
  assert.equal(created.stdout, 'Created topic "orders".\n')
  assert.deepEqual(daemon.requests.at(-1)?.body, {
    topic_name: 'orders',
    partitions_count: 6,
    configs: [{ name: 'retention.ms', value: '1' }],
    validate_only: false,
  })
  assert.deepEqual(await run('create', 'orders', '--if-not-exists'), { code: 0, signal: null, stdout: '', stderr: '' })
  assert.equal((await run('create', 'orders')).stderr, "Error: Topic 'orders' already exists.\n")
  assert.equal(
    (await run('configuration', 'list', 'orders', '--changed', '-f', 'csv')).stdout,
    'retention.ms,1,false\n',
  )
  const updated = await run('update', 'orders', '--config', 'retention.ms=2,num.partitions=12')
  assert.equal(
    updated.stdout,
    'Updated the following configuration values for topic "orders":\nnum.partitions=12\nretention.ms=2\n',
  )
  assert.deepEqual(
    daemon.requests.slice(-2).map(({ line, body }) => ({ line, body })),
    [
      { line: `POST ${topics}/orders/configs:alter`, body: { data: [{ name: 'retention.ms', value: '2' }] } },
      { line: `PATCH ${topics}/orders`, body: { partitions_count: 12 } },
    ],
  )
})
