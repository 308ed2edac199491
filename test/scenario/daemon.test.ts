import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { createCertificate } from '../../src/identity/certificate.ts'
import { fetchBatches } from '../../src/kafka/admin/fetch.ts'
import { produceBatch } from '../../src/kafka/admin/produce.ts'
import { createTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { openCluster } from '../../src/kafka/open-cluster.ts'
import { buildBatch } from '../../src/records/build.ts'
import { parseAddress } from '../../src/transport/address.ts'
import type { DirectSpec, TunnelSpec } from '../../src/transport/spec.ts'
import { metadata } from '../../src/wire/api/03-metadata.ts'
import { type Daemon, embeddedBroker, noKafka, startDaemon } from '../support/daemon.ts'
import { FakeKafka } from '../support/fake-kafka.ts'
import { linkDaemons, mintLinkToken, useLinkToken } from '../support/link-calls.ts'
import { freePorts } from '../support/ports.ts'
import { run, startProcess, waitFor } from '../support/process.ts'
import { revealingKafka } from '../support/revealing-kafka.ts'

const launcher = resolve(import.meta.dirname, '../../bin/linkspand')

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function kafkaOf(clusterId: string, port?: number): Promise<FakeKafka> {
  const kafka = await new FakeKafka().listen(port)
  kafka.on(metadata, ({ answer }) => {
    const brokers = [{ nodeId: 1, host: '127.0.0.1', port: kafka.port, rack: null }]
    answer({ brokers, clusterId, controllerId: 1, topics: [] })
  })
  return kafka
}

test('the id of the Kafka stands in the first ready.json when it answers', async () => {
  await using kafka = await kafkaOf('KAFKA-1')
  await using daemon = await startDaemon({ kafka: `127.0.0.1:${kafka.port}` })
  assert.equal(daemon.ready.kafkaClusterId, 'KAFKA-1')
  assert.equal(daemon.ready.kafka, `127.0.0.1:${kafka.port}`)
  assert.equal((await daemon.client.server.get()).value.environment?.kafka_cluster_id, 'KAFKA-1')
})

test('a Kafka that comes later is noticed; another one in its place is not taken for it', async (t) => {
  const directory = join(await folder(t), 'state')
  const [port] = await freePorts(1)
  const options = { stateDir: directory, kafka: `127.0.0.1:${port}` }
  {
    await using daemon = await startDaemon(options)
    assert.equal(daemon.ready.kafkaClusterId, null)
    assert.match(daemon.process.stderr, /Kafka is not reached yet; it is tried until it is/)
    await using _kafka = await kafkaOf('KAFKA-1', port)
    await waitFor(async () => (await daemon.readReady()).kafkaClusterId === 'KAFKA-1', { what: 'the id in ready.json' })
  }
  await using _other = await kafkaOf('KAFKA-2', port)
  await using daemon = await startDaemon(options)
  assert.equal(daemon.ready.kafkaClusterId, 'KAFKA-1')
  await daemon.process.waitForOutput(/another Kafka than the one that this state belongs to.*KAFKA-2/)
})

test('it does not start with what it cannot use, and says why', async (t) => {
  const directory = await folder(t)
  const state = ['--state-dir', join(directory, 'state'), '--listen', '127.0.0.1:0']
  await writeFile(join(directory, 'bad.properties'), 'security.protocol=NONSENSE\n')
  await mkdir(join(directory, 'file'))
  await writeFile(join(directory, 'file', 'linkspand.json'), '{"lisen":"x"}')
  const deep = join(directory, 'd'.repeat(90), 'state')
  const cases: [string[], number, RegExp][] = [
    [[...state, '--kafka', noKafka, '--broker-listen', 'x:1'], 2, /--broker-listen is about the embedded broker/],
    [[...state, '--kafka-config', join(directory, 'none')], 2, /--kafka-config is about a Kafka that is not given/],
    [[...state, '--broker-config', join(directory, 'none')], 1, /none cannot be read \(ENOENT\)/],
    [[...state, '--broker-listen', '192.0.2.1:0'], 1, /would listen on 192\.0\.2\.1:0 for anybody.*security\.protocol/],
    [[...state, '--nonsense'], 2, /--nonsense.*--help/],
    [['--state-dir', join(directory, 'file')], 2, /unknown key "lisen"/],
    [[...state, '--kafka', noKafka, '--kafka-config', join(directory, 'none')], 1, /none cannot be read \(ENOENT\)/],
    [[...state, '--kafka', noKafka, '--kafka-config', join(directory, 'bad.properties')], 1, /security.protocol/],
    [[...state, '--kafka', noKafka, '--listen', '192.0.2.1:0'], 1, /no address of this host.*--listen/],
    [['--state-dir', deep, '--listen', '127.0.0.1:0', '--kafka', noKafka], 1, /longer than 107 bytes.*shorter path/],
  ]
  for (const [args, code, says] of cases) {
    const result = await run(launcher, args)
    assert.equal(result.code, code, `${args}: ${result.stderr}`)
    assert.match(result.stderr, says)
    assert.equal(result.stdout, '')
  }
  const help = await run(launcher, ['--help'])
  assert.equal(help.code, 0)
  assert.match(help.stdout, /--kafka-gateway-config FILE/)
})

test('the launcher is found through links of links, and leaves no shell behind', async (t) => {
  const directory = await folder(t)
  await symlink(launcher, join(directory, 'one'))
  await symlink('one', join(directory, 'two words'))
  const version = await run(join(directory, 'two words'), ['--version'], { cwd: '/' })
  assert.deepEqual([version.code, version.stdout], [0, '0.1.0\n'])
  const args = ['--state-dir', join(directory, 'state'), '--listen', '127.0.0.1:0', '--kafka', noKafka]
  await using child = startProcess(join(directory, 'two words'), args)
  await child.waitForOutput(/^linkspand is ready: https:\/\/127\.0\.0\.1:\d+ \([0-9a-f]{12}\), Kafka 127\.0\.0\.1:1$/m)
  const ready = JSON.parse(await readFile(join(directory, 'state', 'ready.json'), 'utf8')) as { pid: number }
  assert.equal(ready.pid, child.pid)
  assert.deepEqual(await child.stop(), { code: 0, signal: null })
})

test('systemd is told of the start and of the stop', async (t) => {
  const directory = await folder(t)
  const told = join(directory, 'told')
  await writeFile(join(directory, 'systemd-notify'), `#!/bin/sh\necho "$@" >> '${told}'\n`)
  await chmod(join(directory, 'systemd-notify'), 0o755)
  const env = { NOTIFY_SOCKET: '@linkspan-test', PATH: `${directory}:${process.env.PATH}` }
  await using daemon = await startDaemon({ env })
  await waitFor(async () => (await readFile(told, 'utf8')).includes('READY=1'))
  await daemon.stop()
  const { pid } = daemon.process
  assert.equal(await readFile(told, 'utf8'), `--pid=${pid} READY=1\n--pid=${pid} STOPPING=1\n`)
})

test('the state directory is for its owner and one daemon alone', async () => {
  await using daemon = await startDaemon()
  assert.equal((await stat(daemon.stateDir)).mode & 0o777, 0o700)
  for (const name of ['unix.socket', 'http.socket', 'cluster.key', 'host.key', 'seal.key', 'ready.json']) {
    assert.equal((await stat(join(daemon.stateDir, name))).mode & 0o077, 0, name)
  }
  await assert.rejects(startDaemon({ stateDir: daemon.stateDir }), (error: Error) => {
    return /in use by another linkspand: stop that one, or choose another/.test(error.message)
  })
  assert.equal((await daemon.readReady()).pid, daemon.ready.pid)
  assert.equal((await daemon.client.server.get()).value.auth, 'trusted')
})

test('SIGTERM: requests in flight are answered, ready.json goes, exit 0', async () => {
  await using daemon = await startDaemon({ name: 'short-lived' })
  const events = daemon.http({ method: 'GET', path: '/1.0' })
  const startedMs = performance.now()
  const [exit, answer] = await Promise.all([daemon.kill('SIGTERM'), events])
  assert.equal(answer.status, 200)
  assert.deepEqual(exit, { code: 0, signal: null })
  assert.ok(performance.now() - startedMs < 10_000)
  for (const name of ['ready.json', 'unix.socket', 'http.socket']) {
    assert.ok(!existsSync(join(daemon.stateDir, name)), `${name} is left`)
  }
})

test('a flag counts before the environment, and that before the file', async (t) => {
  const stateDir = join(await folder(t), 'state')
  await mkdir(stateDir, { mode: 0o700 })
  await writeFile(join(stateDir, 'linkspand.json'), JSON.stringify({ name: 'file', 'log-format': 'json' }))
  const nameOf = async (options: Parameters<typeof startDaemon>[0]) => {
    await using daemon = await startDaemon({ ...options, stateDir })
    assert.ok(JSON.parse(daemon.process.stderr.split('\n')[0]!))
    return (await daemon.client.server.get()).value.environment?.server_name
  }
  assert.equal(await nameOf({}), 'file')
  assert.equal(await nameOf({ env: { LINKSPAN_NAME: 'variable' } }), 'variable')
  assert.equal(await nameOf({ env: { LINKSPAN_NAME: 'variable' }, name: 'flag' }), 'flag')
})

test('without a Kafka the embedded broker runs: for clients, for us, and for the same state only', async (t) => {
  const stateDir = join(await folder(t), 'state')
  let first: Daemon['ready']
  {
    await using daemon = await startDaemon({ stateDir, kafka: embeddedBroker })
    first = daemon.ready
    assert.match(first.kafka, /^127\.0\.0\.1:\d+$/)
    assert.match(first.kafkaClusterId!, /^[\w-]{22}$/)
    await using cluster = kafkaAt(first.kafka)
    assert.equal(await cluster.clusterId(), first.kafkaClusterId)
    await createTopics(cluster, [{ name: 'orders', partitions: 2 }])
    const rows = [{ timestampMs: 1, key: null, value: Buffer.from('kept') }]
    const { baseOffset } = await produceBatch(cluster, { topic: 'orders', partition: 1 }, buildBatch(rows))
    assert.equal(baseOffset, 0)
    assert.equal((await stat(join(stateDir, 'kafka.socket'))).mode & 0o777, 0o600)
    const startedMs = performance.now()
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null })
    assert.ok(performance.now() - startedMs < 10_000)
  }
  {
    await using daemon = await startDaemon({ stateDir, kafka: embeddedBroker })
    assert.equal(daemon.ready.kafkaClusterId, first.kafkaClusterId)
    await using cluster = kafkaAt(daemon.ready.kafka)
    assert.equal((await cluster.topic('orders')).partitions.length, 2)
    // Killed, it comes up again with what was acknowledged.
    await daemon.kill('SIGKILL')
  }
  await using daemon = await startDaemon({ stateDir, kafka: embeddedBroker })
  await using cluster = kafkaAt(daemon.ready.kafka)
  const { records, highWatermark } = await fetchBatches(cluster, { topic: 'orders', partition: 1, offset: 0 })
  assert.equal(highWatermark, 1)
  assert.ok(records.includes('kept'))
})

