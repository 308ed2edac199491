import { heartbeat } from '../../wire/api/12-heartbeat.ts'
import { type KafkaErrorName, kafkaErrors } from '../../wire/errors.ts'
import { mayGroup } from '../groups/rights.ts'
import { answer, defineHandler } from './handler.ts'

export const heartbeatHandler = defineHandler<typeof heartbeat>({
  api: heartbeat,
  versions: heartbeat.versions,
  handle({ groupId, generationId: generation, memberId, groupInstanceId: instanceId }, { node, session }) {
    const tell = (error: KafkaErrorName) => answer<typeof heartbeat>({ errorCode: kafkaErrors[error] })
    if (!mayGroup(session, 'can_edit', groupId)) return tell('GROUP_AUTHORIZATION_FAILED')
    if (groupId === '') return tell('INVALID_GROUP_ID')
    return tell(node.groups.heartbeat({ groupId, generation, memberId, instanceId }))
  },
})
