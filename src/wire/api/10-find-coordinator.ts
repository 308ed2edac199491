import { array, defineApi, int8, int16, int32, string } from '../schema.ts'

/**
 * Which broker coordinates a group (key type 0), a transactional id (1) or a share partition (2, v6, key
 * `group:topicId:partition`). v1 adds the key type and error texts, v3 is flexible, v4 asks for many keys at once
 * (the single-key fields end at v3), v5 may answer error 120.
 */
export const findCoordinator = defineApi({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexible: 3,
  request: {
    key: string({ to: 3 }),
    keyType: int8({ from: 1 }),
    coordinatorKeys: array(string(), { from: 4 }),
  },
  response: {
    throttleTimeMs: int32({ from: 1, ignorable: true }),
    errorCode: int16({ to: 3 }),
    errorMessage: string({ from: 1, to: 3, nullable: 0, ignorable: true }),
    nodeId: int32({ to: 3 }),
    host: string({ to: 3 }),
    port: int32({ to: 3 }),
    coordinators: array(
      {
        key: string(),
        nodeId: int32(),
        host: string(),
        port: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: 0 }),
      },
      { from: 4 },
    ),
  },
})
