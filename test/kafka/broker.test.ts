import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { takesConnections } from '../support/ports.ts'
import { startProcess, waitFor } from '../support/process.ts'
import { startKafka } from './broker.ts'
import { kafkaAvailable, kafkaVersions } from './jars.ts'
import { type Codec, codecs, kcatAvailable, kcatConsume, kcatProduce } from './kcat.ts'
import { createTopic, kafkajs, produce } from './produce.ts'
import type { SecurityOptions } from './security.ts'
import { sharedKafka } from './shared.ts'
import { consoleConsume, dumpLog, type KafkaAddress, runTool } from './tools.ts'

const kafka = await kafkaAvailable()
const kcatToo = kafka.skip ? kafka : await kcatAvailable()

for (const version of Object.keys(kafkaVersions) as (keyof typeof kafkaVersions)[]) {
  describe(`Kafka ${kafkaVersions[version]}`, kcatToo, () => {
    test('what kcat writes in five codecs is what the console consumer and kcat read', async () => {
      const cluster = await sharedKafka(version)
      await createTopic(cluster, 'five-codecs')
      for (const codec of codecs) await writeOneOf(codec, cluster)
      const records = await consoleConsume(cluster, 'five-codecs', { records: codecs.length * 2 })
      const expected = codecs.flatMap((codec, index) => [
        { offset: index * 2, key: codec, value: codec.repeat(500), headers: `codec:${codec}` },
        { offset: index * 2 + 1, key: codec, value: null, headers: `codec:${codec}` },
      ])
      assert.deepEqual(
        records.map(({ offset, key, value, headers }) => ({ offset, key, value, headers })),
        expected,
      )
      const read = await kcatConsume(cluster, 'five-codecs')
      assert.deepEqual(
        read.map(({ offset, key, value, headers }) => ({ offset, key, value, headers: headers.flat().join(':') })),
        expected,
      )
      assert.deepEqual(
        records.map(({ timestamp }) => timestamp),
        read.map(({ timestampMs }) => `CreateTime:${timestampMs}`),
      )
    })

    test('kafkajs writes transactions, and only committed ones are seen as such', async () => {
      const cluster = await sharedKafka(version)
      await createTopic(cluster, 'transactions', { partitions: 2, config: { 'retention.ms': '-1' } })
      const record = (value: string) => [{ key: 'b', value, timestampMs: 1_700_000_000_000 }]
      await produce(cluster, 'transactions', record('kept'), { transactionalId: version, gzip: true })
      await produce(cluster, 'transactions', record('dropped'), { transactionalId: version, outcome: 'abort' })
      const committed = await consoleConsume(cluster, 'transactions', { idleMs: 2000, readCommitted: true })
      assert.deepEqual(committed, [
        {
          partition: 0,
          offset: 0,
          timestamp: 'CreateTime:1700000000000',
          headers: 'NO_HEADERS',
          key: 'b',
          value: 'kept',
        },
      ])
    })
  })
}

async function writeOneOf(codec: Codec, cluster: KafkaAddress): Promise<void> {
  const records = [
    { key: codec, value: codec.repeat(500) },
    { key: codec, value: null },
  ]
  await kcatProduce(cluster, 'five-codecs', records, { codec, headers: { codec }, idempotent: codec === 'zstd' })
}

