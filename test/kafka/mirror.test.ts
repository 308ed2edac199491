import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { describeTopicConfigs } from '../../src/kafka/admin/configs.ts'
import { commitGroupOffsets, fetchGroupOffsets } from '../../src/kafka/admin/group-offsets.ts'
import { createPartitions, describeTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { waitFor } from '../support/process.ts'
import { kafkaAvailable } from './jars.ts'
import { type MirrorWorld, openWorld } from './mirror-world.ts'
import { adminOf, assertSameLog, fill, makeTopic, specOf } from './raw-log.ts'
import { sharedKafka } from './shared.ts'

const available = await kafkaAvailable()

describe('mirrors between real clusters', available, () => {
  let source: KafkaCluster
  let destination: KafkaCluster
  let sourceBootstrap: string
  let world: MirrorWorld

  before(async () => {
    const [from, to] = await Promise.all([sharedKafka('3.9'), sharedKafka('4')])
    source = adminOf(from)
    destination = adminOf(to)
    sourceBootstrap = from.bootstrap
    world = await openWorld({ destination: specOf(to.bootstrap) })
  })

  after(async () => {
    await world?.[Symbol.asyncDispose]()
    await source?.[Symbol.asyncDispose]()
    await destination?.[Symbol.asyncDispose]()
  })

  test('a mirror is made, equal, follows offsets, partitions and configs, pauses, survives a restart, is promoted', async () => {
    const topic = 'mirror-life'
    await makeTopic(source, topic, 2, { 'retention.ms': '604800000', 'segment.bytes': '2097152' })
    await fill(source, topic, 0, { batches: 20, records: 5, codec: 'lz4' })
    await fill(source, topic, 1, { batches: 10, records: 5 })
    await commit(source, 'life-readers', topic, 0, 42)
    await world.link('life', sourceBootstrap, {
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

    const link = world.links.require('life')
    await world.mirrors.pause(link, topic)
    await fill(source, topic, 0, { batches: 3, records: 5, seed: 'paused' })
    assert.equal(world.view('life', topic).row.state.name, 'PAUSED')
    await world.mirrors.resume(link, topic)
    await world.caughtUp('life', topic, 165)

    unwrap((await createPartitions(source, [{ name: topic, partitions: 3 }]))[0])
    await fill(source, topic, 2, { batches: 4, records: 5 })
    await world.caughtUp('life', topic, 185)

    await world.restart()
    await fill(source, topic, 1, { batches: 2, records: 5, seed: 'restart' })
    await world.caughtUp('life', topic, 195)
    await assertSame(topic, 3)

    const proof = await world.mirrors.verify(world.view('life', topic))
    assert.equal(proof.equal && proof.complete, true)
    assert.equal(
      proof.partitions.reduce((sum, { records }) => sum + records, 0),
      195,
    )

    await world.mirrors.promote(world.links.require('life'), topic)
    const stopped = await world.until('life', topic, 'STOPPED')
    assert.deepEqual(
      stopped.row.stop?.partitions.map(({ end }) => end),
      [115, 60, 20],
    )
    assert.ok(stopped.lags.every(({ lagRecords }) => lagRecords === 0))
    const after = await configs(destination, topic)
    assert.equal(after.get('retention.ms'), '604800000')
    assert.equal(after.get('segment.bytes'), '2097152')
    assert.equal(after.has('compression.type'), false)
    assert.equal(await committed(destination, 'life-readers', topic, 0), 42)
  })

  async function assertSame(topic: string, partitions: number): Promise<void> {
    for (let partition = 0; partition < partitions; partition += 1) {
      await assertSameLog({ cluster: source, topic }, { cluster: destination, topic }, partition)
    }
  }
})

async function commit(cluster: KafkaCluster, group: string, topic: string, partition: number, offset: number) {
  const [outcome] = await commitGroupOffsets(cluster, [{ group, offsets: [{ topic, partition, offset }] }])
  assert.deepEqual(unwrap(outcome).failed, [])
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
