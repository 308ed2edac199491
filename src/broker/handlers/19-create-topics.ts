import { createTopics } from '../../wire/api/19-create-topics.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { type RequestOf, type ResponseInput, zeroUuid } from '../../wire/schema.ts'
import type { Outcome } from '../catalog/outcome.ts'
import type { Topic } from '../catalog/types.ts'
import { shownConfigs } from './config-resources.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'
import { repeated } from './repeated.ts'
import { mayServer, mayTopic, notPermittedOnTopic } from './topic-rights.ts'

type Wanted = RequestOf<typeof createTopics>['topics'][number]
type TopicAnswer = NonNullable<ResponseInput<typeof createTopics>['topics']>[number]

/** Makes topics with their logs, or says whether it could. */
export const createTopicsHandler = defineHandler<typeof createTopics>({
  api: createTopics,
  versions: createTopics.versions,
  async handle(request, context) {
    const { topics, validateOnly } = request
    const doubled = repeated(topics.map(({ name }) => name))
    const isPermitted = mayServer(context.session, 'can_create_topics')
    const wanted = isPermitted ? topics.filter(({ name }) => !doubled.has(name)) : []
    const outcomes = await context.node.catalog.create(wanted.map(newTopicOf), {
      internal: context.session.internal,
      validateOnly,
    })
    const made = wanted.map((one, place) => answerOf(one.name, outcomes[place]!, context))
    const twice = [...doubled].map((name) => {
      return { name, errorCode: kafkaErrors.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' }
    })
    const refused = isPermitted ? [] : topics.filter(({ name }) => !doubled.has(name)).map(forbidden)
    return answer<typeof createTopics>({ topics: [...made, ...twice, ...refused] })
  },
})

function newTopicOf({ name, numPartitions, replicationFactor, assignments, configs }: Wanted) {
  return { name, partitions: numPartitions, replicationFactor, assignments, configs }
}

function forbidden({ name }: Wanted): TopicAnswer {
  return { name, ...notPermittedOnTopic }
}

function answerOf(name: string, outcome: Outcome<Topic>, context: RequestContext): TopicAnswer {
  if (!outcome.ok) return { name, errorCode: kafkaErrors[outcome.error], errorMessage: outcome.message }
  const { topicId, partitions } = outcome.value
  const made = { name, topicId: topicId || zeroUuid, errorCode: 0, errorMessage: null }
  if (!mayTopic(context.session, 'can_view', name)) {
    return { ...made, topicConfigErrorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED, configs: null }
  }
  const configs = shownConfigs(context, outcome.value).map(({ name: key, value, readOnly, source }) => {
    return { name: key, value, readOnly, configSource: source, isSensitive: false }
  })
  return { ...made, numPartitions: partitions, replicationFactor: 1, configs }
}