test('state of another Kafka does not fall to the embedded broker', async (t) => {
  const stateDir = join(await folder(t), 'state')
  await using kafka = await kafkaOf('KAFKA-1')
  await (await startDaemon({ stateDir, kafka: `127.0.0.1:${kafka.port}` }))[Symbol.asyncDispose]()
  await assert.rejects(startDaemon({ stateDir, kafka: embeddedBroker }), (error: Error) => {
    return /that of the Kafka cluster KAFKA-1, which is not the embedded broker: give .*--kafka/.test(error.message)
  })
  assert.ok(!existsSync(join(stateDir, 'broker')))
})

test('identities reach the embedded broker with their certificates until they are deleted', async (t) => {
  const file = join(await folder(t), 'broker.properties')
  await writeFile(file, 'security.protocol=SSL\n')
  await using daemon = await startDaemon({ kafka: embeddedBroker, args: ['--broker-config', file] })
  const own = await createCertificate({ commonName: 'me', hostNames: [], addresses: [], clock: systemClock })
  const ca = await readFile(join(daemon.stateDir, 'cluster.crt'), 'utf8')
  const tls = { ...own, ca, verifyHost: true }
  await using early = kafkaAt(daemon.ready.kafka, tls)
  await assert.rejects(early.clusterId({ deadlineMs: 700 }))
  await daemon.client.identities.create({ name: 'me', certificate: own.certificatePem, groups: [] })
  await using cluster = kafkaAt(daemon.ready.kafka, tls)
  assert.equal(await cluster.clusterId(), daemon.ready.kafkaClusterId)
  const connection = await cluster.connection({ to: 'any' })
  await daemon.client.identities.delete('me')
  const startedMs = performance.now()
  await connection.closed
  assert.ok(performance.now() - startedMs < 1000)
  await assert.rejects(cluster.refresh('all', { deadlineMs: 700 }))
})

