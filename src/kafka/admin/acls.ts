import type { LinkspanError } from '../../base/errors.ts'
import { describeAcls as describeAclsApi } from '../../wire/api/29-describe-acls.ts'
import { createAcls as createAclsApi } from '../../wire/api/30-create-acls.ts'
import { deleteAcls as deleteAclsApi } from '../../wire/api/31-delete-acls.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { CallOptions } from '../cluster-options.ts'
import { kafkaFailure } from '../failure.ts'
import { retryStep } from '../retry.ts'
import type { Outcome } from '../rounds.ts'
import {
  type AclBinding,
  type AclFilter,
  aclOperations,
  aclPatterns,
  aclPermissions,
  aclResources,
  codeIn,
  describeBinding,
  nameIn,
} from './acl-names.ts'

/** A cluster without an authorizer keeps no ACLs: a fact, not an error. */
export type AclResult<T> = { authorizer: false } | ({ authorizer: true } & T)

/** More in one request could pass a broker's request size. */
const bindingsPerRequest = 1000

/** ACLs that match; the empty filter matches all. Needs DESCRIBE on the cluster. */
export async function describeAcls(
  cluster: KafkaCluster,
  filter: AclFilter = {},
  options: CallOptions = {},
): Promise<AclResult<{ bindings: AclBinding[] }>> {
  const answer = await cluster.request({ to: 'any' }, describeAclsApi, filterFields(filter), options)
  if (answer.errorCode === kafkaErrors.SECURITY_DISABLED) return { authorizer: false }
  if (answer.errorCode !== 0) throw failure('read', answer.errorCode, answer.errorMessage)
  const bindings = answer.resources.flatMap(({ resourceType, resourceName, patternType, acls }) => {
    return acls.map((acl) => bindingOf({ ...acl, resourceType, resourceName, patternType }))
  })
  return { authorizer: true, bindings }
}

/** Creates ACLs; one that exists already counts as created. Outcomes in the order of `bindings`. */
export async function createAcls(
  cluster: KafkaCluster,
  bindings: readonly AclBinding[],
  options: CallOptions = {},
): Promise<AclResult<{ outcomes: Outcome<true>[] }>> {
  const outcomes: Outcome<true>[] = []
  for (let start = 0; start < bindings.length; start += bindingsPerRequest) {
    const part = bindings.slice(start, start + bindingsPerRequest)
    const creations = part.map((binding) => ({
      resourceType: codeIn(aclResources, binding.resourceType),
      resourceName: binding.resourceName,
      resourcePatternType: codeIn(aclPatterns, binding.patternType),
      principal: binding.principal,
      host: binding.host,
      operation: codeIn(aclOperations, binding.operation),
      permissionType: codeIn(aclPermissions, binding.permission),
    }))
    const answer = await cluster.request(
      { to: 'controller' },
      createAclsApi,
      { creations },
      {
        ...options,
        errorOf: ({ results }) => firstRetriable(results),
      },
    )
    if (answer.results.some(({ errorCode }) => errorCode === kafkaErrors.SECURITY_DISABLED)) {
      return { authorizer: false }
    }
    part.forEach((binding, index) => {
      const { errorCode = kafkaErrors.UNKNOWN_SERVER_ERROR, errorMessage = null } = answer.results[index] ?? {}
      const created = { value: true } as const
      outcomes.push(errorCode === 0 ? created : { error: failure('create', errorCode, errorMessage, binding) })
    })
  }
  return { authorizer: true, outcomes }
}

/** Deletes what matches any of the filters. Outcomes in the order of `filters`: what each of them has deleted. */
export async function deleteAcls(
  cluster: KafkaCluster,
  filters: readonly AclFilter[],
  options: CallOptions = {},
): Promise<AclResult<{ outcomes: Outcome<AclBinding[]>[] }>> {
  const outcomes: Outcome<AclBinding[]>[] = []
  for (let start = 0; start < filters.length; start += bindingsPerRequest) {
    const part = filters.slice(start, start + bindingsPerRequest).map(filterFields)
    const answer = await cluster.request(
      { to: 'controller' },
      deleteAclsApi,
      { filters: part },
      {
        ...options,
        errorOf: ({ filterResults }) => firstRetriable(filterResults),
      },
    )
    for (const { errorCode, errorMessage, matchingAcls } of answer.filterResults) {
      if (errorCode === kafkaErrors.SECURITY_DISABLED) return { authorizer: false }
      const kept = matchingAcls.find((acl) => acl.errorCode !== 0)
      if (errorCode !== 0) outcomes.push({ error: failure('delete', errorCode, errorMessage) })
      else if (kept) outcomes.push({ error: failure('delete', kept.errorCode, kept.errorMessage, bindingOf(kept)) })
      else outcomes.push({ value: matchingAcls.map(bindingOf) })
    }
  }
  return { authorizer: true, outcomes }
}

/** Creating and deleting may be repeated as a whole: both end in the same state. */
function firstRetriable(results: readonly { errorCode: number }[]): number {
  return results.find(({ errorCode }) => retryStep(errorCode) !== 'none')?.errorCode ?? 0
}

function filterFields(filter: AclFilter) {
  return {
    resourceTypeFilter: codeIn(aclResources, filter.resourceType ?? 'ANY'),
    resourceNameFilter: filter.resourceName ?? null,
    patternTypeFilter: codeIn(aclPatterns, filter.patternType ?? 'ANY'),
    principalFilter: filter.principal ?? null,
    hostFilter: filter.host ?? null,
    operation: codeIn(aclOperations, filter.operation ?? 'ANY'),
    permissionType: codeIn(aclPermissions, filter.permission ?? 'ANY'),
  }
}

interface AclFields {
  resourceType: number
  resourceName: string
  patternType: number
  principal: string
  host: string
  operation: number
  permissionType: number
}

function bindingOf(acl: AclFields): AclBinding {
  return {
    resourceType: nameIn(aclResources, acl.resourceType),
    resourceName: acl.resourceName,
    patternType: nameIn(aclPatterns, acl.patternType),
    principal: acl.principal,
    host: acl.host,
    operation: nameIn(aclOperations, acl.operation),
    permission: nameIn(aclPermissions, acl.permissionType),
  }
}

function failure(operation: string, code: number, message: string | null, binding?: AclBinding): LinkspanError {
  const resource = binding ? `the ACL ${describeBinding(binding)}` : 'the ACLs of the cluster'
  return kafkaFailure(code, { operation, resource, message })
}
