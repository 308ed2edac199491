import { fetch } from '../../../wire/api/01-fetch.ts'
import { kafkaErrors } from '../../../wire/errors.ts'
import { type RequestOf, type ResponseInput, type ResponseOf, zeroUuid } from '../../../wire/schema.ts'
import { defineRule, type RuleContext, sift, split } from '../rule.ts'

type Request = RequestOf<typeof fetch>
type AskedTopic = Request['topics'][number]
type Topic = ResponseOf<typeof fetch>['responses'][number]
type TopicInput = NonNullable<ResponseInput<typeof fetch>['responses']>[number]

const noReplica = { replicaId: -1, replicaEpoch: -1 }
const noSuchSession = kafkaErrors.FETCH_SESSION_ID_NOT_FOUND

/**
 * Up to v15: later ones tell hosts, and how far replicas are. Sessions end at the gateway: a client that wants one gets
 * none, as brokers do that have no room for it, and sends full fetches.
 */
export const fetchRule = defineRule({
  api: fetch,
  versions: [4, 15],
  demanded: { replicaId: [-1], replicaState: [noReplica], isolationLevel: [0, 1] },
  forced: {
    clusterId: null,
    sessionEpoch: -1,
    forgottenTopicsData: [],
    rackId: '',
  },
  clamped: (limits) => ({
    maxWaitMs: limits.waitMsMax,
    minBytes: limits.fetchBytesMax,
    maxBytes: limits.fetchBytesMax,
  }),
  admit(request, context) {
    if (request.sessionId !== 0) return { forward: undefined, answer: () => ({ errorCode: noSuchSession }) }
    const names = namesOf(request.topics, context)
    const nameOf = (topic: AskedTopic | Topic) => names.get(topic.topicId) ?? topic.topic
    const { seen, hidden } = split(request.topics, (topic) => context.rights.mayReadTopic(nameOf(topic)))
    // A broker answers at once when a partition has an error, and so do we when we know one already.
    const maxWaitMs = hidden.length > 0 ? 0 : request.maxWaitMs
    const topics = seen.map((topic) => ({ ...topic, partitions: topic.partitions.map(asConsumer) }))
    return {
      forward: seen.length > 0 ? { ...request, maxWaitMs, topics } : undefined,
      answer: (source, rightsNow) => {
        const now = sift(source?.responses, nameOf, seen.map(nameOf), rightsNow.mayReadTopic)
        return {
          throttleTimeMs: source?.throttleTimeMs ?? 0,
          errorCode: source?.errorCode ?? 0,
          sessionId: 0,
          responses: [...now.seen.map(shown), ...now.hidden.map(revoked), ...hidden.map(missing)],
        }
      },
    }
  },
})

/** What topic ids stand for. An id that is not known stands for no name, which nobody may read. */
function namesOf(topics: AskedTopic[], { topicName }: RuleContext): Map<string, string> {
  const ids = topics.map(({ topicId }) => topicId).filter((topicId) => topicId !== zeroUuid)
  return new Map(ids.map((topicId) => [topicId, topicName(topicId) ?? noName]))
}

/** No topic can be called this. */
const noName = '__'

/** Without what only replicas say of themselves. */
function asConsumer(partition: AskedTopic['partitions'][number]) {
  const { currentLeaderEpoch, fetchOffset, lastFetchedEpoch, partitionMaxBytes } = partition
  return {
    partition: partition.partition,
    currentLeaderEpoch,
    fetchOffset,
    lastFetchedEpoch,
    partitionMaxBytes: Math.max(0, partitionMaxBytes),
  }
}

function shown(topic: Topic): TopicInput {
  const partitions = topic.partitions.map(({ preferredReadReplica: _, snapshotId: __, ...rest }) => rest)
  return { topic: topic.topic, topicId: topic.topicId, partitions }
}

function missing({ topic, topicId, partitions }: AskedTopic): TopicInput {
  return { topic, topicId, partitions: partitions.map(({ partition }) => missingPartition(topicId, partition)) }
}

/** Taken away between the question and the answer. */
function revoked({ topic, topicId, partitions }: Topic): TopicInput {
  return { topic, topicId, partitions: partitions.map((one) => missingPartition(topicId, one.partitionIndex)) }
}

function missingPartition(topicId: string, partitionIndex: number) {
  const byId = topicId !== zeroUuid
  const errorCode = byId ? kafkaErrors.UNKNOWN_TOPIC_ID : kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
  return { partitionIndex, errorCode, highWatermark: -1, records: new Uint8Array(0) }
}