function kafkaAt(address: string, tls?: DirectSpec['tls']): KafkaCluster {
  const bootstrap = [parseAddress(address)]
  const spec: DirectSpec = { reach: 'kafka', clientId: 'test', bootstrap, ...(tls ? { tls } : {}) }
  return openCluster(spec, { clock: systemClock, log: silentLog, deadlineMs: 10_000 })
}

/** A reads what B fronts, as its groups there may. */
let a: Daemon
let b: Daemon
let kafka: FakeKafka

before(async () => {
  kafka = await revealingKafka().listen()
  ;[a, b] = await Promise.all([
    startDaemon({ name: 'a' }),
    startDaemon({ name: 'b', kafka: `127.0.0.1:${kafka.port}` }),
  ])
})

after(async () => {
  await Promise.all([a?.[Symbol.asyncDispose](), b?.[Symbol.asyncDispose]()])
  await kafka?.[Symbol.asyncDispose]()
})

async function tunnelTo(to: Daemon, from: Daemon): Promise<KafkaCluster> {
  const [certificatePem, privateKeyPem] = await Promise.all(
    ['cluster.crt', 'cluster.key'].map((name) => readFile(join(from.stateDir, name), 'utf8')),
  )
  const { https, fingerprint } = to.ready
  const pins = { certificatePem: certificatePem!, privateKeyPem: privateKeyPem! }
  const spec: TunnelSpec = { reach: 'peer', clientId: 'test', addresses: [https], fingerprint, ...pins }
  return openCluster(spec, { clock: systemClock, log: silentLog, deadlineMs: 3000 })
}

