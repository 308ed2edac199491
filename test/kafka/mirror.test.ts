import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { describeTopicConfigs } from '../../src/kafka/admin/configs.ts'
import { commitGroupOffsets, fetchGroupOffsets } from '../../src/kafka/admin/group-offsets.ts'
import { produceBatch } from '../../src/kafka/admin/produce.ts'
import { createPartitions, deleteRecords, deleteTopics, describeTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { buildBatch } from '../../src/records/build.ts'
import { waitFor } from '../support/process.ts'
import { kafkaAvailable } from './jars.ts'
import { type MirrorWorld, openWorld } from './mirror-world.ts'
import { batchOf, batchProducerId } from './own-client.ts'
import { kafkajs, produce } from './produce.ts'
import { adminOf, assertSameLog, fill, makeTopic, specOf } from './raw-log.ts'
import { sharedKafka } from './shared.ts'
import type { KafkaAddress } from './tools.ts'

const available = await kafkaAvailable()

describe('mirrors between real clusters', available, () => {
  let from: KafkaAddress
  let to: KafkaAddress
  let source: KafkaCluster
  let destination: KafkaCluster
  let world: MirrorWorld
  /** At the source, to link back. */
  let other: MirrorWorld

  before(async () => {
    ;[from, to] = await Promise.all([sharedKafka('3.9'), sharedKafka('4')])
    source = adminOf(from)
    destination = adminOf(to)
    world = await openWorld({ destination: specOf(to.bootstrap) })
    other = await openWorld({ destination: specOf(from.bootstrap) })
    await world.link('plain', from.bootstrap)
  })

  after(async () => {
    for (const one of [world, other, source, destination]) await one?.[Symbol.asyncDispose]()
  })

  /** A topic of the source with a little in it, and its mirror, equal. */
  async function mirrored(topic: string, partitions = 1): Promise<void> {
    await makeTopic(source, topic, partitions)
    for (let partition = 0; partition < partitions; partition += 1) {
      await fill(source, topic, partition, { batches: 4, records: 5 })
    }
    await world.mirrors.create({ link: 'plain', sourceTopic: topic })
    await world.caughtUp('plain', topic, 20 * partitions)
  }

  const plainLink = () => world.links.require('plain')

  async function assertSame(topic: string, partitions: number): Promise<void> {
    for (let partition = 0; partition < partitions; partition += 1) {
      await assertSameLog({ cluster: source, topic }, { cluster: destination, topic }, partition)
    }
  }

  test('a mirror is equal, and follows offsets, partitions and configs until it is promoted', async () => {
    const topic = 'mirror-life'
    await makeTopic(source, topic, 2, { 'retention.ms': '604800000', 'segment.bytes': '2097152' })
    await fill(source, topic, 0, { batches: 20, records: 5, codec: 'lz4' })
    await fill(source, topic, 1, { batches: 10, records: 5 })
    await commit(source, 'life-readers', topic, 0, 42)
    await commitBeyondLogs(from, 'life-readers', topic, 1)
    await commit(source, 'life-others', topic, 0, 7)
    await world.link('life', from.bootstrap, {
      'consumer.offset.sync.enable': 'true',
      'consumer.offset.sync.ms': '1000',
      'consumer.offset.group.filters':
        '{"groupFilters":[{"name":"life-","patternType":"PREFIXED","filterType":"INCLUDE"}]}',
    })
    const made = await world.mirrors.create({ link: 'life', sourceTopic: topic })
    assert.equal(made?.row.state.name, 'ACTIVE')
    await world.caughtUp('life', topic, 150)
    await assertSame(topic, 2)
    assert.equal((await configs(destination, topic)).get('retention.ms'), '-1')
    await waitFor(async () => (await committed(destination, 'life-readers', topic, 0)) === 42, { what: 'the offset' })
    await waitFor(async () => (await committed(destination, 'life-others', topic, 0)) === 7, {
      what: 'the other offset',
    })
    const told = () => world.mirrors.linkView(world.links.require('life')).tasks.flatMap(({ errors }) => errors)
    await waitFor(() => told().length > 0, { what: 'the error of the task' })
    assert.match(told()[0]?.message ?? '', /Group life-readers .* 9223372036854775807 .* mirror-life-1/)
    assert.equal(await committed(destination, 'life-readers', topic, 1), undefined)
    await commit(source, 'life-readers', topic, 1, 3)
    unwrap((await createPartitions(source, [{ name: topic, partitions: 3 }]))[0])
    await fill(source, topic, 2, { batches: 4, records: 5 })
    await world.caughtUp('life', topic, 170)
    await assertSame(topic, 3)
    const { topicsCreated, groupOffsets } = world.mirrors.footprint()
    assert.ok(topicsCreated.some((one) => one.topic === topic))
    assert.deepEqual(groupOffsets.filter(({ group }) => group === 'life-readers')[0]?.topics, [topic])

    await world.mirrors.promote(world.links.require('life'), topic)
    const stopped = await world.until('life', topic, 'STOPPED')
    assert.deepEqual(
      stopped.row.stop?.partitions.map(({ end, sourceHighWatermark }) => [end, sourceHighWatermark]),
      [
        [100, 100],
        [50, 50],
        [20, 20],
      ],
    )
    assert.ok(stopped.lags.every(({ lagRecords }) => lagRecords === 0))
    const after = await configs(destination, topic)
    assert.equal(after.get('retention.ms'), '604800000')
    assert.equal(after.get('segment.bytes'), '2097152')
    assert.equal(after.has('compression.type'), false)
    assert.equal(await committed(destination, 'life-readers', topic, 0), 42)
    assert.equal(await committed(destination, 'life-readers', topic, 1), 3)
  })

  test('pause, resume and restarts of the daemon lose nothing; verify proves it', async () => {
    const topic = 'mirror-pause'
    await mirrored(topic, 2)
    await world.mirrors.pause(plainLink(), topic)
    await fill(source, topic, 0, { batches: 3, records: 5, seed: 'paused' })
    assert.equal(world.view('plain', topic).row.state.name, 'PAUSED')
    await world.mirrors.resume(plainLink(), topic)
    await world.caughtUp('plain', topic, 55)
    await world.links.alterConfig('plain', [{ name: 'cluster.link.paused', value: 'true' }])
    await world.until('plain', topic, 'LINK_PAUSED')
    await world.restart()
    assert.equal(world.view('plain', topic).row.state.name, 'LINK_PAUSED')
    await fill(source, topic, 1, { batches: 2, records: 5, seed: 'restart' })
    await world.links.alterConfig('plain', [{ name: 'cluster.link.paused', value: 'false' }])
    await world.until('plain', topic, 'ACTIVE')
    await world.caughtUp('plain', topic, 65)
    await assertSame(topic, 2)
    const proof = await world.mirrors.verify(world.view('plain', topic))
    assert.ok(proof.equal && proof.complete)
    assert.deepEqual(
      proof.partitions.map(({ records, digest }) => [records, digest.source === digest.destination]),
      [
        [35, true],
        [30, true],
      ],
    )
  })

  test('a foreign record fails the mirror within a second, with its offset and who wrote it', async () => {
    const topic = 'mirror-foreign'
    await mirrored(topic)
    const startedMs = performance.now()
    await produceBatch(destination, { topic, partition: 0 }, batchOf('foreign'))
    const failed = await world.until('plain', topic, 'FAILED')
    assert.ok(performance.now() - startedMs < 1500, `${performance.now() - startedMs} ms`)
    assert.ok(failed.row.state.name === 'FAILED')
    const { failure } = failed.row.state
    assert.equal(failure.code, 'foreign-write')
    assert.equal(failure.offset, 20)
    assert.match(failure.message, new RegExp(String(batchProducerId)))
    // Behind the source's end, and then in the place of one of its records.
    for (let round = 0; round < 2; round += 1) {
      const proof = await world.mirrors.verify(failed)
      assert.deepEqual([proof.equal, proof.partitions[0]?.firstDifference?.offset], [false, 20])
      await fill(source, topic, 0, { batches: 1, records: 1, seed: 'own' })
    }
    await assert.rejects(world.mirrors.promote(plainLink(), topic), { code: 'state-conflict' })
    await world.mirrors.failover(plainLink(), topic)
    await world.until('plain', topic, 'STOPPED')
  })

  test('another topic of the same name is never mixed in, on either side; a deleted mirror is forgotten', async () => {
    for (const topic of ['mirror-source-again', 'mirror-here-again', 'mirror-gone']) await mirrored(topic)
    unwrap((await deleteTopics(source, ['mirror-source-again']))[0])
    await makeAgain(source, 'mirror-source-again')
    const changed = await world.until('plain', 'mirror-source-again', 'FAILED', 30_000)
    assert.equal(changed.row.state.name === 'FAILED' && changed.row.state.failure.topicError, 'SOURCE_TOPIC_ID_CHANGED')

    await world.mirrors.pause(plainLink(), 'mirror-here-again')
    unwrap((await deleteTopics(destination, ['mirror-here-again']))[0])
    await makeAgain(destination, 'mirror-here-again')
    const here = await world.until('plain', 'mirror-here-again', 'FAILED', 30_000)
    assert.equal(here.row.state.name === 'FAILED' && here.row.state.failure.code, 'destination-changed')

    unwrap((await deleteTopics(destination, ['mirror-gone']))[0])
    const isGone = () => !world.mirrors.list(plainLink()).some(({ row }) => row.topic === 'mirror-gone')
    await waitFor(isGone, { timeoutMs: 20_000, what: 'the mirror forgotten' })
  })

  test('what cannot be exact is refused before anything is made', async () => {
    await makeTopic(source, 'mirror-stamped', 1, { 'message.timestamp.type': 'LogAppendTime' })
    await makeTopic(source, 'mirror-cut', 1)
    await fill(source, 'mirror-cut', 0, { batches: 2, records: 5 })
    unwrap((await deleteRecords(source, [{ topic: 'mirror-cut', partition: 0, offset: 5 }]))[0])
    await makeTopic(source, 'mirror-transactions', 1)
    const records = [{ key: 'k', value: 'v', partition: 0 }]
    await produce(from, 'mirror-transactions', records, { transactionalId: 'mirror-test' })
    for (const [topic, reason] of [
      ['mirror-stamped', /LogAppendTime/],
      ['mirror-cut', /begins at offset 5/],
      ['mirror-transactions', /transaction/],
    ] as const) {
      await assert.rejects(world.mirrors.create({ link: 'plain', sourceTopic: topic }), {
        code: 'not-exact',
        message: reason,
      })
      assert.ok((await describeTopics(destination, [topic]))[0]?.error, `${topic} was made`)
    }
    const create = (change: object) => world.mirrors.create({ link: 'plain', sourceTopic: 'mirror-cut', ...change })
    await assert.rejects(create({ sourceTopic: 'mirror-none' }), { code: 'kafka-unknown-topic' })
    await assert.rejects(create({ topic: 'renamed' }), { code: 'unsupported' })
    await assert.rejects(create({ sourceTopic: '__consumer_offsets' }), { code: 'invalid-request' })
    await makeTopic(source, 'mirror-fine', 1)
    const fine = { sourceTopic: 'mirror-fine' }
    await assert.rejects(create({ ...fine, replicationFactor: 3 }), /larger than available brokers: 1/)
    await assert.rejects(create({ ...fine, configs: { 'cleanup.policy': 'compact' } }), { code: 'invalid-config' })
    assert.equal(await create({ ...fine, validateOnly: true }), undefined)
    await create({ ...fine, configs: { 'min.insync.replicas': '1' } })
    await assert.rejects(create(fine), /Topic 'mirror-fine' already exists\./)
  })

  test('a promotion waits while the source is written to, and says so', async () => {
    const topic = 'mirror-busy'
    await mirrored(topic)
    const writing = new AbortController()
    const writer = (async () => {
      while (!writing.signal.aborted) await fill(source, topic, 0, { batches: 1, records: 1 })
    })()
    await world.mirrors.promote(plainLink(), topic)
    const blocked = () => world.view('plain', topic).transitionErrors.length > 0
    await waitFor(blocked, { what: 'an error of the transition' })
    assert.equal(world.view('plain', topic).row.state.name, 'PENDING_STOPPED')
    assert.match(world.view('plain', topic).transitionErrors[0]!.message, /still (written|lacks)/)
    await world.restart()
    assert.equal(world.view('plain', topic).row.state.name, 'PENDING_STOPPED')
    writing.abort()
    await writer
    await world.until('plain', topic, 'STOPPED', 30_000)
    await assertSame(topic, 1)
  })

  test('a promoted mirror is linked back, adopted and promoted, twice, with nothing lost', async () => {
    const topic = 'mirror-there-and-back'
    await mirrored(topic)
    await other.link('back', to.bootstrap)
    const sides = [
      { to: other, link: 'back', writer: destination },
      { to: world, link: 'plain', writer: source },
    ]
    await world.mirrors.promote(plainLink(), topic)
    await world.until('plain', topic, 'STOPPED')
    let records = 20
    for (const [round, { to: side, link, writer }] of [...sides, ...sides].entries()) {
      await fill(writer, topic, 0, { batches: 2, records: 5, seed: `round ${round}` })
      records += 10
      const adopted = await side.mirrors.create({ link, sourceTopic: topic, adopt: true })
      assert.equal(adopted?.row.adopted, true)
      await side.caughtUp(link, topic, records)
      await side.mirrors.promote(side.links.require(link), topic)
      await side.until(link, topic, 'STOPPED')
    }
    await assertSame(topic, 1)
  })

  test('only a copy is adopted: a difference is named with its offset, other cuts do not matter', async () => {
    const topic = 'mirror-copies'
    await makeTopic(source, topic, 1)
    await makeTopic(destination, topic, 1)
    const rows = ['a', 'b', 'c', 'd'].map((text, index) => {
      return { timestampMs: 1_700_000_000_000 + index, key: null, value: Buffer.from(text) }
    })
    const at = { topic, partition: 0 }
    await produceBatch(source, at, buildBatch(rows, { codec: 'gzip' }))
    await produceBatch(destination, at, buildBatch(rows.slice(0, 2)))
    await produceBatch(destination, at, buildBatch(rows.slice(2, 3)))
    await world.mirrors.create({ link: 'plain', sourceTopic: topic, adopt: true, validateOnly: true })
    await produceBatch(destination, at, buildBatch([{ ...rows[3]!, value: Buffer.from('x') }]))
    await assert.rejects(world.mirrors.create({ link: 'plain', sourceTopic: topic, adopt: true }), {
      code: 'difference',
      message: /at offset 3 the value/,
    })
    await produceBatch(destination, at, batchOf('tail'))
    await assert.rejects(world.mirrors.create({ link: 'plain', sourceTopic: topic, adopt: true }), /ends at offset 5/)
    const missing = { link: 'plain', sourceTopic: 'mirror-busy-not', adopt: true }
    await assert.rejects(world.mirrors.create(missing), { code: 'kafka-unknown-topic' })
  })

  test('records that the source deletes go here too', async () => {
    const topic = 'mirror-retention'
    await mirrored(topic)
    unwrap((await deleteRecords(source, [{ topic, partition: 0, offset: 8 }]))[0])
    await world.restart()
    const starts = async () => (await world.mirrors.verify(world.view('plain', topic))).partitions[0]?.start
    await waitFor(async () => (await starts())?.destination === 8, { timeoutMs: 20_000, what: 'the log start' })
    assert.equal((await starts())?.equal, true)
  })

  test('a link with live mirrors is deleted by force only, which makes them ordinary topics', async () => {
    const topic = 'mirror-forced'
    await world.link('forced', from.bootstrap)
    await makeTopic(source, topic, 1)
    await world.mirrors.create({ link: 'forced', sourceTopic: topic })
    await assert.rejects(world.links.delete('forced'), { code: 'in-use', message: /mirror-forced/ })
    await world.links.delete('forced', { force: true })
    await waitFor(() => !world.mirrors.list().some(({ row }) => row.topic === topic), { what: 'the history gone' })
    assert.equal((await configs(destination, topic)).size, 0)
  })

  async function makeAgain(cluster: KafkaCluster, topic: string): Promise<void> {
    await waitFor(() => makeTopic(cluster, topic, 1), { what: `${topic} made again` })
  }
})

async function commit(cluster: KafkaCluster, group: string, topic: string, partition: number, offset: number) {
  const [outcome] = await commitGroupOffsets(cluster, [{ group, offsets: [{ topic, partition, offset }] }])
  assert.deepEqual(unwrap(outcome).failed, [])
}

/** As a foreign client can: brokers do not look at the offset. */
async function commitBeyondLogs(kafka: KafkaAddress, groupId: string, topic: string, partition: number) {
  const admin = kafkajs(kafka).admin()
  await admin.connect()
  await admin.setOffsets({ groupId, topic, partitions: [{ partition, offset: String(2n ** 63n - 1n) }] })
  await admin.disconnect()
}

async function committed(cluster: KafkaCluster, group: string, topic: string, partition: number) {
  const [found] = await fetchGroupOffsets(cluster, [{ group }])
  return unwrap(found).offsets.find((one) => one.topic === topic && one.partition === partition)?.offset
}

/** What is set on the topic itself. */
async function configs(cluster: KafkaCluster, topic: string): Promise<Map<string, string | null>> {
  unwrap((await describeTopics(cluster, [topic]))[0])
  const entries = unwrap((await describeTopicConfigs(cluster, [topic]))[0])
  return new Map(entries.filter((entry) => entry.source === 'topic').map(({ name, value }) => [name, value]))
}
