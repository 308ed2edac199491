import {
  AclOperations,
  AclPermissionTypes,
  Admin,
  type CompressionAlgorithmValue,
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes,
  ListOffsetTimestamps,
  Producer,
  ResourcePatternTypes,
  ResourceTypes,
} from '@platformatic/kafka'
import { codecs } from '../../kafka/kcat.ts'
import type { KafkaAddress } from '../../kafka/tools.ts'
import type { Actions, Client } from '../client.ts'
import { configSources } from '../config-sources.ts'
import type { Json, ProduceStep } from '../steps.ts'
import { platformaticOptions, refusals } from './platformatic-connection.ts'
import { consumeByPlatformatic, joinByPlatformatic } from './platformatic-consumers.ts'

export function openPlatformatic(): Client {
  return {
    name: 'platformatic',
    codecs,
    writes: { headers: 'each', timestamps: true },
    prepare: async () => {},
    actions,
    join: joinByPlatformatic,
    [Symbol.asyncDispose]: async () => {},
  }
}

const actions: Actions = {
  createTopic: byAdmin(async (admin, { topic, partitions = 1, replicas = 1, configs = {} }) => {
    const entries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    await admin.createTopics({ topics: [topic], partitions, replicas, configs: entries })
    return 'done'
  }),
  deleteTopic: byAdmin(async (admin, { topic }) => {
    await admin.deleteTopics({ topics: [topic] })
    return 'done'
  }),
  describeTopic: byAdmin(async (admin, { topic }) => {
    const { topics } = await admin.metadata({ topics: [topic], autocreateTopics: false, forceUpdate: true })
    return topics.get(topic)!.partitions.map(({ leader, replicas, isr: inSync }, partition) => {
      return { partition, leader, replicas, inSync }
    })
  }),
  describeConfigs: byAdmin(async (admin, { topic, names }) => {
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: names ?? null }
    const [found] = await admin.describeConfigs({ resources: [resource] })
    return Object.fromEntries(
      found!.configs.map(({ name, value, configSource }) => {
        return [name, { value: value ?? null, source: configSources[configSource]! }]
      }),
    )
  }),
  alterConfigs: byAdmin(async (admin, { topic, set = {}, unset = [] }) => {
    const { SET, DELETE } = IncrementalAlterConfigOperationTypes
    const configs = [
      ...Object.entries(set).map(([name, value]) => ({ name, value, configOperation: SET })),
      ...unset.map((name) => ({ name, configOperation: DELETE })),
    ]
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }
    await admin.incrementalAlterConfigs({ resources: [resource] })
    return 'done'
  }),
  addPartitions: byAdmin(async (admin, { topic, total: count }) => {
    await admin.createPartitions({ topics: [{ name: topic, count }] })
    return 'done'
  }),
  listOffsets: byAdmin(async (admin, { topic, partitions, at }) => {
    const { EARLIEST, LATEST, MAX } = ListOffsetTimestamps
    const timestamp =
      typeof at === 'number' ? BigInt(at) : { earliest: EARLIEST, latest: LATEST, maxTimestamp: MAX }[at]
    const asked = Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp }))
    const [found] = await admin.listOffsets({ topics: [{ name: topic, partitions: asked }] })
    return numbersBy(found!.partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset]))
  }),
  deleteRecords: byAdmin(async (admin, { topic, partition, before }) => {
    await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset: BigInt(before) }] }] })
    return 'done'
  }),
  produce,
  consume: consumeByPlatformatic,
  describeGroup: byAdmin(async (admin, { group }) => {
    const found = (await admin.describeGroups({ groups: [group] })).get(group)!
    const assigned = [...found.members.values()].map(({ assignments }) => {
      return [...(assignments?.values() ?? [])].flatMap(({ partitions }) => partitions).sort()
    })
    // Its states are Kafka's, in capitals.
    return { state: titled(found.state), members: found.members.size, assigned: assigned.sort(byFirst) }
  }),
  listGroups: byAdmin(async (admin, { group }) => (await admin.listGroups()).has(group)),
  committed: byAdmin(async (admin, { group, topic, partitions }) => {
    const partitionIndexes = Array.from({ length: partitions }, (_, index) => index)
    const asked = [{ groupId: group, topics: [{ name: topic, partitionIndexes }] }]
    const [found] = await admin.listConsumerGroupOffsets({ groups: asked })
    return numbersBy(found!.topics[0]!.partitions.map((one) => [one.partitionIndex, one.committedOffset]))
  }),
  commit: byAdmin(async (admin, { group, topic, offsets }) => {
    const partitionOffsets = Object.entries(offsets).map(([partition, offset]) => {
      return { partition: Number(partition), offset: BigInt(offset) }
    })
    await admin.alterConsumerGroupOffsets({ groupId: group, topics: [{ name: topic, partitionOffsets }] })
    return 'done'
  }),
  deleteGroup: byAdmin(async (admin, { group }) => {
    await admin.deleteGroups({ groups: [group] })
    return 'done'
  }),
  deleteOffsets: byAdmin(async (admin, { group, topic, partition }) => {
    await admin.deleteConsumerGroupOffsets({ groupId: group, topics: [{ name: topic, partitionIndexes: [partition] }] })
    return 'done'
  }),
  logBytes: byAdmin(async (admin, { topic, partition }) => {
    const [broker] = await admin.describeLogDirs({ topics: [{ name: topic, partitions: [partition] }] })
    const [found] = broker!.results.flatMap(({ topics }) => topics).flatMap(({ partitions }) => partitions)
    return Number(found!.partitionSize)
  }),
  createAcl: byAdmin(async (admin, { topic, principal }) => {
    const target = {
      resourceType: ResourceTypes.TOPIC,
      resourceName: topic,
      resourcePatternType: ResourcePatternTypes.LITERAL,
    }
    const right = { principal, host: '*', operation: AclOperations.READ, permissionType: AclPermissionTypes.ALLOW }
    await admin.createAcls({ creations: [{ ...target, ...right }] })
    return 'done'
  }),
  transact: async (kafka, { topic, transactionalId, value }) => {
    const producer = new Producer({ ...platformaticOptions(kafka), transactionalId, idempotent: true })
    try {
      return await refusals(async () => {
        const transaction = await producer.beginTransaction()
        await transaction.send({ messages: [{ topic, value: Buffer.from(value) }] })
        await transaction.commit()
        return 'done'
      })
    } finally {
      await producer.close(true)
    }
  },
}

