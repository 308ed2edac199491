import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { cliMain } from '../support/daemon.ts'
import { run } from '../support/process.ts'
import {
  clusters,
  failed,
  kafkaPath,
  list,
  operation,
  type Script,
  startScriptedDaemon,
  sync,
} from '../support/scripted-daemon.ts'

const links = `${kafkaPath}/links`
const operationPath = '/1.0/operations/op1'

const verifying = (status: string, status_code: number, parts: Record<string, unknown> = {}) => {
  return operation({ description: 'Verifying mirrors', status, status_code, ...parts })
}
const running = verifying('Running', 103)
const stillRunning = { status: 200, body: failed(500, 'Operation op1 is still running').body }

const at = (source: number, destination = source) => ({ source, destination, equal: source === destination })
const proof = (partition: number, parts: Record<string, unknown> = {}) => ({
  partition,
  start: at(0),
  end: at(100),
  range: { from: 0, to: 100 },
  records: 100,
  batches: 3,
  bytes: 999,
  decodedBatches: 0,
  compactedAway: 0,
  digest: { source: 'ab'.repeat(32), destination: 'ab'.repeat(32) },
  equal: true,
  firstDifference: null,
  ...parts,
})

function verification(proofs: unknown[]): Script {
  return {
    ...clusters,
    [`GET ${links}/-/mirrors`]: list([{ link_name: 'west', mirror_topic_name: 'orders' }]),
    [`POST ${links}/west/mirrors:verify`]: { status: 202, body: { operation: operationPath } },
    [`GET ${operationPath}/wait?timeout=0.5`]: [
      stillRunning,
      sync(verifying('Success', 200, { metadata: { proofs } })),
    ],
    [`GET ${operationPath}`]: sync(running),
  }
}

test('an equal mirror is proven partition by partition', async (t) => {
  const partitions = [proof(1, { end: at(110, 100) }), proof(0)]
  const proofs = [{ topic: 'orders', sourceTopic: 'orders', equal: true, complete: false, partitions }]
  const daemon = await startScriptedDaemon(t, verification(proofs))
  const result = await daemon.cli(['verify', 'orders'])
  assert.equal(
    result.stdout,
    `+--------+-----------+-------+------------+---------+---------+------------------+
| TOPIC  | PARTITION | START |    END     | RECORDS | CONTENT |      DIGEST      |
+--------+-----------+-------+------------+---------+---------+------------------+
| orders | 0         | 0     | 100        | 100     | equal   | abababababababab |
+--------+-----------+-------+------------+---------+---------+------------------+
| orders | 1         | 0     | source 110 | 100     | equal   | abababababababab |
|        |           |       | mirror 100 |         |         |                  |
+--------+-----------+-------+------------+---------+---------+------------------+
EQUAL: 200 records in 2 partitions compared; 10 offsets of the source not mirrored yet
`,
  )
  assert.deepEqual([result.code, result.stderr], [0, ''])
  assert.deepEqual(daemon.requests.find(({ line }) => line.startsWith('POST'))?.body, {
    mirror_topic_names: ['orders'],
  })
  assert.deepEqual(JSON.parse((await daemon.cli(['verify', '-f', 'json'])).stdout), proofs)
})

test('a difference has an exit code of its own', async (t) => {
  const different = { equal: false, firstDifference: { offset: 42, what: 'another value' } }
  const proofs = [
    { topic: 'orders', sourceTopic: 'orders', equal: false, complete: true, partitions: [proof(0, different)] },
  ]
  const daemon = await startScriptedDaemon(t, verification(proofs))
  const result = await daemon.cli(['verify', 'orders'])
  assert.equal(result.code, 5)
  assert.match(result.stdout, /DIFFERENT at 42:.*\n.*another value/)
  assert.match(result.stdout, /\nDIFFERENT: .* the first at orders partition 0 offset 42: another value\n$/)
  assert.equal(result.stderr, 'Error: The mirror is not equal to its source\n')
  assert.equal((await daemon.cli(['verify', '-o', 'json'])).code, 5)
  const none = await daemon.cli(['verify', 'audit'])
  assert.deepEqual([none.code, none.stderr], [1, 'Error: There is no mirror topic "audit"\n'])
})

