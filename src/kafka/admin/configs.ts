import { describeConfigs } from '../../wire/api/32-describe-configs.ts'
import { incrementalAlterConfigs } from '../../wire/api/44-incremental-alter-configs.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { askController } from '../by-broker.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { CallOptions } from '../cluster-options.ts'
import type { KafkaConnection } from '../connection.ts'
import { askInRounds, controllerNode, type Outcome, type Reply, type Rounds, unwrap } from '../rounds.ts'

/** Where a value comes from, nearest first; the order of Kafka's codes 1 to 5. */
export const configSources = ['topic', 'broker', 'all-brokers', 'file', 'default'] as const
export type ConfigSource = (typeof configSources)[number] | 'other'

export interface ConfigValue {
  name: string
  /** Null when it is sensitive, or when Kafka cannot tell whether it is. */
  value: string | null
  source: ConfigSource
}

export interface ConfigEntry extends ConfigValue {
  readOnly: boolean
  sensitive: boolean
  /** The values that would count one after the other if the nearer ones were removed. */
  synonyms: ConfigValue[]
}

/** What to change: a text sets a key, null lets its default count again. Other keys keep their values. */
export type ConfigChanges = Readonly<Record<string, string | null>>

export interface ChangeOptions extends CallOptions {
  /** Only asks whether the change would be taken. */
  validateOnly?: boolean
}

const topicResource = 2
const brokerResource = 4
const setOperation = 0
const deleteOperation = 1

/** All configuration keys that Kafka knows for a topic, in the order of `names`. */
export async function describeTopicConfigs(
  cluster: KafkaCluster,
  names: readonly string[],
  options: CallOptions & { keys?: readonly string[] } = {},
): Promise<Outcome<ConfigEntry[]>[]> {
  const rounds: Rounds<{ name: string }, ConfigEntry[]> = {
    operation: 'read the configuration of',
    keyOf: ({ name }) => name,
    describe: ({ name }) => `topic ${name}`,
    locate: async (items, deadline) => {
      // A broker that has not heard of a new topic calls it unknown, so only metadata's word on that is final.
      const missing = items.filter(({ name }) => !cluster.cache.topic(name))
      if (missing.length > 0)
        await cluster.refresh(
          missing.map(({ name }) => name),
          deadline,
        )
      const known = items.filter(({ name }) => cluster.cache.topic(name))
      const failed = items.flatMap((item) => {
        if (cluster.cache.topic(item.name)) return []
        const errorCode = cluster.cache.topicError(item.name) || kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
        return [{ item, errorCode, final: true }]
      })
      return { nodes: new Map(known.length > 0 ? [[controllerNode, known]] : []), failed }
    },
    ask: (connection, items) => askConfigs(connection, topicResource, items, options.keys),
  }
  return await askInRounds(
    cluster,
    names.map((name) => ({ name })),
    rounds,
    options,
  )
}

/** The configuration of one broker, which only that broker knows. Keys that it does not define show no value. */
export async function describeBrokerConfigs(
  cluster: KafkaCluster,
  nodeId: number,
  options: CallOptions & { keys?: readonly string[] } = {},
): Promise<ConfigEntry[]> {
  const rounds: Rounds<{ name: string }, ConfigEntry[]> = {
    operation: 'read the configuration of',
    keyOf: ({ name }) => name,
    describe: ({ name }) => `broker ${name}`,
    locate: async (items) => ({ nodes: new Map([[nodeId, items]]), failed: [] }),
    ask: (connection, items) => askConfigs(connection, brokerResource, items, options.keys),
  }
  const [outcome] = await askInRounds(cluster, [{ name: String(nodeId) }], rounds, options)
  return unwrap(outcome)
}

async function askConfigs(
  connection: KafkaConnection,
  resourceType: number,
  items: readonly { name: string }[],
  keys: readonly string[] | undefined,
): Promise<Reply<ConfigEntry[]>[]> {
  const configurationKeys = keys ? [...keys] : null
  const resources = items.map(({ name }) => ({ resourceType, resourceName: name, configurationKeys }))
  const answer = await connection.request(describeConfigs, { resources, includeSynonyms: true })
  return answer.results.map((result): Reply<ConfigEntry[]> => {
    const value = result.configs.map((config) => ({
      name: config.name,
      value: config.value,
      source: sourceOf(config.configSource),
      readOnly: config.readOnly,
      sensitive: config.isSensitive,
      synonyms: config.synonyms.map((one) => ({ name: one.name, value: one.value, source: sourceOf(one.source) })),
    }))
    return { key: result.resourceName, errorCode: result.errorCode, message: result.errorMessage, value }
  })
}

function sourceOf(code: number): ConfigSource {
  return configSources[code - 1] ?? 'other'
}

/** Changes single keys of topics. */
export function alterTopicConfigs(
  cluster: KafkaCluster,
  changes: readonly { name: string; configs: ConfigChanges }[],
  options: ChangeOptions = {},
): Promise<Outcome<true>[]> {
  return alterConfigs(cluster, topicResource, changes, options)
}

/** Changes dynamic keys of one broker, or of all of them (`all`). */
export async function alterBrokerConfigs(
  cluster: KafkaCluster,
  which: number | 'all',
  configs: ConfigChanges,
  options: ChangeOptions = {},
): Promise<void> {
  const name = which === 'all' ? '' : String(which)
  const [outcome] = await alterConfigs(cluster, brokerResource, [{ name, configs }], options)
  unwrap(outcome)
}

interface Change {
  name: string
  configs: ConfigChanges
}

async function alterConfigs(
  cluster: KafkaCluster,
  resourceType: number,
  changes: readonly Change[],
  options: ChangeOptions,
): Promise<Outcome<true>[]> {
  const { validateOnly = false } = options
  const kind = resourceType === topicResource ? 'topic' : 'broker'
  const ask = async (connection: KafkaConnection, items: Change[]) => {
    const resources = items.map(({ name, configs }) => ({
      resourceType,
      resourceName: name,
      configs: Object.entries(configs).map(([key, value]) => {
        return { name: key, configOperation: value === null ? deleteOperation : setOperation, value }
      }),
    }))
    const answer = await connection.request(incrementalAlterConfigs, { resources, validateOnly })
    return answer.responses.map(({ resourceName, errorCode, errorMessage }): Reply<true> => {
      return { key: resourceName, errorCode, message: errorMessage, value: true }
    })
  }
  return await askController<Change, true>(cluster, changes, { operation: 'configure', kind }, ask, options)
}
