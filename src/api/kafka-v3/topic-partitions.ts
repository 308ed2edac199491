import { KafkaPartition, KafkaPartitionList } from '../../contract/kafka-v3.ts'
import type { PartitionMetadata } from '../../kafka/metadata-cache.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import { unknownTopic } from './dialect.ts'
import { listOf, ok, urlOf, type V3Rooms } from './rooms.ts'
import { topicAccess, topicOf, topicPath } from './topics.ts'

export function topicPartitionRoutes(rooms: V3Rooms): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: `${topicPath}/partitions`,
      summary: 'List the partitions of a topic',
      access: topicAccess('can_view'),
      result: KafkaPartitionList,
      handler: async (request) => {
        const { name, partitions } = await topicOf(rooms, request)
        const shown = partitions.map((partition) => showPartition(request, name, partition))
        const self = urlOf(request, request.param('cluster'), 'topics', name, 'partitions')
        return ok(listOf('KafkaPartitionList', self, shown))
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${topicPath}/partitions/:partition`,
      summary: 'Show a partition of a topic',
      access: topicAccess('can_view'),
      result: KafkaPartition,
      handler: async (request) => {
        const { name, partitions } = await topicOf(rooms, request)
        const wanted = request.param('partition')
        const found = /^\d{1,9}$/.test(wanted) ? partitions[Number(wanted)] : undefined
        if (!found) throw unknownTopic(`${name}, partition ${wanted}`)
        return ok(showPartition(request, name, found))
      },
    }),
  ]
}

function showPartition(request: ApiRequest, topic: string, { partition, leader }: PartitionMetadata): KafkaPartition {
  const cluster = request.param('cluster')
  const self = urlOf(request, cluster, 'topics', topic, 'partitions', String(partition))
  return {
    kind: 'KafkaPartition',
    metadata: { self, resource_name: `crn:///kafka=${cluster}/topic=${topic}/partition=${partition}` },
    cluster_id: cluster,
    topic_name: topic,
    partition_id: partition,
    // Their CLI takes the number behind the last slash for the leader.
    ...(leader < 0 ? {} : { leader: { related: `${self}/replicas/${leader}` } }),
    replicas: { related: `${self}/replicas` },
    reassignment: { related: `${self}/reassignment` },
  }
}
