import { array, bytes, defineApi, int16, int32, string } from '../schema.ts'

/**
 * The second step of a rebalance: the leader gives everybody's assignment, everybody gets his own once the leader has.
 * v3 adds static members, v4 is flexible, v5 names the protocol, so that a mismatch is noticed (error 23).
 */
export const syncGroup = defineApi({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ from: 3, nullable: 0, default: null }),
    protocolType: string({ from: 5, nullable: 0, default: null, ignorable: true }),
    protocolName: string({ from: 5, nullable: 0, default: null, ignorable: true }),
    assignments: array({
      memberId: string(),
      assignment: bytes(),
    }),
  },
  response: {
    throttleTimeMs: int32({ from: 1, ignorable: true }),
    errorCode: int16(),
    protocolType: string({ from: 5, nullable: 0, default: null, ignorable: true }),
    protocolName: string({ from: 5, nullable: 0, default: null, ignorable: true }),
    assignment: bytes(),
  },
})
