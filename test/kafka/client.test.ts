import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { describeAcls } from '../../src/kafka/admin/acls.ts'
import { authorizerFacts } from '../../src/kafka/admin/authorizer.ts'
import {
  alterBrokerConfigs,
  alterTopicConfigs,
  describeBrokerConfigs,
  describeTopicConfigs,
} from '../../src/kafka/admin/configs.ts'
import { fetchBatches } from '../../src/kafka/admin/fetch.ts'
import {
  commitGroupOffsets,
  deleteGroupOffsets,
  fetchGroupOffsets,
  groupIsActive,
} from '../../src/kafka/admin/group-offsets.ts'
import { deleteGroups, describeGroups, listGroups } from '../../src/kafka/admin/groups.ts'
import * as offsets from '../../src/kafka/admin/offsets.ts'
import { produceBatch } from '../../src/kafka/admin/produce.ts'
import { describeProducers } from '../../src/kafka/admin/producers.ts'
import * as topics from '../../src/kafka/admin/topics.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { decodeBatch } from '../../src/records/decode.ts'
import { waitFor } from '../support/process.ts'
import { type KafkaLine, kafkaAvailable, kafkaVersions } from './jars.ts'
import { batchOf, batchProducerId, makeTopic, ownClient } from './own-client.ts'
import { kafkajs } from './produce.ts'
import { sharedKafka } from './shared.ts'
import { runTool } from './tools.ts'

const available = await kafkaAvailable()
const lines = Object.keys(kafkaVersions) as KafkaLine[]

