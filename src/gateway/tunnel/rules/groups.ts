import { findCoordinator } from '../../../wire/api/10-find-coordinator.ts'
import { describeGroups } from '../../../wire/api/15-describe-groups.ts'
import { listGroups } from '../../../wire/api/16-list-groups.ts'
import { consumerGroupDescribe } from '../../../wire/api/69-consumer-group-describe.ts'
import { kafkaErrors } from '../../../wire/errors.ts'
import type { ResponseOf } from '../../../wire/schema.ts'
import type { TunnelRights } from '../rights.ts'
import { blankEndpoint, defineRule, sift, split } from '../rule.ts'

type ClassicGroup = ResponseOf<typeof describeGroups>['groups'][number]
type ConsumerGroup = ResponseOf<typeof consumerGroupDescribe>['groups'][number]

const groupIdOf = ({ groupId }: { groupId: string }) => groupId
const noBytes = new Uint8Array(0)
const withheld = -2147483648

/**
 * Groups only (key type 0). Every name has a coordinator, by its hash, whether there is such a group or not; so a group
 * that may not be seen is asked for like one that is not there, and nothing is told by it.
 */
export const findCoordinatorRule = defineRule({
  api: findCoordinator,
  versions: [0, 5],
  demanded: { keyType: [0] },
  admit: (request) => ({
    forward: request,
    answer: (source) => ({
      ...source,
      ...blankEndpoint,
      errorMessage: null,
      coordinators: (source?.coordinators ?? [])
        .filter(({ key }) => request.coordinatorKeys.includes(key))
        .map((one) => ({ ...one, ...blankEndpoint, errorMessage: null })),
    }),
  }),
})

export const listGroupsRule = defineRule({
  api: listGroups,
  versions: [0, 5],
  admit: (request) => ({
    forward: request,
    answer: (source, rightsNow) => ({
      ...source,
      groups: (source?.groups ?? []).filter(({ groupId }) => rightsNow.mayViewGroup(groupId)),
    }),
  }),
})

/** Members' own bytes hold names of topics that the link need not know: they stay here, as do their hosts. */
export const describeGroupsRule = defineRule({
  api: describeGroups,
  versions: [0, 6],
  forced: { includeAuthorizedOperations: false },
  admit(request, { rights, version }) {
    const errorCode = version >= 6 ? kafkaErrors.GROUP_ID_NOT_FOUND : 0
    const { seen, hidden } = split(request.groups, (groupId) => rights.mayViewGroup(groupId))
    return {
      forward: seen.length > 0 ? { ...request, groups: seen } : undefined,
      answer: (source, rightsNow) => {
        const now = sift(source?.groups, groupIdOf, seen, rightsNow.mayViewGroup)
        const gone = now.hidden.map(groupIdOf)
        const dead = [...gone, ...hidden].map((groupId) => ({ groupId, errorCode, groupState: 'Dead' }))
        return { ...source, groups: [...now.seen.map(shownClassic), ...dead] }
      },
    }
  },
})

function shownClassic(group: ClassicGroup) {
  const members = group.members.map((member) => ({
    ...member,
    clientHost: '',
    memberMetadata: noBytes,
    memberAssignment: noBytes,
  }))
  return { ...group, errorMessage: null, members, authorizedOperations: withheld }
}

export const consumerGroupDescribeRule = defineRule({
  api: consumerGroupDescribe,
  versions: [0, 1],
  forced: { includeAuthorizedOperations: false },
  admit(request, { rights }) {
    const { seen, hidden } = split(request.groupIds, (groupId) => rights.mayViewGroup(groupId))
    return {
      forward: seen.length > 0 ? { ...request, groupIds: seen } : undefined,
      answer: (source, rightsNow) => {
        const now = sift(source?.groups, groupIdOf, seen, rightsNow.mayViewGroup)
        const gone = [...now.hidden.map(groupIdOf), ...hidden]
        const missing = gone.map((groupId) => ({ groupId, errorCode: kafkaErrors.GROUP_ID_NOT_FOUND }))
        return { ...source, groups: [...now.seen.map((group) => shownConsumer(group, rightsNow)), ...missing] }
      },
    }
  },
})

function shownConsumer(group: ConsumerGroup, rights: TunnelRights) {
  const visible = ({ topicPartitions }: ConsumerGroup['members'][number]['assignment']) => ({
    topicPartitions: topicPartitions.filter(({ topicName }) => rights.mayViewTopic(topicName)),
  })
  const members = group.members.map((member) => ({
    ...member,
    clientHost: '',
    rackId: null,
    subscribedTopicNames: member.subscribedTopicNames.filter((name) => rights.mayViewTopic(name)),
    subscribedTopicRegex: null,
    assignment: visible(member.assignment),
    targetAssignment: visible(member.targetAssignment),
  }))
  return { ...group, errorMessage: null, members, authorizedOperations: withheld }
}
