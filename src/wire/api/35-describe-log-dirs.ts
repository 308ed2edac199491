import { array, bool, defineApi, int16, int32, int64, string } from '../schema.ts'

/**
 * The broker's log directories, and how many bytes each partition takes there. Null topics ask for all. v2 is flexible,
 * v3 adds an error for the whole answer, v4 the size of the disk, v5 whether the directory takes new partitions.
 */
export const describeLogDirs = defineApi({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [1, 5],
  flexible: 2,
  request: {
    topics: array(
      {
        topic: string(),
        partitions: array(int32()),
      },
      { nullable: 0 },
    ),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16({ from: 3, ignorable: true }),
    results: array({
      errorCode: int16(),
      logDir: string(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          partitionSize: int64(),
          offsetLag: int64(),
          isFutureKey: bool(),
        }),
      }),
      totalBytes: int64({ from: 4, default: -1, ignorable: true }),
      usableBytes: int64({ from: 4, default: -1, ignorable: true }),
      isCordoned: bool({ from: 5, ignorable: true }),
    }),
  },
})