for (const line of lines) {
  describe(`the client and Kafka ${kafkaVersions[line]}`, available, () => {
    test('topics: created, described, grown, emptied and deleted', async () => {
      await using cluster = await ownClient((await sharedKafka(line)).config())
      const created = await makeTopic(cluster, 'client-topics', {
        partitions: 2,
        configs: { 'retention.ms': '12345678' },
      })
      const [again, bad] = await topics.createTopics(cluster, [
        { name: 'client-topics', partitions: 1 },
        { name: 'no/slash', partitions: 1 },
      ])
      assert.equal(again?.error?.details.kafkaName, 'TOPIC_ALREADY_EXISTS')
      assert.match(bad?.error?.message ?? '', /Cannot create topic no\/slash: .*INVALID_TOPIC_EXCEPTION/)
      const [described, none] = await topics.describeTopics(cluster, ['client-topics', 'client-none'])
      assert.equal(described?.value?.topicId, created.topicId)
      assert.equal(none?.error?.code, 'kafka-unknown-topic')
      assert.ok((await topics.listTopics(cluster)).some(({ name }) => name === 'client-topics'))
      const grown = await topics.createPartitions(cluster, [{ name: 'client-topics', partitions: 5 }])
      assert.equal(grown[0]?.value, true)
      assert.equal((await cluster.topic('client-topics')).partitions.length, 5)
      await produceBatch(cluster, { topic: 'client-topics', partition: 4 }, batchOf('a', 'b', 'c'))
      const at = { topic: 'client-topics', partition: 4 }
      const cut = await topics.deleteRecords(cluster, [
        { ...at, offset: 2 },
        { ...at, partition: 0, offset: 9 },
      ])
      assert.equal(cut[0]?.value?.lowWatermark, 2)
      assert.equal(cut[1]?.error?.details.kafkaName, 'OFFSET_OUT_OF_RANGE')
      assert.equal(unwrap((await offsets.logStart(cluster, [at]))[0]).offset, 2)
      assert.equal((await topics.deleteTopics(cluster, ['client-topics']))[0]?.value, true)
      await waitFor(async () => (await topics.describeTopics(cluster, ['client-topics']))[0]?.error)
    })

    test('records: written, read raw, found by time and epoch, their producer seen', async () => {
      await using cluster = await ownClient((await sharedKafka(line)).config())
      await makeTopic(cluster, 'client-records')
      const at = { topic: 'client-records', partition: 0 }
      const batch = batchOf('one', 'two')
      assert.equal((await produceBatch(cluster, at, batch)).baseOffset, 0)
      assert.equal((await produceBatch(cluster, at, batch)).baseOffset, 0, 'the same sequence again is a duplicate')
      const read = await fetchBatches(cluster, { ...at, offset: 0 })
      const records = decodeBatch(read.records, 0, { decompressedBytesMax: 1 << 20 })
      assert.deepEqual(
        records.map(({ value }) => Buffer.from(value!).toString()),
        ['one', 'two'],
      )
      assert.equal(read.highWatermark, 2)
      await assert.rejects(fetchBatches(cluster, { ...at, offset: 7 }), { message: /offset 7.*OFFSET_OUT_OF_RANGE/ })
      for (const ask of [offsets.logEnd, offsets.highWatermark, offsets.lastStableOffset]) {
        assert.equal(unwrap((await ask(cluster, [at]))[0]).offset, 2)
      }
      const timed = await offsets.offsetAtTime(cluster, [{ ...at, timestampMs: 1_600_000_000_000 }])
      assert.equal(unwrap(timed[0]).offset, 0)
      const ended = unwrap((await offsets.offsetForEpoch(cluster, [{ ...at, epoch: 0 }]))[0])
      assert.deepEqual(ended, { leaderEpoch: 0, endOffset: 2 })
      const { producers, logEndBefore, logEndAfter } = unwrap((await describeProducers(cluster, [at]))[0])
      assert.deepEqual([logEndBefore, logEndAfter], [2, 2])
      assert.equal(producers.length, 1)
      assert.equal(producers[0]!.producerId, batchProducerId)
      assert.equal(producers[0]!.lastSequence, 1)
      const gone = produceBatch(cluster, { topic: 'client-nowhere', partition: 0 }, batch)
      await assert.rejects(gone, { code: 'kafka-unknown-topic' })
    })

    test('configurations: read with their sources, changed, refused', async () => {
      await using cluster = await ownClient((await sharedKafka(line)).config())
      await makeTopic(cluster, 'client-configs', { configs: { 'retention.ms': '1000000' } })
      const read = async (name: string) => {
        const entries = unwrap((await describeTopicConfigs(cluster, ['client-configs']))[0])
        return entries.find((entry) => entry.name === name)!
      }
      assert.deepEqual([(await read('retention.ms')).value, (await read('retention.ms')).source], ['1000000', 'topic'])
      assert.equal((await read('segment.bytes')).source, 'default')
      const changes = { 'retention.ms': null, 'cleanup.policy': 'compact' }
      unwrap((await alterTopicConfigs(cluster, [{ name: 'client-configs', configs: changes }]))[0])
      await waitFor(async () => (await read('cleanup.policy')).value === 'compact')
      assert.equal((await read('retention.ms')).source, 'default')
      const values = (await read('cleanup.policy')).synonyms.map(({ value, source }) => [value, source])
      assert.deepEqual(values, [
        ['compact', 'topic'],
        ['delete', 'default'],
      ])
      const [bad] = await alterTopicConfigs(cluster, [{ name: 'client-configs', configs: { 'segment.ms': 'x' } }])
      assert.equal(bad?.error?.details.kafkaName, 'INVALID_CONFIG')
      const [none] = await describeTopicConfigs(cluster, ['client-none'])
      assert.equal(none?.error?.code, 'kafka-unknown-topic')
      const { nodeId } = cluster.cache.brokers[0]!
      const keys = ['producer.id.expiration.ms']
      const [expiration] = await describeBrokerConfigs(cluster, nodeId, { keys })
      assert.deepEqual([expiration?.value, expiration?.source], ['86400000', 'default'])
      await alterBrokerConfigs(cluster, 'all', { 'producer.id.expiration.ms': '86400001' }, { validateOnly: true })
      assert.deepEqual(await authorizerFacts(cluster), {
        present: false,
        className: undefined,
        allowsWithoutAcl: true,
        mayDescribeAcls: false,
      })
      assert.deepEqual(await describeAcls(cluster), { authorizer: false })
    })

    test('groups: offsets committed from outside, until the group has a member', async (t) => {
      const kafka = await sharedKafka(line)
      await using cluster = await ownClient(kafka.config())
      await makeTopic(cluster, 'client-groups', { partitions: 3 })
      const offsetsOf = [0, 1].map((partition) => ({ topic: 'client-groups', partition, offset: partition + 5 }))
      const names = ['client-g1', 'client-g2']
      const commits = names.map((group) => ({ group, offsets: offsetsOf }))
      for (const { value, error } of await commitGroupOffsets(cluster, commits)) {
        assert.deepEqual([value?.failed, error], [[], undefined])
      }
      const fetched = await fetchGroupOffsets(
        cluster,
        [...names, 'client-g3'].map((group) => ({ group })),
      )
      assert.deepEqual(
        fetched.map(({ value }) => value?.offsets.map(({ offset }) => offset).sort()),
        [[5, 6], [5, 6], []],
      )
      const deletion = { group: 'client-g1', partitions: [{ topic: 'client-groups', partition: 0 }] }
      assert.deepEqual(unwrap((await deleteGroupOffsets(cluster, [deletion]))[0]).failed, [])
      const [rest] = await fetchGroupOffsets(cluster, [{ group: 'client-g1', partitions: offsetsOf }])
      assert.deepEqual(
        rest?.value?.offsets.map(({ partition }) => partition),
        [1],
      )
      const listed = (await listGroups(cluster)).filter(({ group }) => names.includes(group))
      assert.deepEqual(
        listed.map(({ type, state }) => [type, state]),
        [
          ['classic', 'Empty'],
          ['classic', 'Empty'],
        ],
      )

      const consumer = kafkajs(kafka).consumer({ groupId: 'client-g2' })
      t.after(() => consumer.disconnect())
      await consumer.connect()
      await consumer.subscribe({ topic: 'client-groups' })
      await consumer.run({ eachMessage: async () => {} })
      await waitFor(async () => unwrap((await describeGroups(cluster, ['client-g2']))[0]).state === 'Stable')
      const [active] = await describeGroups(cluster, ['client-g2'])
      assert.equal(active?.value?.members.length, 1)
      const [refused] = await commitGroupOffsets(cluster, commits.slice(1))
      assert.equal(refused?.error?.details.kafkaName, 'UNKNOWN_MEMBER_ID')
      assert.equal(groupIsActive(refused?.error), true)
      assert.equal(groupIsActive((await deleteGroups(cluster, ['client-g2']))[0]?.error), true)
      assert.equal((await deleteGroups(cluster, ['client-g1']))[0]?.value, true)
      assert.equal(unwrap((await describeGroups(cluster, ['client-g1']))[0]).state, 'Dead')
    })
  })
}

test('a group of the newer protocol is told apart', available, async () => {
  const kafka = await sharedKafka('4')
  await using cluster = await ownClient(kafka.config())
  await makeTopic(cluster, 'client-848')
  await produceBatch(cluster, { topic: 'client-848', partition: 0 }, batchOf('x'))
  await runTool(
    kafka,
    'kafka-console-consumer',
    ['--topic', 'client-848', '--group', 'client-new', '--from-beginning', '--max-messages', '1'],
    { config: { 'group.protocol': 'consumer' } },
  )
  const [group] = await describeGroups(cluster, ['client-new'])
  assert.deepEqual([group?.value?.type, group?.value?.state], ['consumer', 'Empty'])
  assert.equal((await listGroups(cluster)).find((one) => one.group === 'client-new')?.type, 'consumer')
  const offset = { topic: 'client-848', partition: 0, offset: 0 }
  const [committed] = await commitGroupOffsets(cluster, [{ group: 'client-new', offsets: [offset] }])
  assert.deepEqual(committed?.value?.failed, [])
})
