import { array, defineApi, int16, int32, string } from '../schema.ts'

/**
 * Takes members out of a group. v3 names many, static ones by their instance id with an empty member id, and answers
 * each; v4 is flexible, v5 takes reasons.
 */
export const leaveGroup = defineApi({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string(),
    memberId: string({ to: 2 }),
    members: array(
      {
        memberId: string(),
        groupInstanceId: string({ nullable: 0, default: null }),
        reason: string({ from: 5, nullable: 0, default: null, ignorable: true }),
      },
      { from: 3 },
    ),
  },
  response: {
    throttleTimeMs: int32({ from: 1, ignorable: true }),
    errorCode: int16(),
    members: array(
      {
        memberId: string(),
        groupInstanceId: string({ nullable: 0 }),
        errorCode: int16(),
      },
      { from: 3 },
    ),
  },
})
