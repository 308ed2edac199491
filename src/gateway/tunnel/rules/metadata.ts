import { metadata } from '../../../wire/api/03-metadata.ts'
import { kafkaErrors } from '../../../wire/errors.ts'
import { type RequestOf, type ResponseInput, type ResponseOf, zeroUuid } from '../../../wire/schema.ts'
import { blankEndpoint, defineRule, split } from '../rule.ts'

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
    const nameOf = ({ name, topicId }: AskedTopic | Topic) => name ?? topicName(topicId)
    const { seen, hidden } = split(request.topics ?? [], (asked) => {
      const name = nameOf(asked)
      return name !== undefined && rights.mayViewTopic(name)
    })
    return {
      forward: { ...request, topics: request.topics === null ? null : seen },
      answer: (source, rightsNow) => {
        const topics = source?.topics ?? []
        const now = split(topics, (topic) => topic.name !== null && rightsNow.mayViewTopic(topic.name))
        // Of all topics only those that may be seen; of topics that were asked for, each has its entry.
        const gone = request.topics === null ? [] : now.hidden.map((topic) => missing(findAsked(seen, topic)))
        return {
          ...source,
          brokers: (source?.brokers ?? []).map(({ nodeId }) => ({ nodeId, ...blankEndpoint })),
          controllerId: -1,
          topics: [...now.seen.map(shown), ...gone, ...hidden.map(missing)],
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

/** As it was asked for: by name, or by id with a null name. */
function findAsked(asked: AskedTopic[], topic: Topic): AskedTopic {
  return asked.find(({ name, topicId }) => (name === null ? topicId === topic.topicId : name === topic.name)) ?? topic
}

function missing({ name, topicId }: AskedTopic): NonNullable<ResponseInput<typeof metadata>['topics']>[number] {
  const errorCode = name === null ? kafkaErrors.UNKNOWN_TOPIC_ID : kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
  return { errorCode, name, topicId: name === null ? topicId : zeroUuid }
}
