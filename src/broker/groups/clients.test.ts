import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Consumer, stringDeserializers } from '@platformatic/kafka'
import { Kafka, type Consumer as KafkaJsConsumer, logLevel } from 'kafkajs'
import { emptySnapshot } from '../../access/snapshot.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import type { HostPort } from '../../transport/address.ts'
import { brokerDefaults } from '../config.ts'
import { brokerHandlers, createHandlerTable } from '../handlers/index.ts'
import { type OpenNode, openNode } from '../open-node.ts'
import { type BrokerServer, startBrokerServer } from '../server/broker-server.ts'
import { plaintext } from '../server/test-server.ts'
import { groupHandlers } from './test-handlers.ts'

/** Other people's clients, in this process, against a whole broker. */
describe('consumers of others', () => {
  let folder: string
  let node: OpenNode
  let server: BrokerServer
  let address: HostPort
  let kafka: Kafka

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'linkspan-groups-'))
    const listen = { host: '127.0.0.1', port: 0 }
    const config = { ...brokerDefaults, groupInitialRebalanceDelayMs: 300 }
    node = await openNode({ folder, config, clock: systemClock, log: silentLog, advertised: () => address })
    const others = [...brokerHandlers.values()].filter(({ api }) => api.key !== 18)
    const all = new Map([...others, ...groupHandlers].map((handler) => [handler.api.key, handler]))
    const handlers = createHandlerTable([...all.values()])
    const parts = { node: node.node, listen, security: plaintext, snapshot: emptySnapshot, handlers }
    const started = await startBrokerServer({ ...parts, socketPath: join(folder, 'kafka.socket') })
    server = started.server
    address = started.address
    const brokers = [`${address.host}:${address.port}`]
    kafka = new Kafka({ clientId: 'kafkajs', brokers, logLevel: logLevel.NOTHING })
  })

  after(async () => {
    await server.close()
    await node.dispose()
    await rm(folder, { recursive: true })
  })

  async function fill(topic: string, partitions: number, values: string[]): Promise<void> {
    const admin = kafka.admin()
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions }] })
    await admin.disconnect()
    const producer = kafka.producer()
    await producer.connect()
    const messages = values.map((value, index) => ({ value, partition: index % partitions }))
    await producer.send({ topic, messages })
    await producer.disconnect()
  }

  async function run(consumer: KafkaJsConsumer, topic: string, read: string[]): Promise<void> {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => {
        read.push(message.value!.toString())
      },
    })
  }

  async function until(condition: () => boolean): Promise<void> {
    const lateMs = performance.now() + 10_000
    while (!condition()) {
      assert.ok(performance.now() < lateMs, 'too late')
      await new Promise((next) => setTimeout(next, 10))
    }
  }

  test('kafkajs: two share the partitions, and the one that stays takes over from the offsets', async () => {
    const values = Array.from({ length: 40 }, (_, index) => `value ${index}`)
    await fill('shared', 4, values)
    const quick = { heartbeatInterval: 100, maxWaitTimeInMs: 100 }
    const consumers = [1, 2].map(() => kafka.consumer({ groupId: 'shared', ...quick }))
    const reads: string[][] = [[], []]
    await Promise.all(consumers.map((consumer, index) => run(consumer, 'shared', reads[index]!)))
    await until(() => reads.flat().length >= 40)
    assert.deepEqual(reads.flat().sort(), [...values].sort(), 'each once')
    assert.ok(reads[0]!.length > 0 && reads[1]!.length > 0, 'both have partitions')
    const described = node.node.groups.describe('shared')!
    assert.deepEqual(
      [described.state, described.members.length, described.protocolName],
      ['Stable', 2, 'RoundRobinAssigner'],
    )
    await consumers[0]!.disconnect()
    await until(() => node.node.groups.describe('shared')!.members.length === 1)
    await until(() => node.node.groups.describe('shared')!.state === 'Stable')
    await fill('shared', 4, ['late 0', 'late 1', 'late 2', 'late 3'])
    await until(() => reads[1]!.filter((value) => value.startsWith('late')).length === 4)
    await consumers[1]!.disconnect()
    const admin = kafka.admin()
    const [fetched] = await admin.fetchOffsets({ groupId: 'shared', topics: ['shared'] })
    const offsets = fetched!.partitions.map(({ offset }) => offset)
    assert.deepEqual(offsets, ['11', '11', '11', '11'])
    await admin.deleteGroups(['shared'])
    assert.deepEqual((await admin.listGroups()).groups, [])
    await admin.disconnect()
  })

  test('@platformatic/kafka: reads in a group, commits, and goes on where it was', async () => {
    await fill('streamed', 2, ['a', 'b', 'c', 'd'])
    const read = async (count: number) => {
      const consumer = new Consumer({
        groupId: 'streamed',
        clientId: 'platformatic',
        bootstrapBrokers: [`${address.host}:${address.port}`],
        deserializers: stringDeserializers,
        autocommit: false,
      })
      const stream = await consumer.consume({ topics: ['streamed'], mode: 'committed', fallbackMode: 'earliest' })
      const values: string[] = []
      for await (const message of stream) {
        values.push(String(message.value))
        await message.commit()
        if (values.length === count) break
      }
      await consumer.close(true)
      return values.sort()
    }
    assert.deepEqual(await read(4), ['a', 'b', 'c', 'd'])
    await fill('streamed', 2, ['e', 'f'])
    assert.deepEqual(await read(2), ['e', 'f'])
  })
})
