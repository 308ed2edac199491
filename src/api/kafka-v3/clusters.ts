import { KafkaCluster, KafkaClusterList } from '../../contract/kafka-v3.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import { clusterOf, clusterPath, clustersPath, listOf, ok, urlOf, type V3Rooms } from './rooms.ts'

const access = { kind: 'authenticated' } as const

export function clusterRoutes(rooms: V3Rooms): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: clustersPath,
      summary: 'List the Kafka clusters that this Linkspan fronts: one, or none while it was never reached',
      access,
      result: KafkaClusterList,
      handler: (request) => {
        const id = rooms.kafkaClusterId()
        const clusters = id === null ? [] : [showCluster(request, id)]
        return ok(listOf('KafkaClusterList', urlOf(request), clusters))
      },
    }),
    defineRoute({
      method: 'GET',
      path: clusterPath,
      summary: 'Show the Kafka cluster',
      access,
      result: KafkaCluster,
      handler: (request) => ok(showCluster(request, clusterOf(rooms, request))),
    }),
  ]
}

function showCluster(request: ApiRequest, id: string): KafkaCluster {
  const self = urlOf(request, id)
  const related = (path: string) => ({ related: `${self}/${path}` })
  return {
    kind: 'KafkaCluster',
    metadata: { self, resource_name: `crn:///kafka=${id}` },
    cluster_id: id,
    acls: related('acls'),
    brokers: related('brokers'),
    broker_configs: related('broker-configs'),
    consumer_groups: related('consumer-groups'),
    topics: related('topics'),
    partition_reassignments: related('topics/-/partitions/-/reassignment'),
  }
}
