import { metadata } from '../../wire/api/03-metadata.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { type RequestOf, type ResponseInput, zeroUuid } from '../../wire/schema.ts'
import { internalTopics, topicNameProblem } from '../catalog/names.ts'
import type { Topic } from '../catalog/types.ts'
import type { BrokerNode } from '../node.ts'
import { answer, defineHandler, type HandlerAnswer, type RequestContext } from './handler.ts'
import { leaderEpoch } from './partitions.ts'
import { mayServer, mayTopic, operationsNotAsked, topicOperations, visibleClusterOperations } from './topic-rights.ts'

type MetadataRequest = RequestOf<typeof metadata>
type TopicAnswer = NonNullable<ResponseInput<typeof metadata>['topics']>[number]

/** From here on topics can be asked for by id. */
const topicIdVersion = 12

/**
 * This one broker, which is the controller too, and its topics. A topic that is made by being asked for is there with
 * the answer, so that no client has to ask again.
 */
export const metadataHandler = defineHandler<typeof metadata>({
  api: metadata,
  versions: metadata.versions,
  handle: (request, context) => {
    const { topics } = request
    const isAll = topics === null || (context.version === 0 && topics.length === 0)
    if (isAll) return tell(request, context, allTopics(request, context))
    const byId = context.version >= topicIdVersion && topics.some(({ topicId }) => topicId !== zeroUuid)
    if (byId) return tell(request, context, topicsById(request, context))
    const names = [...new Set(topics.map(({ name }) => name ?? ''))]
    const missing = names.filter((name) => isToBeMade(name, request, context))
    if (missing.length === 0) return tell(request, context, topicsByName(names, request, context, refusals))
    return makeTopics(missing, context).then((failures) => {
      return tell(request, context, topicsByName(names, request, context, failures))
    })
  },
})

type Failures = ReadonlyMap<string, number>
const refusals: Failures = new Map()

function tell(
  request: MetadataRequest,
  context: RequestContext,
  topics: TopicAnswer[],
): HandlerAnswer<typeof metadata> {
  const { node, session } = context
  const { host, port } = node.advertised()
  const asksForCluster = context.version <= 10 && request.includeClusterAuthorizedOperations
  return answer<typeof metadata>({
    brokers: [{ nodeId: node.config.nodeId, host, port }],
    clusterId: node.clusterId,
    controllerId: node.config.nodeId,
    topics,
    clusterAuthorizedOperations: asksForCluster ? visibleClusterOperations(session) : operationsNotAsked,
  })
}

/** Those that the caller may see. */
function allTopics(request: MetadataRequest, context: RequestContext): TopicAnswer[] {
  const visible = context.node.catalog.list().filter(({ name }) => mayTopic(context.session, 'can_view', name))
  return visible.map((topic) => describe(topic, request, context))
}

function topicsById(request: MetadataRequest, context: RequestContext): TopicAnswer[] {
  const ids = new Set((request.topics ?? []).map(({ topicId }) => topicId).filter((topicId) => topicId !== zeroUuid))
  return [...ids].map((topicId) => {
    const topic = context.node.catalog.byId(topicId)
    if (!topic) return { errorCode: kafkaErrors.UNKNOWN_TOPIC_ID, name: null, topicId }
    if (mayTopic(context.session, 'can_view', topic.name)) return describe(topic, request, context)
    return { errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED, name: null, topicId }
  })
}

function topicsByName(
  names: readonly string[],
  request: MetadataRequest,
  context: RequestContext,
  failures: Failures,
): TopicAnswer[] {
  return names.map((name) => {
    if (!mayTopic(context.session, 'can_view', name)) return unseen(name, kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
    const topic = context.node.catalog.get(name)
    return topic ? describe(topic, request, context) : unseen(name, failures.get(name) ?? codeOfMissing(name))
  })
}

function codeOfMissing(name: string): number {
  const isPossible = topicNameProblem(name) === undefined
  return isPossible ? kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION : kafkaErrors.INVALID_TOPIC_EXCEPTION
}

function unseen(name: string, errorCode: number): TopicAnswer {
  return { errorCode, name, isInternal: internalTopics.has(name) }
}

function describe(topic: Topic, request: MetadataRequest, context: RequestContext): TopicAnswer {
  const { name, topicId } = topic
  const asksForRights = context.version >= 8 && request.includeTopicAuthorizedOperations
  return {
    errorCode: 0,
    name,
    topicId,
    isInternal: internalTopics.has(name),
    partitions: Array.from({ length: topic.partitions }, (_, partition) => onThisNode(context.node, partition)),
    topicAuthorizedOperations: asksForRights ? topicOperations(context.session, name) : operationsNotAsked,
  }
}

function onThisNode({ config: { nodeId } }: BrokerNode, partitionIndex: number) {
  return {
    errorCode: 0,
    partitionIndex,
    leaderId: nodeId,
    leaderEpoch,
    replicaNodes: [nodeId],
    isrNodes: [nodeId],
    offlineReplicas: [],
  }
}

function isToBeMade(name: string, request: MetadataRequest, { node, session }: RequestContext): boolean {
  if (!request.allowAutoTopicCreation || !node.config.autoCreateTopics || node.catalog.get(name)) return false
  return mayTopic(session, 'can_view', name) && topicNameProblem(name) === undefined
}

/** The codes of those that could not be made. */
async function makeTopics(names: readonly string[], { node, session }: RequestContext): Promise<Failures> {
  if (!mayServer(session, 'can_create_topics')) {
    return new Map(names.map((name) => [name, kafkaErrors.TOPIC_AUTHORIZATION_FAILED]))
  }
  const wanted = names.map((name) => ({ name, partitions: -1, replicationFactor: -1 }))
  const outcomes = await node.catalog.create(wanted)
  return new Map(
    outcomes.flatMap((outcome, place) => {
      return outcome.ok ? [] : [[names[place]!, codeOfFailure(kafkaErrors[outcome.error])]]
    }),
  )
}

/** A policy that clients of Metadata know nothing of must not make them ask for ever. */
function codeOfFailure(code: number): number {
  switch (code) {
    case kafkaErrors.POLICY_VIOLATION:
      return kafkaErrors.INVALID_TOPIC_EXCEPTION
    case kafkaErrors.KAFKA_STORAGE_ERROR:
    case kafkaErrors.REQUEST_TIMED_OUT:
      return kafkaErrors.LEADER_NOT_AVAILABLE
    default:
      return code
  }
}
