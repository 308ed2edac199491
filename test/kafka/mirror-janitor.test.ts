import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { describeTopicConfigs } from '../../src/kafka/admin/configs.ts'
import { produceBatch } from '../../src/kafka/admin/produce.ts'
import { describeTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { lateWriteWatchMs } from '../../src/mirror/late-writes.ts'
import { freshPartition, type MirrorRow } from '../../src/mirror/rows.ts'
import { buildBatch } from '../../src/records/build.ts'
import { dataProducerId } from '../../src/records/producer-id.ts'
import { waitFor } from '../support/process.ts'
import { kafkaAvailable } from './jars.ts'
import { type MirrorWorld, openWorld } from './mirror-world.ts'
import { adminOf, fill, makeTopic, specOf } from './raw-log.ts'
import { sharedKafka } from './shared.ts'

const available = await kafkaAvailable()

describe('what a crash has left of a mirror', available, () => {
  let source: KafkaCluster
  let destination: KafkaCluster
  let world: MirrorWorld
  let model: MirrorRow

  before(async () => {
    const [from, to] = await Promise.all([sharedKafka('4'), sharedKafka('3.9')])
    source = adminOf(from)
    destination = adminOf(to)
    world = await openWorld({ destination: specOf(to.bootstrap) })
    await world.link('link', from.bootstrap)
    await makeTopic(source, 'crash-model', 1)
    const made = await world.mirrors.create({ link: 'link', sourceTopic: 'crash-model' })
    model = made!.row
  })

  after(async () => {
    for (const one of [world, source, destination]) await one?.[Symbol.asyncDispose]()
  })

  /** The row of a mirror that is being made, as it is before the topic is. */
  async function pending(topic: string): Promise<MirrorRow> {
    const sourceTopicId = await makeTopic(source, topic, 1)
    await fill(source, topic, 0, { batches: 2, records: 5 })
    return {
      ...model,
      mirrorId: crypto.randomUUID(),
      topic,
      sourceTopic: topic,
      topicId: null,
      sourceTopicId,
      partitions: [freshPartition()],
      state: { name: 'PENDING_MIRROR' },
      intent: { kind: 'create', configs: { 'compression.type': 'producer', 'retention.ms': '-1' } },
    }
  }

  test('a topic that was not made yet is made; one that was, is found and not made twice', async () => {
    const before = await pending('crash-before')
    const between = await pending('crash-between')
    const strange = await pending('crash-strange')
    const { intent } = between
    const configs = intent?.kind === 'create' ? intent.configs : {}
    const topicId = await makeTopic(destination, 'crash-between', 1, configs)
    await makeTopic(destination, 'crash-strange', 2, configs)
    await world.crashedWith(async (book) => {
      for (const row of [before, between, strange]) await book.insert(row)
    })
    await world.caughtUp('link', 'crash-before', 10)
    await world.caughtUp('link', 'crash-between', 10)
    assert.equal(world.view('link', 'crash-between').row.topicId, topicId)
    const isStrange = () => world.mirrors.list().some(({ row }) => row.topic === 'crash-strange')
    await waitFor(() => !isStrange(), { what: 'the mirror whose name was taken given up' })
    unwrap((await describeTopics(destination, ['crash-strange']))[0])
  })

  test('what could not be made goes again, but only what is ours', async () => {
    const row = await pending('crash-abandoned')
    const topicId = await makeTopic(destination, 'crash-abandoned', 1)
    const foreign = await pending('crash-foreign')
    await makeTopic(destination, 'crash-foreign', 1)
    await world.crashedWith(async (book) => {
      await book.insert({ ...row, topicId, intent: { kind: 'abandon' } })
      await book.insert({ ...foreign, topicId: crypto.randomUUID(), intent: { kind: 'abandon' } })
    })
    const isLeft = () => world.mirrors.list().some(({ row: { topic } }) => /abandoned|crash-foreign/.test(topic))
    await waitFor(() => !isLeft(), { what: 'both forgotten' })
    const gone = async () => (await describeTopics(destination, ['crash-abandoned']))[0]?.error
    await waitFor(gone, { what: 'the topic gone' })
    unwrap((await describeTopics(destination, ['crash-foreign']))[0])
  })

  test('a release that had begun is finished, without the source', async () => {
    const row = await pending('crash-release')
    const topicId = await makeTopic(destination, 'crash-release', 1, {
      'retention.ms': '-1',
      'compression.type': 'producer',
    })
    await world.crashedWith(async (book) => {
      await book.insert({
        ...row,
        topicId,
        sourceConfigs: { 'retention.ms': '77000' },
        state: { name: 'PENDING_STOPPED', kind: 'promote' },
        intent: { kind: 'release' },
        stop: { partitions: [{ end: 0, sourceHighWatermark: 0, atMs: 1 }], lateWrite: null },
      })
    })
    await world.until('link', 'crash-release', 'STOPPED')
    const entries = unwrap((await describeTopicConfigs(destination, ['crash-release']))[0])
    const set = entries.filter((entry) => entry.source === 'topic').map(({ name, value }) => [name, value])
    assert.deepEqual(set, [['retention.ms', '77000']])
  })

  test('a write of ours that arrives after the stop is noticed and told', async () => {
    const topic = 'crash-late'
    await makeTopic(source, topic, 1)
    await fill(source, topic, 0, { batches: 2, records: 5 })
    await world.mirrors.create({ link: 'link', sourceTopic: topic })
    await world.caughtUp('link', topic, 10)
    await world.mirrors.promote(world.links.require('link'), topic)
    const { row } = await world.until('link', topic, 'STOPPED')
    assert.ok(lateWriteWatchMs >= 600_000)
    const late = buildBatch([{ timestampMs: Date.now(), key: null, value: Buffer.from('late') }], {
      producerId: dataProducerId(row.mirrorId, 0),
      producerEpoch: 0,
      baseSequence: 10,
    })
    await produceBatch(destination, { topic, partition: 0 }, late)
    const told = () => world.view('link', topic).row.stop?.lateWrite
    assert.match(await waitFor(told, { timeoutMs: 15_000, what: 'the late write' }), /stopped at offset 10/)
    const isEvent = () =>
      world.events.some(({ metadata }) => 'action' in metadata && metadata.action === 'mirror-late-write')
    assert.ok(isEvent())
  })
})
