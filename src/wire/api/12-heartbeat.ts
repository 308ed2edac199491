import { defineApi, int16, int32, string } from '../schema.ts'

/**
 * Keeps a member's session; error 27 tells it to join again. v3 adds static members, v4 is flexible.
 */
export const heartbeat = defineApi({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexible: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ from: 3, nullable: 0, default: null }),
  },
  response: {
    throttleTimeMs: int32({ from: 1, ignorable: true }),
    errorCode: int16(),
  },
})
