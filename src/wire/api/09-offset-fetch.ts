import { array, bool, defineApi, int16, int32, int64Bits, string, uuid } from '../schema.ts'

/**
 * A group's committed offsets from its coordinator; -1 where there is none. v2 takes null for all topics and adds an
 * error for the group, v5 the leader epoch, v6 is flexible, v7 may wait for open transactions (`requireStable`, error
 * 88), v8 asks for many groups in one request (the single-group fields end at v7), v9 carries member id and epoch of
 * the newer protocol, v10 names topics by id only. Brokers take any offset in a commit, also one that no log reaches
 * and no number holds: that must not make the whole answer unreadable.
 */
export const offsetFetch = defineApi({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 10],
  flexible: 6,
  request: {
    groupId: string({ to: 7 }),
    topics: array(
      {
        name: string(),
        partitionIndexes: array(int32()),
      },
      { to: 7, nullable: 2 },
    ),
    groups: array(
      {
        groupId: string(),
        memberId: string({ from: 9, nullable: 0, default: null, ignorable: true }),
        memberEpoch: int32({ from: 9, default: -1, ignorable: true }),
        topics: array(
          {
            name: string({ to: 9, ignorable: true }),
            topicId: uuid({ from: 10, ignorable: true }),
            partitionIndexes: array(int32()),
          },
          { nullable: 0 },
        ),
      },
      { from: 8 },
    ),
    requireStable: bool({ from: 7 }),
  },
  response: {
    throttleTimeMs: int32({ from: 3, ignorable: true }),
    topics: array(
      {
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          committedOffset: int64Bits(),
          committedLeaderEpoch: int32({ from: 5, default: -1, ignorable: true }),
          metadata: string({ nullable: 0 }),
          errorCode: int16(),
        }),
      },
      { to: 7 },
    ),
    errorCode: int16({ from: 2, to: 7, ignorable: true }),
    groups: array(
      {
        groupId: string(),
        topics: array({
          name: string({ to: 9, ignorable: true }),
          topicId: uuid({ from: 10, ignorable: true }),
          partitions: array({
            partitionIndex: int32(),
            committedOffset: int64Bits(),
            committedLeaderEpoch: int32({ default: -1 }),
            metadata: string({ nullable: 0 }),
            errorCode: int16(),
          }),
        }),
        errorCode: int16(),
      },
      { from: 8 },
    ),
  },
})
