import { array, defineApi, int16, int32, string } from '../schema.ts'

/**
 * Deletes groups without members, and with them their offsets, at their coordinator. v2 is flexible.
 */
export const deleteGroups = defineApi({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexible: 2,
  request: {
    groupsNames: array(string()),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      groupId: string(),
      errorCode: int16(),
    }),
  },
})
