import { array, bool, defineApi, int8, int16, int32, string, uuid } from '../schema.ts'

/**
 * Creates topics, or only checks that it could (`validateOnly`). Partition count and replication factor are -1 when
 * replicas are assigned by hand, and from v4 on also for the broker's default. v5 is flexible and answers with the
 * topic's configuration, v6 may be throttled (error 89), v7 tells the topic's id.
 */
export const createTopics = defineApi({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexible: 5,
  request: {
    topics: array({
      name: string(),
      numPartitions: int32(),
      replicationFactor: int16(),
      assignments: array({
        partitionIndex: int32(),
        brokerIds: array(int32()),
      }),
      configs: array({
        name: string(),
        value: string({ nullable: 0 }),
      }),
    }),
    timeoutMs: int32({ default: 60000 }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      topicId: uuid({ from: 7, ignorable: true }),
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
      topicConfigErrorCode: int16({ from: 5, tag: 0, ignorable: true }),
      numPartitions: int32({ from: 5, default: -1, ignorable: true }),
      replicationFactor: int16({ from: 5, default: -1, ignorable: true }),
      configs: array(
        {
          name: string(),
          value: string({ nullable: 0 }),
          readOnly: bool(),
          configSource: int8({ default: -1 }),
          isSensitive: bool(),
        },
        { from: 5, nullable: 0, ignorable: true },
      ),
    }),
  },
})
