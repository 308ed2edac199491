import { array, defineApi, int8, int16, int32, int64, string } from '../schema.ts'

/**
 * Offset of a timestamp at the leader: -1 log end (last stable offset when reading committed), -2 log start, -3 the
 * largest timestamp (v7), -4 start of the local log (v8), -5 end of the tiered log (v9), -6 next offset to be tiered
 * (v11). v2 adds the isolation level, v4 leader epochs, v6 is flexible, v10 a time limit for tiered look-ups. The
 * replica id defaults to -1, a consumer, other than in Kafka's own definition: zero would claim to be broker 0.
 */
export const listOffsets = defineApi({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 11],
  flexible: 6,
  request: {
    replicaId: int32({ default: -1 }),
    isolationLevel: int8({ from: 2 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32({ from: 4, default: -1, ignorable: true }),
        timestamp: int64(),
      }),
    }),
    timeoutMs: int32({ from: 10, ignorable: true }),
  },
  response: {
    throttleTimeMs: int32({ from: 2, ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        timestamp: int64({ default: -1 }),
        offset: int64({ default: -1 }),
        leaderEpoch: int32({ from: 4, default: -1 }),
      }),
    }),
  },
})
