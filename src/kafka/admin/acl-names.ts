import { LinkspanError } from '../../base/errors.ts'

/** Kafka's names by their codes: index = code. */
export const aclResources = [
  'UNKNOWN',
  'ANY',
  'TOPIC',
  'GROUP',
  'CLUSTER',
  'TRANSACTIONAL_ID',
  'DELEGATION_TOKEN',
  'USER',
] as const
export const aclPatterns = ['UNKNOWN', 'ANY', 'MATCH', 'LITERAL', 'PREFIXED'] as const
export const aclPermissions = ['UNKNOWN', 'ANY', 'DENY', 'ALLOW'] as const
export const aclOperations = [
  'UNKNOWN',
  'ANY',
  'ALL',
  'READ',
  'WRITE',
  'CREATE',
  'DELETE',
  'ALTER',
  'DESCRIBE',
  'CLUSTER_ACTION',
  'DESCRIBE_CONFIGS',
  'ALTER_CONFIGS',
  'IDEMPOTENT_WRITE',
  'CREATE_TOKENS',
  'DESCRIBE_TOKENS',
  'TWO_PHASE_COMMIT',
] as const

export interface AclBinding {
  resourceType: (typeof aclResources)[number]
  resourceName: string
  patternType: (typeof aclPatterns)[number]
  /** `User:alice`. */
  principal: string
  /** `*` for any. */
  host: string
  operation: (typeof aclOperations)[number]
  permission: (typeof aclPermissions)[number]
}

/** What is left out matches anything; the pattern type `MATCH` finds all rules that would apply to the name. */
export type AclFilter = Partial<AclBinding>

/** A code that is newer than these names reads `UNKNOWN`, which can be shown but not written back. */
export function nameIn<T extends string>(names: readonly T[], code: number): T {
  return names[code] ?? (names[0] as T)
}

export function codeIn<T extends string>(names: readonly T[], name: T): number {
  const code = names.indexOf(name)
  if (code > 0) return code
  throw new LinkspanError('invalid-request', `"${name}" cannot be written into an ACL: known are ${names.slice(1)}`)
}

/** `ALLOW User:alice READ on TOPIC orders (LITERAL) from *`: for people. */
export function describeBinding(binding: AclBinding): string {
  const { permission, principal, operation, resourceType, resourceName, patternType, host } = binding
  return `${permission} ${principal} ${operation} on ${resourceType} ${resourceName} (${patternType}) from ${host}`
}
