import { syncGroup } from '../../wire/api/14-sync-group.ts'
import { type KafkaErrorName, kafkaErrors } from '../../wire/errors.ts'
import { mayGroup } from '../groups/rights.ts'
import { untilGone } from '../groups/until-gone.ts'
import { answer, defineHandler } from './handler.ts'

const protocolVersion = 5

/** Waits until the leader has assigned, and that is on disk. */
export const syncGroupHandler = defineHandler<typeof syncGroup>({
  api: syncGroup,
  versions: syncGroup.versions,
  async handle(request, { node, session, version, signal }) {
    const { groupId, memberId, protocolType, protocolName, assignments } = request
    const refuse = (error: KafkaErrorName) => answer<typeof syncGroup>({ errorCode: kafkaErrors[error] })
    const isUnnamed = protocolType === null || protocolName === null
    if (version >= protocolVersion && isUnnamed) return refuse('INCONSISTENT_GROUP_PROTOCOL')
    if (!mayGroup(session, 'can_edit', groupId)) return refuse('GROUP_AUTHORIZATION_FAILED')
    if (groupId === '') return refuse('INVALID_GROUP_ID')
    const syncing = node.groups.sync({
      groupId,
      memberId,
      instanceId: request.groupInstanceId,
      generation: request.generationId,
      protocolType,
      protocolName,
      assignments,
    })
    const synced = await untilGone(syncing, signal)
    if (!synced) return { kind: 'none' }
    const { error, ...result } = synced
    return answer<typeof syncGroup>({ errorCode: kafkaErrors[error], ...result })
  },
})