describe('a cluster of its own', kcatToo, () => {
  test('of three nodes survives the SIGKILL of one, which comes back with its data', async () => {
    await using cluster = await startKafka({ version: '4', nodes: 3 })
    await createTopic(cluster, 'replicated', { partitions: 3, config: { 'min.insync.replicas': '2' } })
    await kcatProduce(cluster, 'replicated', [{ key: 'a', value: 'before' }], { idempotent: true })
    const [first] = cluster.nodes
    const { pid, port } = first!
    await cluster.kill(1)
    await kcatProduce(cluster, 'replicated', [{ key: 'a', value: 'meanwhile' }], { idempotent: true })
    await cluster.restart(1)
    assert.equal(first!.port, port)
    assert.notEqual(first!.pid, pid)
    const records = await kcatConsume(cluster, 'replicated')
    assert.deepEqual(
      records.map(({ value }) => value),
      ['before', 'meanwhile'],
    )
    const admin = kafkajs(cluster).admin()
    await admin.connect()
    const inSync = async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: ['replicated'] })
      return topics[0]!.partitions.every(({ isr }) => isr.length === 3)
    }
    await waitFor(inSync, { timeoutMs: 30_000, what: 'every replica in sync again' }).finally(() => admin.disconnect())
  })

  test('keeps a single node’s data over SIGKILL and restart, and leaves nothing behind', async () => {
    const cluster = await startKafka({ version: '3.9', config: { 'log.segment.bytes': '1048576' } })
    await createTopic(cluster, 'kept')
    await kcatProduce(cluster, 'kept', [{ key: 'a', value: 'written before, '.repeat(50) }], { codec: 'lz4' })
    await cluster.kill(1)
    await cluster.restart(1)
    await cluster.kill(1, 'SIGSTOP')
    await cluster.restart(1)
    const [record] = await kcatConsume(cluster, 'kept')
    assert.match(record?.value ?? '', /^written before,/)
    const { dataFolder, pid } = cluster.nodes[0]!
    const dump = await dumpLog('3.9', [join(dataFolder, 'kept-0', '00000000000000000000.log')], { records: true })
    assert.match(dump, /compresscodec: lz4/)
    assert.match(dump, /payload: written before/)
    await cluster.stop()
    assert.equal(existsSync(dirname(dirname(dataFolder))), false)
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  })

  test('tells why it did not start', async () => {
    const start = startKafka({ version: '4', config: { 'log.retention.bytes': 'plenty' } })
    await assert.rejects(
      start,
      /Kafka node 1 ended at its start \(exit code 1\):[\s\S]*plenty[\s\S]*log\.retention\.bytes/,
    )
  })

  test('ends with the process that started it, even a killed one', async () => {
    const script = `
      import { startKafka } from ${JSON.stringify(join(import.meta.dirname, 'broker.ts'))}
      const cluster = await startKafka({ version: '4' })
      console.log('port', cluster.nodes[0].port, cluster.nodes[0].dataFolder, '.')
      setInterval(() => {}, 1000)`
    await using parent = startProcess(process.execPath, ['--input-type=module', '-e', script])
    const [, port, folder] = await parent.waitForOutput(/port (\d+) (\S+) \./, { timeoutMs: 60_000 })
    parent.kill('SIGKILL')
    const gone = async () => !(await takesConnections(Number(port))) && !existsSync(dirname(dirname(folder!)))
    await waitFor(gone, { what: 'the end of the broker and its folder' })
  })
})

describe('listeners', kcatToo, () => {
  const kinds: (SecurityOptions & { name: string; version: '3.9' | '4' })[] = [
    { name: 'TLS', tls: true, version: '3.9' },
    { name: 'SASL PLAIN with an authorizer', sasl: 'PLAIN', authorizer: true, version: '4' },
    {
      name: 'SCRAM-SHA-512 over TLS with an authorizer',
      sasl: 'SCRAM-SHA-512',
      tls: true,
      authorizer: true,
      version: '4',
    },
    { name: 'SCRAM-SHA-256', sasl: 'SCRAM-SHA-256', users: { carol: 'carol-secret' }, version: '3.9' },
  ]
  for (const { name, ...options } of kinds) {
    test(name, async () => {
      await using cluster = await startKafka(options)
      await createTopic(cluster, 'guarded')
      await produce(cluster, 'guarded', [{ key: 'a', value: 'seen' }])
      assert.equal((await read(cluster, {})).length, 1)
      if (options.users) assert.equal((await read(cluster, { user: 'carol' })).length, 1)
      const listed = await runTool(cluster, 'kafka-topics', ['--list'])
      assert.match(listed.stdout, /^guarded$/m)
      if (!options.authorizer) return
      await assert.rejects(read(cluster, { user: 'alice' }), /authoriz/i)
      const grant = ['--add', '--allow-principal', 'User:alice', '--operation', 'READ', '--topic', 'guarded']
      await runTool(cluster, 'kafka-acls', [...grant, '--group', '*'])
      assert.equal((await read(cluster, { user: 'alice' })).length, 1)
    })
  }

  /** kcat cannot do SCRAM with Kafka 4. */
  function read(cluster: KafkaAddress, { user }: { user?: string }): Promise<unknown[]> {
    const options = user ? { user } : {}
    const scram = cluster.config()['sasl.mechanism']?.startsWith('SCRAM') && cluster.version === '4'
    if (scram) return consoleConsume(cluster, 'guarded', { records: 1, ...options })
    return kcatConsume(cluster, 'guarded', options)
  }
})

