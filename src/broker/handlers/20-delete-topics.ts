import { deleteTopics } from '../../wire/api/20-delete-topics.ts'
import { kafkaErrorDescription, kafkaErrors } from '../../wire/errors.ts'
import { type RequestOf, type ResponseInput, zeroUuid } from '../../wire/schema.ts'
import type { Topic } from '../catalog/types.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'
import { repeated } from './repeated.ts'
import { mayTopic, notPermittedOnTopic } from './topic-rights.ts'

type DeleteTopicsRequest = RequestOf<typeof deleteTopics>
type TopicAnswer = NonNullable<ResponseInput<typeof deleteTopics>['responses']>[number]

/** What a request names, by name or by id: either a topic to be deleted or what is answered in its place. */
type Judged =
  | { readonly topic: Topic; readonly name: string }
  | { readonly topic: undefined; readonly said: TopicAnswer }

/** Deletes topics with their records, mirrors too. */
export const deleteTopicsHandler = defineHandler<typeof deleteTopics>({
  api: deleteTopics,
  versions: deleteTopics.versions,
  async handle(request, context) {
    const judged = judge(request, context)
    const topics = judged.flatMap(({ topic }) => (topic ? [topic] : []))
    const outcomes = await context.node.catalog.delete(topics.map(({ topicId }) => topicId))
    const deleted = topics.map(({ name, topicId }, place): TopicAnswer => {
      const outcome = outcomes[place]!
      if (outcome.ok) return { name, topicId, errorCode: 0, errorMessage: null }
      return { name, topicId, errorCode: kafkaErrors[outcome.error], errorMessage: outcome.message }
    })
    const refused = judged.flatMap((one) => (one.topic ? [] : [one.said]))
    return answer<typeof deleteTopics>({ responses: [...deleted, ...refused] })
  },
})

function judge(request: DeleteTopicsRequest, context: RequestContext): Judged[] {
  const names = request.topicNames.concat(
    request.topics.flatMap(({ name, topicId }) => (name !== null && topicId === zeroUuid ? [name] : [])),
  )
  const ids = request.topics.flatMap(({ name, topicId }) => (name === null && topicId !== zeroUuid ? [topicId] : []))
  const [doubledNames, doubledIds] = [repeated(names), repeated(ids)]
  const byId = new Map(new Set(ids).values().map((id) => [id, byTopicId(id, doubledIds.has(id), context)]))
  const byName = [...new Set(names)].map((name) => {
    const one = byTopicName(name, doubledNames.has(name), context)
    if (!one.topic || !byId.has(one.topic.topicId)) return one
    // Named by its name and by its id: deleted by neither.
    byId.delete(one.topic.topicId)
    return said(name, one.topic.topicId, 'The provided topic name maps to an ID that was already supplied.')
  })
  return [...misnamed(request), ...byId.values(), ...byName]
}

/** By both, or by nothing at all. */
function misnamed({ topics }: DeleteTopicsRequest): Judged[] {
  return topics.flatMap(({ name, topicId }) => {
    if (name === null && topicId === zeroUuid) {
      return [said(null, zeroUuid, 'Neither topic name nor id were specified.')]
    }
    if (name === null || topicId === zeroUuid) return []
    return [said(name, topicId, 'You may not specify both topic name and topic id.')]
  })
}

function byTopicId(topicId: string, isDoubled: boolean, { node, session }: RequestContext): Judged {
  if (isDoubled) return said(null, topicId, 'Duplicate topic id.')
  const topic = node.catalog.byId(topicId)
  if (!topic) return failed(null, topicId, kafkaErrors.UNKNOWN_TOPIC_ID)
  if (mayTopic(session, 'can_delete', topic.name)) return { topic, name: topic.name }
  const name = mayTopic(session, 'can_view', topic.name) ? topic.name : null
  return { topic: undefined, said: { name, topicId, ...notPermittedOnTopic } }
}

function byTopicName(name: string, isDoubled: boolean, { node, session }: RequestContext): Judged {
  if (isDoubled) return said(name, zeroUuid, 'Duplicate topic name.')
  const forbidden = { topic: undefined, said: { name, ...notPermittedOnTopic } }
  if (!mayTopic(session, 'can_view', name)) return forbidden
  const topic = node.catalog.get(name)
  if (!topic) return failed(name, zeroUuid, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  return mayTopic(session, 'can_delete', name) ? { topic, name } : forbidden
}

function said(name: string | null, topicId: string, errorMessage: string): Judged {
  return { topic: undefined, said: { name, topicId, errorCode: kafkaErrors.INVALID_REQUEST, errorMessage } }
}

function failed(name: string | null, topicId: string, errorCode: number): Judged {
  return { topic: undefined, said: { name, topicId, errorCode, errorMessage: kafkaErrorDescription(errorCode) } }
}
