import { array, defineApi, int16, int32, string } from '../schema.ts'

/**
 * The groups that one broker coordinates: ask every broker. v3 is flexible, v4 filters by state and tells it, v5 the
 * same for the group's type (classic, consumer, share, streams).
 */
export const listGroups = defineApi({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexible: 3,
  request: {
    statesFilter: array(string(), { from: 4 }),
    typesFilter: array(string(), { from: 5 }),
  },
  response: {
    throttleTimeMs: int32({ from: 1, ignorable: true }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ from: 4, ignorable: true }),
      groupType: string({ from: 5, ignorable: true }),
    }),
  },
})
