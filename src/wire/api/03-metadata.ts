import { array, bool, defineApi, int16, int32, string, uuid } from '../schema.ts'

/**
 * Brokers, topics, partitions and their leaders. No topics: null from v1 on asks for all, an empty list for none; in
 * v0 the empty list asks for all. v1 adds racks, controller and internal flag, v2 the cluster id, v4 lets the caller
 * forbid auto-creation, v5 offline replicas, v7 leader epochs, v8 the caller's rights as a bit set (the cluster's
 * only to v10), v9 is flexible, v10 topic ids, v12 asks by topic id with a null name, v13 an error for the whole
 * answer.
 */
export const metadata = defineApi({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexible: 9,
  request: {
    topics: array(
      {
        topicId: uuid({ from: 10, ignorable: true }),
        name: string({ nullable: 10 }),
      },
      { nullable: 1 },
    ),
    allowAutoTopicCreation: bool({ from: 4, default: true }),
    includeClusterAuthorizedOperations: bool({ from: 8, to: 10 }),
    includeTopicAuthorizedOperations: bool({ from: 8 }),
  },
  response: {
    throttleTimeMs: int32({ from: 3, ignorable: true }),
    brokers: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ from: 1, nullable: 0, default: null, ignorable: true }),
    }),
    clusterId: string({ from: 2, nullable: 0, default: null, ignorable: true }),
    controllerId: int32({ from: 1, default: -1, ignorable: true }),
    topics: array({
      errorCode: int16(),
      name: string({ nullable: 12 }),
      topicId: uuid({ from: 10, ignorable: true }),
      isInternal: bool({ from: 1, ignorable: true }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ from: 7, default: -1, ignorable: true }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        offlineReplicas: array(int32(), { from: 5, ignorable: true }),
      }),
      topicAuthorizedOperations: int32({ from: 8, default: -2147483648 }),
    }),
    clusterAuthorizedOperations: int32({ from: 8, to: 10, default: -2147483648 }),
    errorCode: int16({ from: 13, ignorable: true }),
  },
})
