import { offsetDelete } from '../../wire/api/47-offset-delete.ts'
import { type KafkaErrorName, kafkaErrors } from '../../wire/errors.ts'
import { mayGroup } from '../groups/rights.ts'
import { answer, defineHandler } from './handler.ts'
import { topicByName } from './partitions.ts'

export const offsetDeleteHandler = defineHandler<typeof offsetDelete>({
  api: offsetDelete,
  versions: offsetDelete.versions,
  async handle({ groupId, topics }, { node, session }) {
    const refuse = (error: KafkaErrorName) => answer<typeof offsetDelete>({ errorCode: kafkaErrors[error] })
    if (!mayGroup(session, 'can_edit', groupId)) return refuse('GROUP_AUTHORIZATION_FAILED')
    if (groupId === '') return refuse('INVALID_GROUP_ID')
    const found = topics.map(({ name }) => topicByName(node, session, 'can_read', name))
    const asked = topics.flatMap(({ name, partitions }, index) => {
      return found[index]!.topic ? partitions.map((one) => ({ topic: name, partition: one.partitionIndex })) : []
    })
    const deleted = await node.groups.deleteOffsets(groupId, asked)
    if (deleted.error !== 'NONE') return refuse(deleted.error)
    let next = 0
    return answer<typeof offsetDelete>({
      topics: topics.map(({ name, partitions }, index) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => {
          const { code, topic } = found[index]!
          return { partitionIndex, errorCode: topic ? kafkaErrors[deleted.partitions[next++]!] : code }
        }),
      })),
    })
  },
})
