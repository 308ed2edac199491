import { metadata } from '../../../wire/api/03-metadata.ts'
import { kafkaErrors } from '../../../wire/errors.ts'
import { type RequestOf, type ResponseInput, type ResponseOf, zeroUuid } from '../../../wire/schema.ts'
import { blankEndpoint, defineRule, sift, split } from '../rule.ts'

type AskedTopic = NonNullable<RequestOf<typeof metadata>['topics']>[number]
type Topic = ResponseOf<typeof metadata>['topics'][number]

/** v4 is the first in which auto-creation can be forbidden. */
export const metadataRule = defineRule({
  api: metadata,
  versions: [4, 13],
  forced: {
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  },
  admit(request, { rights, topicName }) {
    const nameOf = ({ name, topicId }: AskedTopic | Topic) => name ?? topicName(topicId) ?? ''
    const { seen, hidden } = split(request.topics ?? [], (asked) => rights.mayViewTopic(nameOf(asked)))
    const all = request.topics === null
    return {
      forward: { ...request, topics: all ? null : seen },
      answer: (source, rightsNow) => {
        const topics = source?.topics ?? []
        const asked = (all ? topics : seen).map(nameOf)
        const now = sift(topics, nameOf, asked, rightsNow.mayViewTopic)
        // Of all topics only those that may be seen; of topics that were asked for, each has its entry.
        const gone = new Set(all ? [] : now.hidden.map(nameOf))
        const goneAsked = seen.filter((one) => gone.has(nameOf(one)))
        return {
          ...source,
          brokers: (source?.brokers ?? []).map(({ nodeId }) => ({ nodeId, ...blankEndpoint })),
          controllerId: -1,
          topics: [...now.seen.map(shown), ...goneAsked.map(missing), ...hidden.map(missing)],
          clusterAuthorizedOperations: withheld,
        }
      },
    }
  },
})

/** Kafka's sign for rights that were not asked for. */
const withheld = -2147483648

function shown(topic: Topic) {
  return { ...topic, topicAuthorizedOperations: withheld }
}

function missing({ name, topicId }: AskedTopic): NonNullable<ResponseInput<typeof metadata>['topics']>[number] {
  const errorCode = name === null ? kafkaErrors.UNKNOWN_TOPIC_ID : kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
  return { errorCode, name, topicId: name === null ? topicId : zeroUuid }
}
