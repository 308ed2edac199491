import { deleteRecords } from '../../wire/api/21-delete-records.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { Topic } from '../catalog/types.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'
import { logOf, topicByName } from './partitions.ts'

/**
 * Moves the start of a log up. For our own daemon, on a mirror, also beyond its end: the log then begins anew there, as
 * that of the source does.
 */
export const deleteRecordsHandler = defineHandler<typeof deleteRecords>({
  api: deleteRecords,
  versions: deleteRecords.versions,
  async handle(request, context) {
    const topics = request.topics.map(async ({ name, partitions }) => {
      const found = topicByName(context.node, context.session, 'can_delete', name)
      const answers = partitions.map(async ({ partitionIndex, offset }) => {
        if (found.code !== 0) return failure(partitionIndex, found.code)
        return await moveStart(found.topic as Topic, { partitionIndex, offset }, context)
      })
      return { name, partitions: await Promise.all(answers) }
    })
    return answer<typeof deleteRecords>({ topics: await Promise.all(topics) })
  },
})

function failure(partitionIndex: number, errorCode: number) {
  return { partitionIndex, errorCode, lowWatermark: -1 }
}

async function moveStart(
  topic: Topic,
  { partitionIndex, offset }: { partitionIndex: number; offset: number },
  { node, session }: RequestContext,
) {
  const log = logOf(node, topic, partitionIndex)
  if (!log) return failure(partitionIndex, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  if (topic.mirrorId !== null && !session.internal) return failure(partitionIndex, kafkaErrors.INVALID_REQUEST)
  try {
    if (topic.mirrorId !== null && offset > log.logEndOffset) {
      await log.restartAt(offset)
      return { partitionIndex, errorCode: 0, lowWatermark: log.bounds.logStartOffset }
    }
    const outcome = await log.deleteRecords(offset)
    if (!outcome.ok) return failure(partitionIndex, kafkaErrors[outcome.error])
    return { partitionIndex, errorCode: 0, lowWatermark: outcome.logStartOffset }
  } catch (error) {
    node.log.error({ err: error, topic: topic.name, partition: partitionIndex }, 'Records could not be deleted')
    return failure(partitionIndex, kafkaErrors.KAFKA_STORAGE_ERROR)
  }
}
