import { array, defineApi, int8, int16, int32, string } from '../schema.ts'

/**
 * Deletes the access rules that match filters and tells each of them. v1 adds the pattern type (1 any, 2 match, 3
 * literal, 4 prefixed), v2 is flexible, v3 knows user resources.
 */
export const deleteAcls = defineApi({
  key: 31,
  name: 'DeleteAcls',
  versions: [1, 3],
  flexible: 2,
  request: {
    filters: array({
      resourceTypeFilter: int8(),
      resourceNameFilter: string({ nullable: 0 }),
      patternTypeFilter: int8({ default: 3 }),
      principalFilter: string({ nullable: 0 }),
      hostFilter: string({ nullable: 0 }),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    filterResults: array({
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
      matchingAcls: array({
        errorCode: int16(),
        errorMessage: string({ nullable: 0 }),
        resourceType: int8(),
        resourceName: string(),
        patternType: int8({ default: 3 }),
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    }),
  },
})
