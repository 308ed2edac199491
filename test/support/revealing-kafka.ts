import { fetch } from '../../src/wire/api/01-fetch.ts'
import { listOffsets } from '../../src/wire/api/02-list-offsets.ts'
import { metadata } from '../../src/wire/api/03-metadata.ts'
import { offsetFetch } from '../../src/wire/api/09-offset-fetch.ts'
import { findCoordinator } from '../../src/wire/api/10-find-coordinator.ts'
import { describeGroups } from '../../src/wire/api/15-describe-groups.ts'
import { listGroups } from '../../src/wire/api/16-list-groups.ts'
import { offsetForLeaderEpoch } from '../../src/wire/api/23-offset-for-leader-epoch.ts'
import { describeAcls } from '../../src/wire/api/29-describe-acls.ts'
import { describeConfigs } from '../../src/wire/api/32-describe-configs.ts'
import { describeCluster } from '../../src/wire/api/60-describe-cluster.ts'
import { describeProducers } from '../../src/wire/api/61-describe-producers.ts'
import { consumerGroupDescribe } from '../../src/wire/api/69-consumer-group-describe.ts'
import { FakeKafka } from './fake-kafka.ts'

/** What a link in these tests may see: `orders` and `team-a`. `viewed` it may see but not read. */
export const topicIds = {
  orders: '00000000-0000-0000-0000-00000000aaaa',
  viewed: '00000000-0000-0000-0000-00000000dddd',
  secret: '00000000-0000-0000-0000-00000000bbbb',
  absent: '00000000-0000-0000-0000-00000000cccc',
} as const

export const topicNames = ['orders', 'viewed', 'secret', '__consumer_offsets'] as const
export const groupNames = ['team-a', 'hidden'] as const
/** Brokers take any offset in a commit. */
export const committedMax = 2n ** 63n - 1n
export const revealedHost = 'host-1.internal'
/** None of these may ever stand in an answer that did not ask for it by name. */
export const forbidden = ['secret', 'hidden', '__consumer', 'host-', 'rack-', 'raw-member-bytes', 'broker-default']

const rights = 0x0fff
const place = { host: revealedHost, port: 9092, rack: 'rack-1' }
const errorMessage = `from ${revealedHost}`

/** A broker that tells everything that it can, asked or not: a tunnel that lets something through shows it. */
export function revealingKafka(): FakeKafka {
  const kafka = new FakeKafka()
  answerTopics(kafka)
  answerGroups(kafka)
  answerCluster(kafka)
  return kafka
}

function answerTopics(kafka: FakeKafka): void {
  kafka.on(metadata, ({ version, answer }) => {
    const topics = topicNames.map((name) => ({
      name,
      topicId: topicIds[name as keyof typeof topicIds] ?? '00000000-0000-0000-0000-00000000eeee',
      partitions: [{ partitionIndex: 0, leaderId: 1, replicaNodes: [1], isrNodes: [1] }],
      ...(version >= 8 ? { topicAuthorizedOperations: rights } : {}),
    }))
    const brokers = [{ nodeId: 1, ...place, host: '127.0.0.1', port: kafka.port }]
    answer({ brokers, clusterId: 'cluster', controllerId: 7, topics })
  })
  kafka.on(fetch, ({ version, body, answer }) => {
    const responses = body.topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ partition }) => ({
        partitionIndex: partition,
        highWatermark: 42,
        ...(version >= 11 ? { preferredReadReplica: 9 } : {}),
        records: Buffer.from('records'),
      })),
    }))
    const unasked = { topic: 'secret', topicId: topicIds.secret, partitions: [{ records: Buffer.from('secret') }] }
    answer({ responses: [...responses, unasked] })
  })
  kafka.on(listOffsets, ({ body, answer }) => {
    const topics = body.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, offset: 42 })),
    }))
    answer({ topics: [...topics, { name: 'secret', partitions: [{ partitionIndex: 0, offset: 42 }] }] })
  })
  kafka.on(offsetForLeaderEpoch, ({ body, answer }) => {
    const topics = body.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, endOffset: 42 })),
    }))
    answer({ topics: [...topics, { topic: 'secret', partitions: [{ partition: 0, endOffset: 42 }] }] })
  })
  kafka.on(describeProducers, ({ body, answer }) => {
    const topics = body.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => {
        return { partitionIndex, activeProducers: [{ producerId: 42n, producerEpoch: 1, coordinatorEpoch: 1 }] }
      }),
    }))
    answer({ topics: [...topics, { name: 'secret', partitions: [{ partitionIndex: 0 }] }] })
  })
  kafka.on(describeConfigs, ({ body, answer }) => {
    const synonyms = [{ name: 'log.retention.ms', value: 'broker-default', source: 4 }]
    const configs = [{ name: 'retention.ms', value: '42', configSource: 1, synonyms }]
    const results = body.resources.map(({ resourceType, resourceName }) => {
      return { resourceType, resourceName, errorMessage, configs }
    })
    answer({ results: [...results, { resourceType: 2, resourceName: 'secret', configs }] })
  })
}

