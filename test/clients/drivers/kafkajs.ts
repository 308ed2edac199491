import kafkajsModule, { type Admin, CompressionTypes, type Message } from 'kafkajs'
import { compress, decompress } from '../../../src/records/codecs.ts'
import { type Codec, codecs } from '../../kafka/kcat.ts'
import { kafkajs } from '../../kafka/produce.ts'
import type { KafkaAddress } from '../../kafka/tools.ts'
import { type Actions, type Client, Refusal } from '../client.ts'
import { configSources } from '../config-sources.ts'
import type { ProduceStep } from '../steps.ts'
import { consumeByKafkajs, joinByKafkajs } from './kafkajs-consumers.ts'
import { refusals } from './kafkajs-refusals.ts'

/** These are found in no other way by an import. */
const {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  AssignerProtocol,
  CompressionCodecs,
  ConfigResourceTypes,
  ResourcePatternTypes,
} = kafkajsModule

const types: Record<Codec, CompressionTypes> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}

const decompressedBytesMax = 64 << 20

/** kafkajs has gzip; the rest is brought by whoever uses it. */
function addCodecs(): void {
  const table = CompressionCodecs as Record<number, () => unknown>
  for (const codec of codecs.filter((name) => name !== 'none' && name !== 'gzip')) {
    table[types[codec]] = () => ({
      compress: async ({ buffer }: { buffer: Buffer }) => compress(codec, buffer),
      decompress: async (buffer: Buffer) => decompress(codec, buffer, decompressedBytesMax),
    })
  }
}

export function openKafkajs(): Client {
  addCodecs()
  return {
    name: 'kafkajs',
    codecs,
    writes: { headers: 'each', timestamps: true },
    prepare: async () => {},
    actions,
    join: joinByKafkajs,
    [Symbol.asyncDispose]: async () => {},
  }
}

