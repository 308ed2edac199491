import { offsetForLeaderEpoch } from '../../wire/api/23-offset-for-leader-epoch.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { Topic } from '../catalog/types.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'
import { leaderEpoch, leaderEpochError, logOf, topicByName } from './partitions.ts'

/** Epoch 0 ends at the log end; this broker has never had another one. */
export const offsetForLeaderEpochHandler = defineHandler<typeof offsetForLeaderEpoch>({
  api: offsetForLeaderEpoch,
  versions: offsetForLeaderEpoch.versions,
  handle(request, context) {
    const topics = request.topics.map(({ topic: name, partitions }) => {
      const found = topicByName(context.node, context.session, 'can_view', name)
      const answers = partitions.map((wanted) => {
        if (found.code !== 0) return { errorCode: found.code, partition: wanted.partition }
        return find(found.topic as Topic, wanted, context)
      })
      return { topic: name, partitions: answers }
    })
    return answer<typeof offsetForLeaderEpoch>({ topics })
  },
})

function find(
  topic: Topic,
  wanted: { partition: number; currentLeaderEpoch: number; leaderEpoch: number },
  { node }: RequestContext,
) {
  const { partition } = wanted
  const log = logOf(node, topic, partition)
  const errorCode = log ? leaderEpochError(wanted.currentLeaderEpoch) : kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
  if (!log || errorCode !== 0) return { errorCode, partition }
  if (wanted.leaderEpoch !== leaderEpoch) return { errorCode: 0, partition, leaderEpoch: -1, endOffset: -1 }
  return { errorCode: 0, partition, leaderEpoch, endOffset: log.logEndOffset }
}
