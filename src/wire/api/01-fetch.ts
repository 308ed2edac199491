import { array, defineApi, int8, int16, int32, int64, int64Bits, records, string, struct, uuid } from '../schema.ts'

/**
 * Reads record batches as the leader stores them. Partitions are served in the order asked for; the first batch comes
 * even if it is larger than the limits. v5 adds the log start, v7 fetch sessions, v9 fencing by leader epoch, v10
 * allows zstd, v11 the client's rack, v12 is flexible and detects a truncated log (`divergingEpoch`), v13 names
 * topics by id only, v15 moves the replica id into `replicaState`, v16 tells leaders' addresses, v17 the replica's
 * directory, v18 its high watermark (all ones but the sign when unsupported, hence a bigint). `replicaId` -1 is a
 * consumer.
 */
export const fetch = defineApi({
  key: 1,
  name: 'Fetch',
  versions: [4, 18],
  flexible: 12,
  request: {
    clusterId: string({ from: 12, nullable: 0, tag: 0, default: null, ignorable: true }),
    replicaId: int32({ to: 14, default: -1 }),
    replicaState: struct(
      {
        replicaId: int32({ default: -1 }),
        replicaEpoch: int64({ default: -1 }),
      },
      { from: 15, tag: 1 },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 2147483647 }),
    isolationLevel: int8(),
    sessionId: int32({ from: 7, ignorable: true }),
    sessionEpoch: int32({ from: 7, default: -1, ignorable: true }),
    topics: array({
      topic: string({ to: 12, ignorable: true }),
      topicId: uuid({ from: 13, ignorable: true }),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ from: 9, default: -1, ignorable: true }),
        fetchOffset: int64(),
        lastFetchedEpoch: int32({ from: 12, default: -1 }),
        logStartOffset: int64({ from: 5, default: -1, ignorable: true }),
        partitionMaxBytes: int32(),
        replicaDirectoryId: uuid({ from: 17, tag: 0, ignorable: true }),
        highWatermark: int64Bits({ from: 18, tag: 1, default: 9223372036854775807n, ignorable: true }),
      }),
    }),
    forgottenTopicsData: array(
      {
        topic: string({ to: 12, ignorable: true }),
        topicId: uuid({ from: 13, ignorable: true }),
        partitions: array(int32()),
      },
      { from: 7 },
    ),
    rackId: string({ from: 11, ignorable: true }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16({ from: 7, ignorable: true }),
    sessionId: int32({ from: 7 }),
    responses: array({
      topic: string({ to: 12, ignorable: true }),
      topicId: uuid({ from: 13, ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64({ default: -1 }),
        logStartOffset: int64({ from: 5, default: -1, ignorable: true }),
        divergingEpoch: struct(
          {
            epoch: int32({ default: -1 }),
            endOffset: int64({ default: -1 }),
          },
          { from: 12, tag: 0 },
        ),
        currentLeader: struct(
          {
            leaderId: int32({ default: -1 }),
            leaderEpoch: int32({ default: -1 }),
          },
          { from: 12, tag: 1 },
        ),
        snapshotId: struct(
          {
            endOffset: int64({ default: -1 }),
            epoch: int32({ default: -1 }),
          },
          { from: 12, tag: 2 },
        ),
        abortedTransactions: array(
          {
            producerId: int64Bits(),
            firstOffset: int64(),
          },
          { nullable: 0 },
        ),
        preferredReadReplica: int32({ from: 11, default: -1 }),
        records: records({ nullable: 0 }),
      }),
    }),
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: 0, default: null }),
      },
      { from: 16, tag: 0 },
    ),
  },
})
