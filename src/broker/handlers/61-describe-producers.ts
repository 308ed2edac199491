import { describeProducers } from '../../wire/api/61-describe-producers.ts'
import { kafkaErrorDescription, kafkaErrors } from '../../wire/errors.ts'
import type { Topic } from '../catalog/types.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'
import { logOf, topicByName } from './partitions.ts'

/** The producers that a partition's log remembers; they are told once, however often a request asks. */
export const describeProducersHandler = defineHandler<typeof describeProducers>({
  api: describeProducers,
  versions: describeProducers.versions,
  handle(request, context) {
    const wanted = new Map(request.topics.map(({ name, partitionIndexes }) => [name, new Set(partitionIndexes)]))
    const topics = [...wanted].map(([name, partitionIndexes]) => {
      const found = topicByName(context.node, context.session, 'can_read', name)
      const partitions = [...partitionIndexes].map((partitionIndex) => {
        if (found.code !== 0) return failure(partitionIndex, found.code)
        return describe(found.topic as Topic, partitionIndex, context)
      })
      return { name, partitions }
    })
    return answer<typeof describeProducers>({ topics })
  },
})

function failure(partitionIndex: number, errorCode: number) {
  return { partitionIndex, errorCode, errorMessage: kafkaErrorDescription(errorCode), activeProducers: [] }
}

function describe(topic: Topic, partitionIndex: number, { node }: RequestContext) {
  const log = logOf(node, topic, partitionIndex)
  if (!log) return failure(partitionIndex, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  const activeProducers = log.producers().map((one) => ({
    producerId: one.producerId,
    producerEpoch: one.producerEpoch,
    lastSequence: one.lastSequence,
    lastTimestamp: one.lastTimestampMs,
    coordinatorEpoch: one.coordinatorEpoch,
    currentTxnStartOffset: one.currentTransactionStartOffset,
  }))
  return { partitionIndex, errorCode: 0, errorMessage: null, activeProducers }
}