function answerGroups(kafka: FakeKafka): void {
  kafka.on(findCoordinator, ({ version, body, answer }) => {
    const coordinator = { nodeId: 1, host: revealedHost, port: 9092, ...(version > 0 ? { errorMessage } : {}) }
    if (version < 4) return answer(coordinator)
    answer({ coordinators: [...body.coordinatorKeys, 'unasked-hidden'].map((key) => ({ key, ...coordinator })) })
  })
  kafka.on(offsetFetch, ({ version, body, answer }) => {
    const committed = [42n, committedMax].map((committedOffset, partitionIndex) => {
      return { partitionIndex, committedOffset, metadata: 'note' }
    })
    const all = topicNames.map((name) => ({ name, partitionIndexes: [0] }))
    const offsets = (asked: { name: string }[] | null) => {
      return [...(asked ?? all), { name: 'secret' }].map(({ name }) => ({ name, partitions: committed }))
    }
    if (version < 8) return answer({ topics: offsets(body.topics) })
    answer({ groups: body.groups.map(({ groupId, topics }) => ({ groupId, topics: offsets(topics) })) })
  })
  kafka.on(listGroups, ({ answer }) => {
    answer({ groups: groupNames.map((groupId) => ({ groupId, protocolType: 'consumer', groupState: 'Stable' })) })
  })
  kafka.on(describeGroups, ({ version, body, answer }) => {
    const raw = Buffer.from('raw-member-bytes')
    const member = {
      memberId: 'm',
      clientId: 'c',
      clientHost: revealedHost,
      memberMetadata: raw,
      memberAssignment: raw,
    }
    const groups = [...body.groups, 'hidden'].map((groupId) => ({
      groupId,
      groupState: 'Stable',
      members: [member],
      ...(version >= 6 ? { errorMessage } : {}),
      ...(version >= 3 ? { authorizedOperations: rights } : {}),
    }))
    answer({ groups })
  })
  kafka.on(consumerGroupDescribe, ({ body, answer }) => {
    const topicPartitions = topicNames.map((topicName) => ({ topicName, partitions: [0] }))
    const member = {
      memberId: 'm',
      rackId: 'rack-1',
      clientHost: revealedHost,
      subscribedTopicNames: [...topicNames],
      subscribedTopicRegex: 'secret.*',
      assignment: { topicPartitions },
      targetAssignment: { topicPartitions },
    }
    const groups = [...body.groupIds, 'hidden'].map((groupId) => {
      return { groupId, groupState: 'Stable', errorMessage, members: [member], authorizedOperations: rights }
    })
    answer({ groups })
  })
}

function answerCluster(kafka: FakeKafka): void {
  kafka.on(describeAcls, ({ answer }) => {
    const acls = [{ principal: 'User:alice', host: '*', operation: 3, permissionType: 3 }]
    const resources = [
      ...topicNames.map((resourceName) => ({ resourceType: 2, resourceName, patternType: 3, acls })),
      ...groupNames.map((resourceName) => ({ resourceType: 3, resourceName, patternType: 3, acls })),
      { resourceType: 2, resourceName: '*', patternType: 3, acls },
      { resourceType: 2, resourceName: 'orders', patternType: 4, acls },
      { resourceType: 2, resourceName: 'secret', patternType: 4, acls },
      { resourceType: 4, resourceName: 'kafka-cluster', patternType: 3, acls },
    ]
    answer({ errorMessage, resources })
  })
  kafka.on(describeCluster, ({ version, answer }) => {
    const brokers = [{ brokerId: 1, ...place }, ...(version >= 2 ? [{ brokerId: 8, ...place, isFenced: true }] : [])]
    answer({ errorMessage, clusterId: 'cluster', controllerId: 7, brokers, clusterAuthorizedOperations: rights })
  })
}
