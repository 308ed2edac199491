import { array, bool, bytes, defineApi, int16, int32, string } from '../schema.ts'

/**
 * Joins a group of the classic protocol at its coordinator. The answer comes once all members have joined: the leader
 * gets everybody's metadata and assigns. v1 parts the rebalance timeout from the session's, v4 may answer error 79 with
 * a member id to join with, v5 adds static members, v6 is flexible, v7 tells the protocol's type, v8 takes a reason, v9
 * may tell the leader not to assign.
 */
export const joinGroup = defineApi({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexible: 6,
  request: {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: int32({ from: 1, default: -1, ignorable: true }),
    memberId: string(),
    groupInstanceId: string({ from: 5, nullable: 0, default: null }),
    protocolType: string(),
    protocols: array({
      name: string(),
      metadata: bytes(),
    }),
    reason: string({ from: 8, nullable: 0, default: null, ignorable: true }),
  },
  response: {
    throttleTimeMs: int32({ from: 2, ignorable: true }),
    errorCode: int16(),
    generationId: int32({ default: -1 }),
    protocolType: string({ from: 7, nullable: 0, default: null, ignorable: true }),
    protocolName: string({ nullable: 7 }),
    leader: string(),
    skipAssignment: bool({ from: 9 }),
    memberId: string(),
    members: array({
      memberId: string(),
      groupInstanceId: string({ from: 5, nullable: 0, default: null, ignorable: true }),
      metadata: bytes(),
    }),
  },
})
