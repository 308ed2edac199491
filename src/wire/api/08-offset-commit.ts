import { array, defineApi, int16, int32, int64, string, uuid } from '../schema.ts'

/**
 * Stores a group's offsets at its coordinator. Generation -1 with an empty member id commits from outside a group,
 * allowed while it has no members. v5 drops the retention time, v6 adds the leader epoch, v7 the static member, v8 is
 * flexible, v9 carries the member epoch of the newer protocol in the generation's place, v10 names topics by id only.
 */
export const offsetCommit = defineApi({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 10],
  flexible: 8,
  request: {
    groupId: string(),
    generationIdOrMemberEpoch: int32({ default: -1 }),
    memberId: string(),
    groupInstanceId: string({ from: 7, nullable: 0, default: null }),
    retentionTimeMs: int64({ to: 4, default: -1, ignorable: true }),
    topics: array({
      name: string({ to: 9, ignorable: true }),
      topicId: uuid({ from: 10, ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ from: 6, default: -1, ignorable: true }),
        committedMetadata: string({ nullable: 0 }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ from: 3, ignorable: true }),
    topics: array({
      name: string({ to: 9, ignorable: true }),
      topicId: uuid({ from: 10, ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
})
