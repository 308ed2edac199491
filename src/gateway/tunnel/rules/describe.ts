import { describeAcls } from '../../../wire/api/29-describe-acls.ts'
import { describeConfigs } from '../../../wire/api/32-describe-configs.ts'
import { describeCluster } from '../../../wire/api/60-describe-cluster.ts'
import { kafkaErrors } from '../../../wire/errors.ts'
import type { RequestOf, ResponseOf } from '../../../wire/schema.ts'
import type { TunnelRights } from '../rights.ts'
import { blankEndpoint, defineRule, sift, split, Violation } from '../rule.ts'

type AclResource = ResponseOf<typeof describeAcls>['resources'][number]

const topicConfig = 2
const brokerEndpoints = 1
const withheld = -2147483648

/** Of topics only; synonyms would tell how the brokers are configured. */
export const describeConfigsRule = defineRule({
  api: describeConfigs,
  versions: [1, 4],
  forced: { includeSynonyms: false, includeDocumentation: false },
  admit(request, { rights }) {
    const foreign = request.resources.find(({ resourceType }) => resourceType !== topicConfig)
    if (foreign) throw new Violation(`DescribeConfigs of resource type ${foreign.resourceType}`)
    const nameOf = ({ resourceName }: { resourceName: string }) => resourceName
    const { seen, hidden } = split(request.resources, ({ resourceName }) => rights.mayViewTopic(resourceName))
    const missing = ({ resourceName }: { resourceName: string }) => ({
      errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: null,
      resourceType: topicConfig,
      resourceName,
    })
    return {
      forward: seen.length > 0 ? { ...request, resources: seen } : undefined,
      answer: (source, rightsNow) => {
        const now = sift(source?.results, nameOf, seen.map(nameOf), rightsNow.mayViewTopic)
        const shown = now.seen.map(({ configs, ...rest }) => ({
          ...rest,
          errorMessage: null,
          configs: configs.map((config) => ({ ...config, synonyms: [] })),
        }))
        return { ...source, results: [...shown, ...now.hidden.map(missing), ...hidden.map(missing)] }
      },
    }
  },
})

const aclResources = { any: 1, topic: 2, group: 3 }
const aclPatterns = { any: 1, match: 2, literal: 3 }
/** As the name of an ACL it stands for every name. */
const wildcard = '*'

/**
 * Literal ACLs of the very topics and groups whose ACLs may be seen. Asked of Kafka as such, whatever was asked of us.
 */
export const describeAclsRule = defineRule({
  api: describeAcls,
  versions: [1, 3],
  forced: { patternTypeFilter: aclPatterns.literal },
  admit(request, { rights }) {
    const types: number[] = Object.values(aclResources)
    const patterns: number[] = Object.values(aclPatterns)
    const name = request.resourceNameFilter
    const able =
      types.includes(request.resourceTypeFilter) &&
      patterns.includes(request.patternTypeFilter) &&
      (name === null || mayViewAclsOf(request.resourceTypeFilter, name, rights))
    return {
      forward: able ? request : undefined,
      answer: (source, rightsNow) => ({
        throttleTimeMs: source?.throttleTimeMs ?? 0,
        errorCode: source?.errorCode ?? 0,
        errorMessage: null,
        resources: (source?.resources ?? []).filter((resource) => mayViewAcls(resource, rightsNow)),
      }),
    }
  },
})

function mayViewAcls(resource: AclResource, rights: TunnelRights): boolean {
  const { resourceType, resourceName, patternType } = resource
  if (patternType !== aclPatterns.literal || resourceType === aclResources.any) return false
  return mayViewAclsOf(resourceType, resourceName, rights)
}

function mayViewAclsOf(resourceType: number, name: string, rights: TunnelRights): boolean {
  if (name === wildcard) return false
  const asTopic = resourceType !== aclResources.group && rights.mayViewTopicAcls(name)
  const asGroup = resourceType !== aclResources.topic && rights.mayViewGroupAcls(name)
  return asTopic || asGroup
}

export const describeClusterRule = defineRule({
  api: describeCluster,
  versions: [0, 2],
  demanded: { endpointType: [brokerEndpoints] },
  forced: { includeClusterAuthorizedOperations: false, includeFencedBrokers: false },
  admit: (request: RequestOf<typeof describeCluster>) => ({
    forward: request,
    answer: (source) => ({
      ...source,
      errorMessage: null,
      controllerId: -1,
      brokers: (source?.brokers ?? [])
        .filter(({ isFenced }) => !isFenced)
        .map(({ brokerId }) => ({ brokerId, ...blankEndpoint })),
      clusterAuthorizedOperations: withheld,
    }),
  }),
})
