import { LinkspanError } from '../../base/errors.ts'
import { CreateTopic, KafkaTopic, KafkaTopicList, PatchTopic } from '../../contract/kafka-v3.ts'
import { createPartitions, createTopics, deleteTopics, describeTopics, listTopics } from '../../kafka/admin/topics.ts'
import type { TopicMetadata } from '../../kafka/metadata-cache.ts'
import { type Outcome, unwrap } from '../../kafka/rounds.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route, type RouteAccess } from '../route.ts'
import { changesOf } from './config-input.ts'
import { clusterOf, clusterPath, listOf, noContent, ok, topicRefOf, urlOf, type V3Rooms } from './rooms.ts'
import { explainTopicError } from './topic-errors.ts'

export const topicsPath = `${clusterPath}/topics`
export const topicPath = `${topicsPath}/:topic`

export function topicRoutes(rooms: V3Rooms): Route[] {
  return [listRoute(rooms), createRoute(rooms), getRoute(rooms), growRoute(rooms), deleteRoute(rooms)]
}

export function topicAccess(entitlement: 'can_view' | 'can_edit' | 'can_delete'): RouteAccess {
  return { kind: 'entitlement', entitlement, entity: (request) => topicRefOf(request.param('topic')) }
}

/** Fresh metadata of the topic in the path. Throws with Confluent's own code when there is none. */
export async function topicOf(rooms: V3Rooms, request: ApiRequest): Promise<TopicMetadata> {
  clusterOf(rooms, request)
  const [found] = await describeTopics(rooms.mirrors.destination, [request.param('topic')], { signal: request.signal })
  return topicValue(request.param('topic'), found)
}

/** The value, or the error in Confluent's words. */
export function topicValue<T>(topic: string, outcome: Outcome<T> | undefined): T {
  if (outcome?.error) throw explainTopicError(topic, outcome.error)
  return unwrap(outcome)
}

function listRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: topicsPath,
    summary: 'List the topics that the caller may see',
    access: { kind: 'authenticated' },
    result: KafkaTopicList,
    handler: async (request) => {
      const cluster = clusterOf(rooms, request)
      const topics = await listTopics(rooms.mirrors.destination, { signal: request.signal })
      const visible = topics.filter(({ name }) => request.mayView(topicRefOf(name)))
      const shown = visible.map((topic) => showTopic(request, topic)).sort(byName)
      return ok(listOf('KafkaTopicList', urlOf(request, cluster, 'topics'), shown))
    },
  })
}

function createRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'POST',
    path: topicsPath,
    summary: 'Make a topic',
    access: { kind: 'entitlement', entitlement: 'can_create_topics', entity: () => ({ type: 'server', name: '' }) },
    body: CreateTopic,
    answers: [200, 201],
    result: KafkaTopic,
    handler: async (request) => {
      const cluster = clusterOf(rooms, request)
      const { topic_name: name, partitions_count, replication_factor, configs, validate_only } = request.body
      const validateOnly = validate_only ?? false
      const set = changesOf(configs ?? []).flatMap(({ name: key, value }) =>
        value === null ? [] : [[key, value] as const],
      )
      const wanted = {
        name,
        partitions: partitions_count ?? -1,
        ...(replication_factor ? { replicationFactor: replication_factor } : {}),
        configs: Object.fromEntries(set),
      }
      const { destination } = rooms.mirrors
      const [outcome] = await createTopics(destination, [wanted], { validateOnly, signal: request.signal })
      topicValue(name, outcome)
      if (validateOnly) return ok(showTopic(request, { name, topicId: '', internal: false, partitions: [] }))
      const [made] = await describeTopics(destination, [name], { signal: request.signal })
      const location = urlOf(request, cluster, 'topics', name)
      return { status: 201, headers: { location }, body: showTopic(request, topicValue(name, made)) }
    },
  })
}

function getRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: topicPath,
    summary: 'Show a topic',
    access: topicAccess('can_view'),
    result: KafkaTopic,
    handler: async (request) => ok(showTopic(request, await topicOf(rooms, request))),
  })
}

function growRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'PATCH',
    path: topicPath,
    summary: 'Give a topic more partitions',
    access: topicAccess('can_edit'),
    body: PatchTopic,
    result: KafkaTopic,
    handler: async (request) => {
      const { name } = await topicOf(rooms, request)
      if (rooms.mirrors.ofTopic(name)) {
        const sentence = `Topic '${name}' is a mirror: its partitions follow the source's`
        throw new LinkspanError('state-conflict', `${sentence}. Add partitions there, or promote it first`)
      }
      const { destination } = rooms.mirrors
      const wanted = [{ name, partitions: request.body.partitions_count }]
      const [outcome] = await createPartitions(destination, wanted, { signal: request.signal })
      topicValue(name, outcome)
      return ok(showTopic(request, await topicOf(rooms, request)))
    },
  })
}

/** A mirror goes with its topic. */
function deleteRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'DELETE',
    path: topicPath,
    summary: 'Delete a topic, and the mirror that it is or was',
    access: topicAccess('can_delete'),
    handler: async (request) => {
      const { name } = await topicOf(rooms, request)
      if (!(await rooms.mirrors.delete(name))) {
        const [outcome] = await deleteTopics(rooms.mirrors.destination, [name], { signal: request.signal })
        topicValue(name, outcome)
      }
      return noContent()
    },
  })
}

function byName(one: KafkaTopic, other: KafkaTopic): number {
  return one.topic_name < other.topic_name ? -1 : 1
}

function showTopic(request: ApiRequest, topic: TopicMetadata): KafkaTopic {
  const cluster = request.param('cluster')
  const self = urlOf(request, cluster, 'topics', topic.name)
  const related = (path: string) => ({ related: `${self}/${path}` })
  return {
    kind: 'KafkaTopic',
    metadata: { self, resource_name: `crn:///kafka=${cluster}/topic=${topic.name}` },
    cluster_id: cluster,
    topic_name: topic.name,
    is_internal: topic.internal,
    replication_factor: topic.partitions[0]?.replicas.length ?? 0,
    partitions_count: topic.partitions.length,
    partitions: related('partitions'),
    configs: related('configs'),
    partition_reassignments: related('partitions/-/reassignment'),
  }
}
