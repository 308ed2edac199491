import { array, defineApi, int16, int32, int64, records, string, struct, uuid } from '../schema.ts'

/**
 * Appends record batches, one batch per partition, at the partition's leader. With `acks` 0 no answer comes at all.
 * v4 may answer error 56, v5 adds the log start, v7 allows zstd, v8 names the record that spoiled a batch, v9 is
 * flexible, v10 tells the new leader on error 6, v11 may answer 120; within a transaction of the second protocol v12
 * also adds the partition to the transaction. v13 names topics by id only.
 */
export const produce = defineApi({
  key: 0,
  name: 'Produce',
  versions: [3, 13],
  flexible: 9,
  request: {
    transactionalId: string({ nullable: 0, default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string({ to: 12, ignorable: true }),
      topicId: uuid({ from: 13, ignorable: true }),
      partitionData: array({
        index: int32(),
        records: records({ nullable: 0 }),
      }),
    }),
  },
  response: {
    responses: array({
      name: string({ to: 12, ignorable: true }),
      topicId: uuid({ from: 13, ignorable: true }),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        logAppendTimeMs: int64({ default: -1 }),
        logStartOffset: int64({ from: 5, default: -1, ignorable: true }),
        recordErrors: array(
          {
            batchIndex: int32(),
            batchIndexErrorMessage: string({ nullable: 0, default: null }),
          },
          { from: 8, ignorable: true },
        ),
        errorMessage: string({ from: 8, nullable: 0, default: null, ignorable: true }),
        currentLeader: struct(
          {
            leaderId: int32({ default: -1 }),
            leaderEpoch: int32({ default: -1 }),
          },
          { from: 10, tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32(),
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: 0, default: null }),
      },
      { from: 10, tag: 0 },
    ),
  },
})
