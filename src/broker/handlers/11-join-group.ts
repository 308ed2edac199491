import { joinGroup } from '../../wire/api/11-join-group.ts'
import { type KafkaErrorName, kafkaErrors } from '../../wire/errors.ts'
import { mayGroup } from '../groups/rights.ts'
import type { JoinResult } from '../groups/types.ts'
import { untilGone } from '../groups/until-gone.ts'
import { answer, defineHandler, type HandlerAnswer } from './handler.ts'

const rebalanceTimeoutVersion = 1
const memberIdVersion = 4
const nullNameVersion = 7
const skipVersion = 9

/** Waits until all members have joined. A client that goes meanwhile is missed when its session ends, not before. */
export const joinGroupHandler = defineHandler<typeof joinGroup>({
  api: joinGroup,
  versions: joinGroup.versions,
  async handle(request, { node, session, clientId, version, signal }) {
    const { groupId, memberId, sessionTimeoutMs } = request
    const refuse = (error: KafkaErrorName) => {
      const protocolName = version < nullNameVersion ? '' : null
      return answer<typeof joinGroup>({ errorCode: kafkaErrors[error], memberId, protocolName })
    }
    if (!mayGroup(session, 'can_edit', groupId)) return refuse('GROUP_AUTHORIZATION_FAILED')
    if (groupId === '') return refuse('INVALID_GROUP_ID')
    const joining = node.groups.join({
      groupId,
      memberId,
      instanceId: request.groupInstanceId,
      clientId,
      clientHost: session.clientHost,
      sessionTimeoutMs,
      rebalanceTimeoutMs: version < rebalanceTimeoutVersion ? sessionTimeoutMs : request.rebalanceTimeoutMs,
      protocolType: request.protocolType,
      protocols: request.protocols,
      requiresMemberId: version >= memberIdVersion,
      skipsAssignment: version >= skipVersion,
    })
    const result = await untilGone(joining, signal)
    return result ? joined(result, version) : { kind: 'none' }
  },
})

function joined(result: JoinResult, version: number): HandlerAnswer<typeof joinGroup> {
  return answer<typeof joinGroup>({
    errorCode: kafkaErrors[result.error],
    generationId: result.generation,
    protocolType: result.protocolType,
    protocolName: result.protocolName ?? (version < nullNameVersion ? '' : null),
    leader: result.leader,
    skipAssignment: result.skipAssignment,
    memberId: result.memberId,
    members: result.members.map(({ memberId, instanceId, metadata }) => {
      return { memberId, groupInstanceId: instanceId, metadata }
    }),
  })
}
