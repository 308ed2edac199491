import { array, bool, defineApi, int8, int16, int32, string } from '../schema.ts'

/**
 * Cluster id, brokers (endpoint type 1) or controllers (2), and the caller's rights as a bit set. v1 adds the
 * endpoint type, v2 may include fenced brokers.
 */
export const describeCluster = defineApi({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexible: 0,
  request: {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8({ from: 1, default: 1 }),
    includeFencedBrokers: bool({ from: 2 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: 0, default: null }),
    endpointType: int8({ from: 1, default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: array({
      brokerId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: 0, default: null }),
      isFenced: bool({ from: 2 }),
    }),
    clusterAuthorizedOperations: int32({ default: -2147483648 }),
  },
})
