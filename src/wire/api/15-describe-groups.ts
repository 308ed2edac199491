import { array, bool, bytes, defineApi, int16, int32, string } from '../schema.ts'

/**
 * State and members of groups of the classic protocol; metadata and assignment are the client library's own bytes,
 * filled only while the group is stable. v3 adds the caller's rights as a bit set, v4 static members, v5 is flexible,
 * v6 answers an unknown group with error 69 instead of a dead group.
 */
export const describeGroups = defineApi({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexible: 5,
  request: {
    groups: array(string()),
    includeAuthorizedOperations: bool({ from: 3 }),
  },
  response: {
    throttleTimeMs: int32({ from: 1, ignorable: true }),
    groups: array({
      errorCode: int16(),
      errorMessage: string({ from: 6, nullable: 0, default: null }),
      groupId: string(),
      groupState: string(),
      protocolType: string(),
      protocolData: string(),
      members: array({
        memberId: string(),
        groupInstanceId: string({ from: 4, nullable: 0, default: null, ignorable: true }),
        clientId: string(),
        clientHost: string(),
        memberMetadata: bytes(),
        memberAssignment: bytes(),
      }),
      authorizedOperations: int32({ from: 3, default: -2147483648 }),
    }),
  },
})