test('a linked cluster reads through the tunnel what its groups may, from the answer of the change on', async () => {
  await using early = await tunnelTo(b, a)
  await assert.rejects(early.clusterId())
  await b.client.groups.create({ name: 'readers', permissions: [] })
  const token = await mintLinkToken(b, 'to-a', { auth_groups: ['readers'] })
  assert.equal((await useLinkToken(a, 'to-b', token)).status, 201)
  const visible = async (cluster: KafkaCluster) => {
    await cluster.refresh('all')
    return [...cluster.cache.topics()].map(({ name }) => name).sort()
  }
  {
    await using cluster = await tunnelTo(b, a)
    assert.deepEqual(await visible(cluster), [])
  }
  const permissions = [{ entity_type: 'topic', url: '/1.0/topics/orders', entitlement: 'can_read' }]
  await b.client.groups.replace('readers', { permissions })
  await using cluster = await tunnelTo(b, a)
  assert.deepEqual(await visible(cluster), ['orders'])
  await b.client.groups.replace('readers', { permissions: [] })
  await using after = await tunnelTo(b, a)
  assert.deepEqual(await visible(after), [])
  await b.client.clusterLinks.delete('to-a')
  await assert.rejects(cluster.refresh('all', { deadlineMs: 1000 }))
  await a.client.clusterLinks.delete('to-b')
  await linkDaemons(a, b, { atOne: 'again', atOther: 'again' })
})
