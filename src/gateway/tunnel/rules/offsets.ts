import { listOffsets } from '../../../wire/api/02-list-offsets.ts'
import { offsetForLeaderEpoch } from '../../../wire/api/23-offset-for-leader-epoch.ts'
import { describeProducers } from '../../../wire/api/61-describe-producers.ts'
import { kafkaErrors } from '../../../wire/errors.ts'
import { defineRule, sift, split } from '../rule.ts'

const errorCode = kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION

/** A client may ask as some replica to learn the leader's log end; through a tunnel it learns what consumers learn. */
export const listOffsetsRule = defineRule({
  api: listOffsets,
  versions: [1, 11],
  forced: { replicaId: -1 },
  clamped: (limits) => ({ timeoutMs: limits.waitMsMax }),
  admit(request, { rights }) {
    const nameOf = ({ name }: { name: string }) => name
    const { seen, hidden } = split(request.topics, ({ name }) => rights.mayViewTopic(name))
    const missing = (topic: { name: string; partitions: { partitionIndex: number }[] }) => ({
      name: topic.name,
      partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })
    return {
      forward: seen.length > 0 ? { ...request, topics: seen } : undefined,
      answer: (source, rightsNow) => {
        const now = sift(source?.topics, nameOf, seen.map(nameOf), rightsNow.mayViewTopic)
        return { ...source, topics: [...now.seen, ...now.hidden.map(missing), ...hidden.map(missing)] }
      },
    }
  },
})

export const offsetForLeaderEpochRule = defineRule({
  api: offsetForLeaderEpoch,
  versions: [2, 4],
  forced: { replicaId: -1 },
  admit(request, { rights }) {
    const nameOf = ({ topic }: { topic: string }) => topic
    const { seen, hidden } = split(request.topics, ({ topic }) => rights.mayViewTopic(topic))
    const missing = ({ topic, partitions }: { topic: string; partitions: { partition: number }[] }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode })),
    })
    return {
      forward: seen.length > 0 ? { ...request, topics: seen } : undefined,
      answer: (source, rightsNow) => {
        const now = sift(source?.topics, nameOf, seen.map(nameOf), rightsNow.mayViewTopic)
        return { ...source, topics: [...now.seen, ...now.hidden.map(missing), ...hidden.map(missing)] }
      },
    }
  },
})

export const describeProducersRule = defineRule({
  api: describeProducers,
  versions: [0, 0],
  admit(request, { rights }) {
    const nameOf = ({ name }: { name: string }) => name
    const { seen, hidden } = split(request.topics, ({ name }) => rights.mayReadTopic(name))
    const missing = (name: string, partitionIndexes: number[]) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode })),
    })
    return {
      forward: seen.length > 0 ? { topics: seen } : undefined,
      answer: (source, rightsNow) => {
        const now = sift(source?.topics, nameOf, seen.map(nameOf), rightsNow.mayReadTopic)
        const gone = now.hidden.map(({ name, partitions }) => {
          const indexes = partitions.map(({ partitionIndex }) => partitionIndex)
          return missing(name, indexes)
        })
        const never = hidden.map(({ name, partitionIndexes }) => missing(name, partitionIndexes))
        const shown = now.seen.map(({ name, partitions }) => {
          return { name, partitions: partitions.map((one) => ({ ...one, errorMessage: null })) }
        })
        return { ...source, topics: [...shown, ...gone, ...never] }
      },
    }
  },
})