test('operations are listed, shown, cancelled and waited for', async (t) => {
  const failure = verifying('Failure', 400, { err: 'The source is gone', err_code: 502 })
  const daemon = await startScriptedDaemon(t, {
    'GET /1.0/operations?recursion=1': sync({ running: [running] }),
    [`GET ${operationPath}`]: sync(running),
    [`DELETE ${operationPath}`]: sync({}),
    [`GET ${operationPath}/wait?timeout=0.5`]: [stillRunning, sync(failure)],
    [`GET ${operationPath}/wait?timeout=0`]: stillRunning,
  })
  const run = (...words: string[]) => daemon.cli(['operation', ...words])
  assert.equal((await run('list', '-f', 'csv')).stdout, 'op1,TASK,Verifying mirrors,RUNNING,YES,2026-01-01T00:00:00Z\n')
  assert.match((await run('show', 'op1')).stdout, /^id: op1\nclass: task\n/)
  assert.equal((await run('delete', 'op1')).stdout, 'Operation op1 deleted\n')
  const waited = await run('wait', 'op1')
  assert.deepEqual([waited.code, waited.stdout, waited.stderr], [3, '', 'Error: The source is gone\n'])
  const late = await run('wait', 'op1', '--timeout', '0')
  assert.deepEqual([late.code, late.stderr], [3, 'Error: Operation op1 is still running\n'])
  assert.equal((await run('wait', 'op1', '--timeout', 'long')).code, 2)
})

test('a query prints what the API answers', async (t) => {
  const daemon = await startScriptedDaemon(t, {
    'GET /1.0/x?a=b:c': sync({ a: [1] }),
    'PUT /1.0/x': sync({}),
    'POST /1.0/y': { status: 202, body: { ...(sync(null).body as object), type: 'async', operation: operationPath } },
    [`GET ${operationPath}/wait?timeout=0.5`]: sync(verifying('Success', 200)),
    'GET /kafka/v3/clusters': list([]),
    'GET /1.0/none': failed(404, 'Not Found'),
    'GET /metrics': { body: 'a 1\nb 2\n', headers: { 'content-type': 'text/plain' } },
  })
  const run = (words: string[], input?: string) => daemon.cli(['query', ...words], input === undefined ? {} : { input })
  assert.equal((await run(['local:/1.0/x?a=b:c'])).stdout, '{\n\t"a": [\n\t\t1\n\t]\n}\n')
  assert.equal((await run(['-X', 'put', '--data', '{"b":1}', '/1.0/x'])).stdout, '')
  assert.deepEqual(daemon.requests.at(-1)?.body, { b: 1 })
  await run(['-X', 'PUT', '-d', '-', '/1.0/x'], '{"from":"input"}')
  assert.deepEqual(daemon.requests.at(-1)?.body, { from: 'input' })
  await run(['-X', 'PUT', '-d', 'plain text', '/1.0/x'])
  assert.equal(daemon.requests.at(-1)?.body, 'plain text')
  assert.match((await run(['--raw', '/1.0/x?a=b:c'])).stdout, /"status_code": 200/)
  assert.match((await run(['-X', 'POST', '--wait', '/1.0/y'])).stdout, /"status": "Success"/)
  assert.match((await run(['/kafka/v3/clusters'])).stdout, /"kind": "List"/)
  assert.equal((await run(['/metrics'])).stdout, 'a 1\nb 2\n')
  const none = await run(['/1.0/none'])
  assert.deepEqual([none.code, none.stdout, none.stderr], [1, '', 'Error: Not Found\n'])
  assert.equal((await run(['-X', 'BREW', '/1.0'])).code, 2)
})