function byAdmin<S>(act: (admin: Admin, step: S) => Promise<Json>) {
  return async (kafka: KafkaAddress, step: S): Promise<Json> => {
    const admin = new Admin(platformaticOptions(kafka))
    try {
      return await refusals(() => act(admin, step))
    } finally {
      await admin.close()
    }
  }
}

async function produce(kafka: KafkaAddress, step: ProduceStep): Promise<Json> {
  const { topic, partition, records, codec = 'none', acks = 'all', idempotent = false } = step
  const producer = new Producer({ ...platformaticOptions(kafka), autocreateTopics: false })
  const messages = records.map(({ key, value, headers = [], timestampMs }) => ({
    topic,
    partition,
    ...(key == null ? {} : { key: Buffer.from(key) }),
    ...(value === null ? {} : { value: Buffer.from(value) }),
    headers: new Map(headers.map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
    ...(timestampMs === undefined ? {} : { timestamp: BigInt(timestampMs) }),
  }))
  const compression = codec as CompressionAlgorithmValue
  try {
    await refusals(() => producer.send({ messages, compression, idempotent, acks: acks === 'all' ? -1 : acks }))
    return 'done'
  } finally {
    await producer.close()
  }
}

function numbersBy(pairs: [partition: number, offset: bigint][]): Json {
  return Object.fromEntries(pairs.map(([partition, offset]) => [partition, Number(offset)]))
}

function byFirst(left: number[], right: number[]): number {
  return (left[0] ?? -1) - (right[0] ?? -1)
}

function titled(state: string): string {
  return state
    .toLowerCase()
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
}