const actions: Actions = {
  createTopic: byAdmin(async (admin, { topic, partitions = 1, replicas = -1, configs = {} }) => {
    const configEntries = entriesOf(configs)
    const topics = [{ topic, numPartitions: partitions, replicationFactor: replicas, configEntries }]
    const made = await admin.createTopics({ topics, waitForLeaders: false })
    // It takes a topic that is there for success.
    if (!made) throw new Refusal('TOPIC_ALREADY_EXISTS')
  }),
  deleteTopic: byAdmin((admin, { topic }) => admin.deleteTopics({ topics: [topic] })),
  describeTopic: byAdmin(async (admin, { topic }) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const described = topics[0]!.partitions.map(({ partitionId: partition, leader, replicas, isr: inSync }) => {
      return { partition, leader, replicas, inSync }
    })
    return described.sort((left, right) => left.partition - right.partition)
  }),
  describeConfigs: byAdmin(async (admin, { topic, names }) => {
    const configNames = names ? { configNames: names } : {}
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, ...configNames }]
    const answer = await admin.describeConfigs({ resources, includeSynonyms: false })
    return Object.fromEntries(
      answer.resources[0]!.configEntries.map(({ configName, configValue: value, configSource }) => {
        return [configName, { value, source: configSources[configSource]! }]
      }),
    )
  }),
  // The older request, which sets all configs of a topic at once: what is not named is unset.
  alterConfigs: byAdmin(async (admin, { topic, set = {} }) => {
    const resource = { type: ConfigResourceTypes.TOPIC, name: topic, configEntries: entriesOf(set) }
    await admin.alterConfigs({ validateOnly: false, resources: [resource] })
  }),
  addPartitions: byAdmin((admin, { topic, total: count }) => {
    return admin.createPartitions({ topicPartitions: [{ topic, count }] })
  }),
  listOffsets: byAdmin(async (admin, { topic, at }) => {
    const time = at === 'maxTimestamp' ? -3 : at
    const named = typeof time === 'number' ? undefined : await admin.fetchTopicOffsets(topic)
    const timed = typeof time === 'number' ? await admin.fetchTopicOffsetsByTimestamp(topic, time) : []
    const found = named?.map(({ partition, low, high }) => ({ partition, offset: at === 'earliest' ? low : high }))
    return Object.fromEntries((found ?? timed).map(({ partition, offset }) => [partition, Number(offset)]))
  }),
  deleteRecords: byAdmin(async (admin, { topic, partition, before }) => {
    // It has to know of the topic.
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] })
  }),
  produce,
  consume: consumeByKafkajs,
  describeGroup: byAdmin(async (admin, { group }) => {
    const [found] = (await admin.describeGroups([group])).groups
    const assigned = found!.members.map(({ memberAssignment }) => {
      if (memberAssignment.length === 0) return []
      return Object.values(AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {})
        .flat()
        .sort()
    })
    return { state: found!.state, members: found!.members.length, assigned: sortedLists(assigned) }
  }),
  listGroups: byAdmin(async (admin, { group }) => {
    return (await admin.listGroups()).groups.some(({ groupId }) => groupId === group)
  }),
  committed: byAdmin(async (admin, { group, topic }) => {
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
    return Object.fromEntries(found!.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
  }),
  commit: byAdmin(async (admin, { group, topic, offsets }) => {
    const partitions = Object.entries(offsets).map(([partition, offset]) => {
      return { partition: Number(partition), offset: String(offset) }
    })
    await admin.setOffsets({ groupId: group, topic, partitions })
  }),
  deleteGroup: byAdmin((admin, { group }) => admin.deleteGroups([group])),
  createAcl: byAdmin((admin, { topic, principal }) => {
    return admin.createAcls({
      acl: [
        {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: topic,
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal,
          host: '*',
          operation: AclOperationTypes.READ,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    })
  }),
  transact: async (kafka, { topic, transactionalId, value }) => {
    const producer = kafkajs(kafka).producer({ transactionalId, maxInFlightRequests: 1, retry: { retries: 2 } })
    try {
      await refusals(async () => {
        await producer.connect()
        const transaction = await producer.transaction()
        await transaction.send({ topic, messages: [{ value }] })
        await transaction.commit()
      })
    } finally {
      await producer.disconnect()
    }
    return 'done'
  },
}

/** Void and true are told as `done`. */
function byAdmin<S>(act: (admin: Admin, step: S) => Promise<unknown>) {
  return async (kafka: KafkaAddress, step: S) => {
    const admin = kafkajs(kafka).admin({ retry: { retries: 2, initialRetryTime: 50 } })
    await admin.connect()
    try {
      const answer = await refusals(() => act(admin, step))
      const isTold = answer !== undefined && answer !== true && !isVoidOfKafkajs(answer)
      return (isTold || (step as { do: string }).do === 'listGroups' ? answer : 'done') as never
    } finally {
      await admin.disconnect()
    }
  }
}

/** `deleteGroups` answers a list of what went well. */
function isVoidOfKafkajs(answer: unknown): boolean {
  return Array.isArray(answer) && answer.some((one) => typeof one === 'object' && one !== null && 'errorCode' in one)
}

async function produce(kafka: KafkaAddress, step: ProduceStep) {
  const { topic, partition, records, codec = 'none', acks = 'all', idempotent = false } = step
  const producer = kafkajs(kafka).producer({
    allowAutoTopicCreation: false,
    retry: { retries: 2, initialRetryTime: 50 },
    ...(idempotent ? { idempotent, maxInFlightRequests: 1 } : {}),
  })
  const messages = records.map(({ key = null, value, headers = [], timestampMs }): Message => {
    const timestamp = timestampMs === undefined ? {} : { timestamp: String(timestampMs) }
    return { partition, key, value, headers: Object.fromEntries(headers), ...timestamp }
  })
  await producer.connect()
  try {
    const batch = { topic, acks: acks === 'all' ? -1 : acks, compression: types[codec], messages }
    await refusals(() => producer.send(batch))
    return 'done'
  } finally {
    await producer.disconnect()
  }
}

function entriesOf(configs: Record<string, string>): { name: string; value: string }[] {
  return Object.entries(configs).map(([name, value]) => ({ name, value }))
}

function sortedLists(lists: number[][]): number[][] {
  return lists.sort((left, right) => (left[0] ?? -1) - (right[0] ?? -1))
}
