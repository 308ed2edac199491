import { leaveGroup } from '../../wire/api/13-leave-group.ts'
import { type KafkaErrorName, kafkaErrors } from '../../wire/errors.ts'
import { mayGroup } from '../groups/rights.ts'
import { answer, defineHandler } from './handler.ts'

const manyMembersVersion = 3

export const leaveGroupHandler = defineHandler<typeof leaveGroup>({
  api: leaveGroup,
  versions: leaveGroup.versions,
  handle({ groupId, memberId, members }, { node, session, version }) {
    const refuse = (error: KafkaErrorName) => answer<typeof leaveGroup>({ errorCode: kafkaErrors[error] })
    if (!mayGroup(session, 'can_edit', groupId)) return refuse('GROUP_AUTHORIZATION_FAILED')
    if (groupId === '') return refuse('INVALID_GROUP_ID')
    if (version < manyMembersVersion) {
      const [result] = node.groups.leave(groupId, [{ memberId, instanceId: null }])
      return refuse(result!.error)
    }
    const leaving = members.map((member) => ({ memberId: member.memberId, instanceId: member.groupInstanceId }))
    const results = node.groups.leave(groupId, leaving).map((result) => ({
      memberId: result.memberId,
      groupInstanceId: result.instanceId,
      errorCode: kafkaErrors[result.error],
    }))
    return answer<typeof leaveGroup>({ members: results })
  },
})
