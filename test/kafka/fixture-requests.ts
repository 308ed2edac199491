/** What the requests of a recording need from answers before them. */
export interface RecordingState {
  topicId: string
  /** One record batch, as read from the topic. */
  batch: Uint8Array
}

type Prepare = (version: number, state: RecordingState) => object

const topic = 'orders'
const group = 'readers'
const acl = { principal: 'User:alice', host: '*', operation: 3, permissionType: 3 }
const aclFilter = { resourceTypeFilter: 2, resourceNameFilter: topic, principalFilter: null, hostFilter: null }
const anyAcl = { ...aclFilter, operation: 1, permissionType: 1 }

/** By name of the API, in the order in which they are sent. */
export const fixtureRequests: Record<string, Prepare> = {
  ApiVersions: (version) => (version < 3 ? {} : { clientSoftwareName: 'recorder', clientSoftwareVersion: '1' }),
  SaslHandshake: () => ({ mechanism: 'PLAIN' }),
  SaslAuthenticate: () => ({ authBytes: new Uint8Array([0, 97, 0, 98]) }),
  Metadata: () => ({ topics: [{ name: topic }] }),
  DescribeCluster: () => ({ includeClusterAuthorizedOperations: true }),
  Fetch: (version, { topicId }) => ({
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: 65536,
    isolationLevel: 1,
    topics: [
      {
        ...(version < 13 ? { topic } : { topicId }),
        partitions: [
          { partition: 0, fetchOffset: 0, partitionMaxBytes: 65536 },
          { partition: 1, fetchOffset: 5, partitionMaxBytes: 65536 },
        ],
      },
    ],
  }),
  Produce: (version, { topicId, batch }) => ({
    acks: -1,
    timeoutMs: 5000,
    topicData: [
      {
        ...(version < 13 ? { name: topic } : { topicId }),
        partitionData: [
          { index: 1, records: batch },
          { index: 7, records: batch },
        ],
      },
    ],
  }),
  ListOffsets: () => ({
    isolationLevel: 0,
    topics: [{ name: topic, partitions: [-1, -2].map((timestamp, partitionIndex) => ({ partitionIndex, timestamp })) }],
  }),
  OffsetForLeaderEpoch: () => ({ topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }] }),
  DescribeProducers: () => ({ topics: [{ name: topic, partitionIndexes: [0, 1, 9] }] }),
  InitProducerId: () => ({ transactionalId: null, transactionTimeoutMs: 10_000 }),
  FindCoordinator: (version) => (version < 4 ? { key: group } : { coordinatorKeys: [group, 'other'] }),
  OffsetCommit: (version, { topicId }) => ({
    groupId: group,
    topics: [
      {
        ...(version < 10 ? { name: topic } : { topicId }),
        partitions: [{ partitionIndex: 0, committedOffset: 2, committedMetadata: 'by hand' }],
      },
    ],
  }),
  OffsetFetch: (version, { topicId }) => {
    const partitionIndexes = [0, 1]
    if (version < 8) return { groupId: group, topics: [{ name: topic, partitionIndexes }] }
    const topics = [version < 10 ? { name: topic, partitionIndexes } : { topicId, partitionIndexes }]
    return { groups: [{ groupId: group, topics }] }
  },
  JoinGroup: (version) => ({
    groupId: `joiners-${version}`,
    sessionTimeoutMs: 10_000,
    ...(version > 0 ? { rebalanceTimeoutMs: 10_000 } : {}),
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: new Uint8Array(6) }],
  }),
  SyncGroup: (version) => ({
    groupId: group,
    generationId: 1,
    memberId: 'nobody',
    ...(version > 4 ? { protocolType: 'consumer', protocolName: 'range' } : {}),
  }),
  Heartbeat: () => ({ groupId: group, generationId: 1, memberId: 'nobody' }),
  LeaveGroup: (version) => {
    return { groupId: group, ...(version < 3 ? { memberId: 'nobody' } : { members: [{ memberId: 'nobody' }] }) }
  },
  ListGroups: () => ({}),
  DescribeGroups: () => ({ groups: [group, 'nobody'] }),
  ConsumerGroupDescribe: () => ({ groupIds: [group] }),
  OffsetDelete: () => ({ groupId: group, topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }] }),
  DeleteGroups: (version) => ({ groupsNames: version === 0 ? [group] : ['nobody'] }),
  DescribeConfigs: () => ({
    resources: [{ resourceType: 2, resourceName: topic, configurationKeys: ['cleanup.policy', 'retention.ms'] }],
    includeSynonyms: true,
  }),
  IncrementalAlterConfigs: () => ({
    resources: [
      {
        resourceType: 2,
        resourceName: topic,
        configs: [{ name: 'retention.ms', configOperation: 0, value: '86400000' }],
      },
    ],
  }),
  AlterConfigs: () => ({
    resources: [{ resourceType: 2, resourceName: topic, configs: [{ name: 'retention.ms', value: '86400000' }] }],
  }),
  DescribeLogDirs: () => ({ topics: [{ topic, partitions: [0, 1] }] }),
  CreateTopics: (version) => ({
    topics: [{ name: `made-by-v${version}`, numPartitions: 1, replicationFactor: 1 }, { name: 'not/valid' }],
  }),
  CreatePartitions: () => ({
    topics: [{ name: topic, count: 3, assignments: null }],
    timeoutMs: 5000,
    validateOnly: true,
  }),
  DeleteTopics: (version) => {
    const name = `made-by-v${Math.max(2, version)}`
    const named = version < 6 ? { topicNames: [name, 'absent'] } : { topics: [{ name }, { name: 'absent' }] }
    return { ...named, timeoutMs: 5000 }
  },
  DeleteRecords: () => ({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 1 }] }], timeoutMs: 5000 }),
  DescribeAcls: () => anyAcl,
  CreateAcls: () => ({ creations: [{ resourceType: 2, resourceName: topic, ...acl }] }),
  DeleteAcls: () => ({ filters: [anyAcl] }),
}
