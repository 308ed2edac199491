import { array, bool, defineApi, int16, int32, string } from '../schema.ts'

/**
 * Raises the partition count of topics; `count` is the new total. Null assignments leave the choice to the broker. v2
 * is flexible, v3 may be throttled (error 89).
 */
export const createPartitions = defineApi({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexible: 2,
  request: {
    topics: array({
      name: string(),
      count: int32(),
      assignments: array(
        {
          brokerIds: array(int32()),
        },
        { nullable: 0 },
      ),
    }),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      name: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: 0, default: null }),
    }),
  },
})
