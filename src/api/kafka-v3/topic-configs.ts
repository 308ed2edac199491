import { LinkspanError } from '../../base/errors.ts'
import { AlterConfigs, KafkaTopicConfig, KafkaTopicConfigList } from '../../contract/kafka-v3.ts'
import {
  alterTopicConfigs,
  type ConfigEntry,
  type ConfigSource,
  describeTopicConfigs,
} from '../../kafka/admin/configs.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import { alterationsOf } from './config-input.ts'
import { itemMetadata, listOf, noContent, ok, urlOf, type V3Rooms } from './rooms.ts'
import { topicAccess, topicOf, topicPath, topicValue } from './topics.ts'

/** Kafka's names of where a value comes from. */
const sources: Record<ConfigSource, string> = {
  topic: 'DYNAMIC_TOPIC_CONFIG',
  broker: 'DYNAMIC_BROKER_CONFIG',
  'all-brokers': 'DYNAMIC_DEFAULT_BROKER_CONFIG',
  file: 'STATIC_BROKER_CONFIG',
  default: 'DEFAULT_CONFIG',
  other: 'UNKNOWN',
}

export function topicConfigRoutes(rooms: V3Rooms): Route[] {
  return [listRoute(rooms), getRoute(rooms), alterRoute(rooms)]
}

function listRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: `${topicPath}/configs`,
    summary: 'List all configs of a topic',
    access: topicAccess('can_view'),
    result: KafkaTopicConfigList,
    handler: async (request) => {
      const { name } = await topicOf(rooms, request)
      const [outcome] = await describeTopicConfigs(rooms.mirrors.destination, [name], { signal: request.signal })
      const entries = topicValue(name, outcome).map((entry) => showConfig(request, name, entry))
      const self = urlOf(request, request.param('cluster'), 'topics', name, 'configs')
      return ok(listOf('KafkaTopicConfigList', self, entries))
    },
  })
}

function getRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: `${topicPath}/configs/:config`,
    summary: 'Show one config of a topic',
    access: topicAccess('can_view'),
    result: KafkaTopicConfig,
    handler: async (request) => {
      const { name } = await topicOf(rooms, request)
      const wanted = request.param('config')
      const [outcome] = await describeTopicConfigs(rooms.mirrors.destination, [name], { signal: request.signal })
      const entry = topicValue(name, outcome).find((one) => one.name === wanted)
      if (entry) return ok(showConfig(request, name, entry))
      throw new LinkspanError('not-found', `There is no topic config "${wanted}"`)
    },
  })
}

function alterRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'POST',
    path: `${topicPath}/configs::alter`,
    summary: 'Change several configs of a topic at once',
    access: topicAccess('can_edit'),
    body: AlterConfigs,
    handler: async (request) => {
      const { name } = await topicOf(rooms, request)
      const changes = Object.fromEntries(alterationsOf(request.body).map((change) => [change.name, change.value]))
      if ('num.partitions' in changes) {
        const text = 'num.partitions is no config of a topic: change its partitions_count to add partitions'
        throw new LinkspanError('invalid-config', text)
      }
      const held = Object.keys(changes).filter(rooms.mirrors.followedConfigs(name))
      if (held.length > 0) {
        const text = `Cannot modify mirror topic ${name} because '${held.join(', ')}' are set to always sync`
        throw new LinkspanError('invalid-config', text)
      }
      const validateOnly = request.body.validate_only ?? request.flag('validate_only')
      const wanted = [{ name, configs: changes }]
      const [outcome] = await alterTopicConfigs(rooms.mirrors.destination, wanted, {
        validateOnly,
        signal: request.signal,
      })
      topicValue(name, outcome)
      return noContent()
    },
  })
}

function showConfig(request: ApiRequest, topic: string, entry: ConfigEntry): KafkaTopicConfig {
  const cluster = request.param('cluster')
  return {
    kind: 'KafkaTopicConfig',
    metadata: itemMetadata(urlOf(request, cluster, 'topics', topic, 'configs', entry.name)),
    cluster_id: cluster,
    topic_name: topic,
    name: entry.name,
    value: entry.value,
    is_default: entry.source === 'default',
    is_read_only: entry.readOnly,
    is_sensitive: entry.sensitive,
    source: sources[entry.source],
    synonyms: entry.synonyms.map(({ name, value, source }) => ({ name, value, source: sources[source] })),
  }
}