/** Sends one record, and another one when it is told to. */
const slowProducer = `
  import { kafkajs } from ${JSON.stringify(join(import.meta.dirname, 'produce.ts'))}
  const config = () => ({ 'bootstrap.servers': process.env.BOOTSTRAP })
  const producer = kafkajs({ version: '4', bootstrap: '', config }).producer()
  await producer.connect()
  const send = (value) => producer.send({ topic: 'held', messages: [{ value }] })
  await send('second')
  process.stdin.once('data', () => send('third'))
  console.log('sent')`

describe('the proxy before a cluster', kcatToo, () => {
  test('keeps clients on it, holds what they produce, and lets go of it after their end', async () => {
    await using cluster = await startKafka({
      version: '4',
      proxied: true,
      authorizer: true,
      superUsers: ['User:ANONYMOUS'],
    })
    const [proxy] = cluster.proxies
    await createTopic(cluster, 'held')
    await kcatProduce(cluster, 'held', [{ key: 'a', value: 'first' }])
    assert.ok(proxy!.accepted >= 2)

    await using producer = startProcess(process.execPath, ['--input-type=module', '-e', slowProducer], {
      env: { BOOTSTRAP: cluster.bootstrap },
      openInput: true,
    })
    await producer.waitForOutput(/sent/)
    assert.equal((await kcatConsume(cluster.behind, 'held')).length, 2)
    proxy!.hold()
    producer.stdin!.write('go on')
    await waitFor(() => proxy!.heldBytes > 0, { what: 'held bytes' })
    producer.kill('SIGKILL')
    await producer.waitForExit()
    const accepted = proxy!.accepted
    assert.equal((await kcatConsume(cluster.behind, 'held')).length, 2)
    assert.equal(proxy!.accepted, accepted, 'a direct client stays off the proxy')
    proxy!.release()
    await waitFor(async () => (await kcatConsume(cluster.behind, 'held')).length === 3, { what: 'the late record' })
    await waitFor(() => proxy!.connections === 0, { what: 'the end of every connection' })
  })
})

test('a cache folder of its own is filled once by processes that start together', kafka, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-cache-'))
  const script = `
    import { cached } from ${JSON.stringify(join(import.meta.dirname, 'cache.ts'))}
    import { writeFile } from 'node:fs/promises'
    import { setTimeout } from 'node:timers/promises'
    await cached('thing', async (folder) => {
      console.log('filled')
      await setTimeout(300)
      await writeFile(folder + '/x', '')
    })
    console.log('done')`
  const env = { LINKSPAN_TEST_CACHE: folder }
  const children = [1, 2, 3].map(() => startProcess(process.execPath, ['--input-type=module', '-e', script], { env }))
  const exits = await Promise.all(children.map((child) => child.waitForExit()))
  assert.deepEqual(
    exits.map(({ code }) => code),
    [0, 0, 0],
  )
  const output = children.map((child) => child.stdout).join('')
  assert.equal(output.match(/filled/g)?.length, 1)
  assert.equal(output.match(/done/g)?.length, 3)
  await rm(folder, { recursive: true })
})
