import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { emptySnapshot } from '../../access/snapshot.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { authorizerFacts } from '../../kafka/admin/authorizer.ts'
import { alterTopicConfigs, describeBrokerConfigs, describeTopicConfigs } from '../../kafka/admin/configs.ts'
import { fetchBatches } from '../../kafka/admin/fetch.ts'
import {
  highWatermark,
  type LogOffset,
  logEnd,
  logStart,
  offsetAtTime,
  offsetForEpoch,
} from '../../kafka/admin/offsets.ts'
import { produceBatch } from '../../kafka/admin/produce.ts'
import { describeProducers } from '../../kafka/admin/producers.ts'
import {
  createPartitions,
  createTopics,
  deleteRecords,
  deleteTopics,
  describeTopics,
  listTopics,
} from '../../kafka/admin/topics.ts'
import type { KafkaCluster } from '../../kafka/cluster.ts'
import { openCluster } from '../../kafka/open-cluster.ts'
import { mirrorConfigKey, rawAppendId } from '../../kafka/raw-append.ts'
import { type Outcome, unwrap } from '../../kafka/rounds.ts'
import { buildBatch } from '../../records/build.ts'
import type { DirectSpec } from '../../transport/spec.ts'
import { brokerDefaults } from '../config.ts'
import { type OpenNode, openNode } from '../open-node.ts'
import { type BrokerServer, startBrokerServer } from '../server/broker-server.ts'
import { plaintext } from '../server/test-server.ts'

const mirrorId = '01234567-89ab-4cde-8f01-23456789abcd'

interface World {
  folder: string
  node: OpenNode
  server: BrokerServer
  outside: KafkaCluster
  inside: KafkaCluster
}

async function start(folder: string): Promise<World> {
  const [clock, log] = [systemClock, silentLog]
  const listen = { host: '127.0.0.1', port: 0 }
  let advertised = listen
  const node = await openNode({ folder, config: brokerDefaults, clock, log, advertised: () => advertised })
  const socketPath = join(folder, 'kafka.socket')
  const { server, address } = await startBrokerServer({
    ...{ node: node.node, listen, security: plaintext, snapshot: emptySnapshot, socketPath },
  })
  advertised = address
  const spec: DirectSpec = { reach: 'kafka', clientId: 'test', bootstrap: [address] }
  const open = (more: Partial<DirectSpec>) => openCluster({ ...spec, ...more }, { clock, log, deadlineMs: 5000 })
  return { folder, node, server, outside: open({}), inside: open({ socketPath }) }
}

async function stop({ outside, inside, server, node }: World): Promise<void> {
  for (const cluster of [outside, inside]) await cluster[Symbol.asyncDispose]()
  await server.close()
  await node.dispose()
}

function batch(count: number, timestampMs: number, more: object = {}): Buffer {
  const records = Array.from({ length: count }, (_, index) => {
    return { timestampMs: timestampMs + index, key: null, value: Buffer.from(`record ${index}`) }
  })
  return buildBatch(records, more)
}

