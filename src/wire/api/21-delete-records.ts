import { array, defineApi, int16, int32, int64, string } from '../schema.ts'

/**
 * Moves a partition's log start up at its leader; offset -1 is the high watermark. The answer's low watermark is the
 * lowest log start of all replicas. v2 is flexible.
 */
export const deleteRecords = defineApi({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexible: 2,
  request: {
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        offset: int64(),
      }),
    }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        lowWatermark: int64(),
        errorCode: int16(),
      }),
    }),
  },
})