test('the footprint and the versions', async (t) => {
  const items = [
    { what: 'topic created', name: 'orders', detail: 'mirror 1' },
    { what: 'ACL added', name: 'orders', detail: 'DENY WRITE User:app' },
  ]
  const daemon = await startScriptedDaemon(t, {
    'GET /1.0/footprint': [sync(items), sync([])],
    'GET /1.0': sync({ environment: { server_version: '9.9' } }),
  })
  assert.equal(
    (await daemon.cli(['footprint', '-f', 'compact'])).stdout,
    `  WHAT           NAME    DETAIL
  ACL added      orders  DENY WRITE User:app
  topic created  orders  mirror 1
`,
  )
  assert.equal((await daemon.cli(['footprint'])).stderr, 'Nothing of this Kafka cluster was changed.\n')
  assert.match((await daemon.cli(['version'])).stdout, /^Client version: \d+\.\d+\.\d+\nServer version: 9\.9\n$/)
  assert.deepEqual(JSON.parse((await daemon.cli(['version', '-f', 'json'])).stdout).server_version, '9.9')
  assert.match((await daemon.cli(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
})

test('the status says what is wrong', async (t) => {
  const environment = {
    server_name: 'east',
    server_version: '1.2.3',
    addresses: ['127.0.0.1:8443'],
    certificate_fingerprint: 'ab'.repeat(32),
    cluster_id: 'c',
    kafka_cluster_id: 'K',
  }
  const link = (name: string, config: object) => ({ name, description: '', type: 'bidirectional', config, used_by: [] })
  const member = { server_name: '', address: '10.0.0.1:8443', status: 'Unreachable', reason: 'nothing listens there' }
  const warning = (type: string, entity_url: string, last_message: string) => {
    return { type, entity_url, last_message, status: 'new' }
  }
  const mirror = { link_name: 'west', num_partitions: 2, mirror_topic_error: 'NO_ERROR' }
  const lags = [0, 7].map((lag, partition) => ({ partition, lag, last_source_fetch_offset: 9 }))
  const healthy: Script = {
    ...clusters,
    'GET /1.0': sync({ environment }),
    'GET /1.0/cluster/links?recursion=1': sync([]),
    'GET /1.0/warnings?recursion=1': sync([]),
    [`GET ${links}`]: list([]),
    [`GET ${links}/-/mirrors`]: list([]),
  }
  const daemon = await startScriptedDaemon(t, {
    ...healthy,
    'GET /1.0/cluster/links?recursion=1': sync([
      link('west', { 'volatile.addresses': '10.0.0.1:8443' }),
      link('new', {}),
    ]),
    'GET /1.0/cluster/links/west/state': sync({ cluster_link_members: [member] }),
    'GET /1.0/warnings?recursion=1': sync([
      warning('Cluster link is not reached', '/1.0/cluster/links/west', 'told by the link itself'),
      warning('Certificate expires soon', '/1.0', 'on 2026-12-24'),
      { ...warning('Known', '/1.0', 'long since'), status: 'acknowledged' },
    ]),
    [`GET ${links}/-/mirrors`]: list([
      { ...mirror, mirror_topic_name: 'orders', mirror_status: 'ACTIVE', mirror_lags: lags },
      {
        ...mirror,
        mirror_topic_name: 'bad',
        mirror_status: 'FAILED',
        mirror_lags: [],
        mirror_topic_error: 'SOURCE_TOPIC_ID_CHANGED',
      },
    ]),
  })
  assert.equal(
    (await daemon.cli(['status'])).stdout,
    `Server: east (Linkspan 1.2.3)
Address: 127.0.0.1:8443
Fingerprint: ${'ab'.repeat(32)}
Kafka cluster: K

Cluster links:
+------+---------------+-------------+---------------+
| NAME |     TYPE      |    STATE    |   ADDRESSES   |
+------+---------------+-------------+---------------+
| west | BIDIRECTIONAL | UNREACHABLE | 10.0.0.1:8443 |
+------+---------------+-------------+---------------+
| new  | BIDIRECTIONAL | PENDING     |               |
+------+---------------+-------------+---------------+

Mirror topics:
+------+--------+--------+------------+-----+
| LINK | TOPIC  | STATUS | PARTITIONS | LAG |
+------+--------+--------+------------+-----+
| west | orders | ACTIVE | 2          | 7   |
+------+--------+--------+------------+-----+
| west | bad    | FAILED | 2          | 0   |
+------+--------+--------+------------+-----+

Problems:
- Cluster link west is UNREACHABLE: nothing listens there
- Mirror topic bad of link west is FAILED: SOURCE_TOPIC_ID_CHANGED
- Certificate expires soon: on 2026-12-24
`,
  )
  const well = await startScriptedDaemon(t, healthy)
  assert.match((await well.cli(['status'])).stdout, /No cluster links\.\n\nNo mirror topics\.\n\nAll is well\.\n$/)
  const bare = await startScriptedDaemon(t, {
    'GET /1.0': sync({ environment: { ...environment, kafka_cluster_id: null } }),
  })
  const report = JSON.parse((await bare.cli(['status', '-f', 'json'])).stdout)
  assert.equal(report.problems[0], 'The Kafka cluster that this daemon fronts does not answer')
  assert.equal(report.problems.length, 5)
  const forbidden = await startScriptedDaemon(t, { ...healthy, 'GET /1.0/warnings?recursion=1': failed(403, 'no') })
  assert.match((await forbidden.cli(['status'])).stdout, /\n\nAll is well\.\n$/)
})

test('help is there at every level', async (t) => {
  const daemon = await startScriptedDaemon(t, {})
  const bare = await daemon.cli([])
  assert.deepEqual([bare.code, bare.stderr], [0, ''])
  assert.match(bare.stdout, /^Usage: linkspan [\s\S]*cluster .*[\s\S]*Exit codes: 0 done/)
  const group = await daemon.cli(['cluster', 'link'])
  assert.deepEqual([group.code, group.stdout], [2, ''])
  assert.match(group.stderr, /create .*\n[\s\S]*delete\|rm/)
  const [asked, helped] = await Promise.all([
    daemon.cli(['kafka', 'mirror', 'promote', '--help']),
    daemon.cli(['help', 'kafka', 'mirror', 'promote']),
  ])
  assert.equal(asked.stdout, helped.stdout)
  assert.match(asked.stdout, /The exit code is 1 when it failed for any of the topics/)
  const unknown = await daemon.cli(['cluster', 'lnk'])
  assert.deepEqual([unknown.code, unknown.stderr], [2, "Error: unknown command 'lnk'\n(Did you mean link?)\n"])
})

test('a command for the daemon of this machine starts without TLS and certificates', async (t) => {
  const daemon = await startScriptedDaemon(t, { 'GET /1.0/cluster/links?recursion=1': sync([]) })
  const listLoaded = 'process.on("exit",()=>console.error(process.moduleLoadList.join("\\n")))'
  const NODE_OPTIONS = `--import="data:text/javascript,${encodeURIComponent(listLoaded)}"`
  const { code, stderr } = await daemon.cli(['cluster', 'link', 'list'], { env: { NODE_OPTIONS } })
  assert.equal(code, 0)
  assert.match(stderr, /NativeModule http/)
  assert.doesNotMatch(stderr, /NativeModule (tls|crypto|https)$/m)
})

test('on a terminal the editor opens, and again after a refusal', async (t) => {
  const link = { name: 'berlin', description: 'old', type: 'bidirectional', config: { 'user.a': '1' }, used_by: [] }
  const path = '/1.0/cluster/links/berlin'
  const daemon = await startScriptedDaemon(t, {
    [`GET ${path}`]: sync(link, { etag: '"e"' }),
    [`PUT ${path}`]: [failed(400, 'user.a is not to be 2'), sync({})],
  })
  const editor = join(daemon.stateDir, 'editor.sh')
  const script = `sed -i 's/^description: old/description: new/; s/a: "2"/a: "3"/; s/a: "1"/a: "2"/' "$1"`
  await writeFile(editor, script)
  const command = `'${process.execPath}' '${cliMain}' cluster link edit berlin`
  const env = { LINKSPAN_DIR: daemon.stateDir, LINKSPAN_CONF: daemon.stateDir, VISUAL: `sh ${editor}` }
  const { code, stdout } = await run('script', ['-qec', command, '/dev/null'], { env, input: '\n' })
  assert.equal(code, 0, stdout)
  assert.match(stdout, /Error: user.a is not to be 2\r?\nPress enter to open the editor again/)
  assert.match(stdout, /Cluster link berlin updated/)
  const puts = daemon.requests.filter(({ line }) => line.startsWith('PUT'))
  assert.deepEqual(
    puts.map(({ body, headers }) => [body, headers['if-match']]),
    ['2', '3'].map((value) => [{ description: 'new', config: { 'user.a': value } }, '"e"']),
  )
  const refusing = await startScriptedDaemon(t, {
    [`GET ${path}`]: sync(link),
    [`PUT ${path}`]: failed(412, 'changed'),
  })
  const given = { ...env, LINKSPAN_DIR: refusing.stateDir }
  const gaveUp = await run('script', ['-qec', command, '/dev/null'], { env: given, input: '\u0004' })
  assert.equal(gaveUp.code, 1)
  const [, kept = ''] = /Nothing was changed, the text is in (\S+\.yaml)/.exec(gaveUp.stdout) ?? []
  assert.match(await readFile(kept, 'utf8'), /\ndescription: new\n/)
  await rm(dirname(kept), { recursive: true })
})