describe('our own client, over the network and over the internal socket', () => {
  let world: World
  before(async () => {
    world = await start(await mkdtemp(join(tmpdir(), 'linkspan-own-client-')))
  })
  after(async () => {
    await stop(world)
    await rm(world.folder, { recursive: true, force: true })
  })

  test('topics are made, listed, grown, configured and deleted', async () => {
    const { outside } = world
    const [made] = await createTopics(outside, [{ name: 'a', partitions: 2, configs: { 'retention.ms': '5' } }])
    const { topicId } = unwrap(made)
    const [again] = await createTopics(outside, [{ name: 'a', partitions: 2 }])
    assert.equal(again?.error?.details.kafkaName, 'TOPIC_ALREADY_EXISTS')
    unwrap((await createPartitions(outside, [{ name: 'a', partitions: 3 }]))[0])
    const found = unwrap((await describeTopics(outside, ['a']))[0])
    assert.deepEqual([found.topicId, found.partitions.length], [topicId, 3])
    unwrap(
      (await alterTopicConfigs(outside, [{ name: 'a', configs: { 'segment.ms': '60000', 'retention.ms': null } }]))[0],
    )
    const entries = unwrap((await describeTopicConfigs(outside, ['a']))[0])
    assert.deepEqual(
      entries.filter(({ source }) => source === 'topic').map(({ name, value }) => [name, value]),
      [['segment.ms', '60000']],
    )
    const [refused] = await alterTopicConfigs(outside, [{ name: 'a', configs: { 'cleanup.policy': 'compact' } }])
    assert.match(refused?.error?.message ?? '', /does not compact/)
    unwrap((await deleteTopics(outside, ['a']))[0])
    assert.equal((await listTopics(outside)).length, 0)
  })

  test('records are written, found and deleted', async () => {
    const { outside } = world
    await createTopics(outside, [{ name: 'b', partitions: 1 }])
    const at = { topic: 'b', partition: 0 }
    const nowMs = systemClock.wallMs()
    const producer = { producerId: 2n ** 62n + 5n, producerEpoch: 0, baseSequence: 0 }
    const first = await produceBatch(outside, at, batch(3, nowMs, producer))
    assert.deepEqual([first.baseOffset, first.logStartOffset], [0, 0])
    assert.equal((await produceBatch(outside, at, batch(3, nowMs, producer))).baseOffset, 0)
    assert.equal((await produceBatch(outside, at, batch(2, nowMs + 100), { acks: 'leader' })).baseOffset, 3)
    const offsets = async (ask: Promise<Outcome<LogOffset>[]>) => (await ask)[0]?.value?.offset
    assert.equal(await offsets(highWatermark(outside, [at])), 5)
    assert.equal(await offsets(logEnd(outside, [at])), 5)
    assert.equal(await offsets(offsetAtTime(outside, [{ ...at, timestampMs: nowMs + 50 }])), 3)
    const [end] = await offsetForEpoch(outside, [{ ...at, epoch: 0 }])
    assert.deepEqual(end?.value, { leaderEpoch: 0, endOffset: 5 })
    const read = await fetchBatches(outside, { ...at, offset: 3 })
    assert.deepEqual([read.records.readBigInt64BE(0), read.highWatermark], [3n, 5])
    const state = unwrap((await describeProducers(outside, [at]))[0])
    assert.deepEqual(
      state.producers.map(({ producerId, lastSequence }) => [producerId, lastSequence]),
      [[producer.producerId, 2]],
    )
    assert.equal((await deleteRecords(outside, [{ ...at, offset: 3 }]))[0]?.value?.lowWatermark, 3)
    assert.equal(await offsets(logStart(outside, [at])), 3)
    await assert.rejects(fetchBatches(outside, { ...at, offset: 0 }), /offset 0/)
  })

  test('who waits for records gets them when they come, never late', async () => {
    const { outside } = world
    await createTopics(outside, [{ name: 'w', partitions: 1 }])
    const at = { topic: 'w', partition: 0 }
    const startMs = performance.now()
    for (let offset = 0; offset < 50; offset += 1) {
      const [read] = await Promise.all([
        fetchBatches(outside, { ...at, offset }, { waitMs: 5000 }),
        produceBatch(world.inside, at, batch(1, systemClock.wallMs())),
      ])
      assert.equal(read.records.readBigInt64BE(0), BigInt(offset))
    }
    assert.ok(performance.now() - startMs < 4000)
  })

  test('a mirror is ours alone, keeps the offsets of its source, and becomes an ordinary topic again', async () => {
    const { outside, inside } = world
    await createTopics(inside, [{ name: 'm', partitions: 1, configs: { 'retention.ms': '-1' } }])
    unwrap((await alterTopicConfigs(inside, [{ name: 'm', configs: { [mirrorConfigKey]: mirrorId } }]))[0])
    const at = { topic: 'm', partition: 0 }
    assert.equal((await deleteRecords(inside, [{ ...at, offset: 1000 }]))[0]?.value?.lowWatermark, 1000)
    const raw = { acks: 'all', transactionalId: rawAppendId(mirrorId) } as const
    const appended = await produceBatch(inside, at, batch(2, 5, { baseOffset: 1005, isTransactional: true }), raw)
    assert.deepEqual([appended.baseOffset, appended.logStartOffset], [1005, 1000])
    await assert.rejects(produceBatch(outside, at, batch(1, 5)), { message: /read-only mirror topic 'm'/ })
    await assert.rejects(produceBatch(outside, at, batch(1, 5), raw), /TRANSACTIONAL_ID_AUTHORIZATION_FAILED/)
    const [cut] = await deleteRecords(outside, [{ ...at, offset: 1006 }])
    assert.equal(cut?.error?.details.kafkaName, 'INVALID_REQUEST')
    assert.deepEqual((await logEnd(outside, [at]))[0]?.value?.offset, 1007)
    unwrap((await alterTopicConfigs(inside, [{ name: 'm', configs: { [mirrorConfigKey]: null } }]))[0])
    await assert.rejects(produceBatch(inside, at, batch(1, 5, { baseOffset: 1007 }), raw), /PRODUCER_FENCED/)
  })

  test('the broker tells its settings, and that it has no authorizer', async () => {
    const { outside } = world
    const entries = await describeBrokerConfigs(outside, 1, { keys: ['producer.id.expiration.ms'] })
    assert.deepEqual(
      entries.map(({ name, value }) => [name, value]),
      [['producer.id.expiration.ms', '86400000']],
    )
    assert.equal((await authorizerFacts(outside)).present, false)
  })

  test('everything is there after a restart', async () => {
    await stop(world)
    world = await start(world.folder)
    const { outside } = world
    assert.deepEqual((await listTopics(outside)).map(({ name }) => name).sort(), ['b', 'm', 'w'])
    const ends = await logEnd(
      outside,
      ['b', 'm'].map((topic) => ({ topic, partition: 0 })),
    )
    assert.deepEqual(
      ends.map(({ value }) => value?.offset),
      [5, 1007],
    )
  })
})
