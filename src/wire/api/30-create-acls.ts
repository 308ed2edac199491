import { array, defineApi, int8, int16, int32, string } from '../schema.ts'

/**
 * Creates access rules; one result per rule, in the order asked for. v1 adds the pattern type (3 literal, 4
 * prefixed), v2 is flexible, v3 knows user resources.
 */
export const createAcls = defineApi({
  key: 30,
  name: 'CreateAcls',
  versions: [1, 3],
  flexible: 2,
  request: {
    creations: array({
      resourceType: int8(),
      resourceName: string(),
      resourcePatternType: int8({ default: 3 }),
      principal: string(),
      host: string(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
    }),
  },
})
