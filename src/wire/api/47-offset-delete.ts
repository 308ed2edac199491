import { array, defineApi, int16, int32, string } from '../schema.ts'

/**
 * Deletes a group's offsets of topics that no member subscribes to, at its coordinator. Never flexible.
 */
export const offsetDelete = defineApi({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  flexible: Number.POSITIVE_INFINITY,
  request: {
    groupId: string(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
      }),
    }),
  },
  response: {
    errorCode: int16(),
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
})
