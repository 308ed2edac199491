import { describeGroups } from '../../wire/api/15-describe-groups.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { groupOperations, mayGroup } from '../groups/rights.ts'
import type { GroupDescription } from '../groups/types.ts'
import { answer, defineHandler } from './handler.ts'

const missingGroupVersion = 6

/** A group that is not there is a dead one, in the words of older versions. Each is told once, however often asked. */
export const describeGroupsHandler = defineHandler<typeof describeGroups>({
  api: describeGroups,
  versions: describeGroups.versions,
  handle({ groups, includeAuthorizedOperations }, { node, session, version }) {
    const described = [...new Set(groups)].map((groupId) => {
      if (!mayGroup(session, 'can_view', groupId)) return { groupId, errorCode: kafkaErrors.GROUP_AUTHORIZATION_FAILED }
      const group = node.groups.describe(groupId)
      if (!group && version >= missingGroupVersion) return missing(groupId)
      const operations = includeAuthorizedOperations ? { authorizedOperations: groupOperations(session, groupId) } : {}
      return { groupId, ...(group ? shown(group) : { groupState: 'Dead' }), ...operations }
    })
    return answer<typeof describeGroups>({ groups: described })
  },
})

function missing(groupId: string) {
  const errorMessage = `Group ${groupId} not found.`
  return { groupId, groupState: 'Dead', errorCode: kafkaErrors.GROUP_ID_NOT_FOUND, errorMessage }
}

function shown({ state, protocolType, protocolName, members }: GroupDescription) {
  return {
    groupState: state,
    protocolType,
    protocolData: protocolName,
    members: members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: member.metadata,
      memberAssignment: member.assignment,
    })),
  }
}
