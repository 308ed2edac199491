import { LinkspanError } from '../../base/errors.ts'
import { type BrokerConfig, brokerDefaults } from '../config.ts'
import { configTypeCodes } from './config-values.ts'
import { checkTopicConfigs, type TopicConfigKey, topicConfigKeys } from './topic-configs.ts'

/** Where a value comes from, by Kafka's codes. */
export const configSourceCodes = { topic: 1, broker: 4, default: 5 } as const

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

/** A key as DescribeConfigs tells it. */
export interface DescribedConfig extends ConfigSynonym {
  readonly readOnly: boolean
  /** Kafka's code. */
  readonly configType: number
  /** The values that would count one after the other, the one that counts first. */
  readonly synonyms: readonly ConfigSynonym[]
}

/** What the operator of this broker has set for all topics, by topic key. Throws `invalid-config`. */
export function checkTopicDefaults(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const checked = checkTopicConfigs(given)
  if (checked.ok) return checked.value
  throw new LinkspanError('invalid-config', `The defaults of topics cannot be used: ${checked.message}`)
}

/** All keys of a topic that has these set. */
export function describeTopic(
  configs: Readonly<Record<string, string>>,
  defaults: Readonly<Record<string, string>>,
): DescribedConfig[] {
  return Object.entries(topicConfigKeys).map(([name, key]) => {
    const own = configs[name]
    const inherited = inheritedValues(name, key, defaults)
    const synonyms =
      own === undefined ? inherited : [{ name, value: own, source: configSourceCodes.topic }, ...inherited]
    return {
      name,
      value: own ?? defaults[name] ?? key.default,
      source: synonyms[0]?.source ?? configSourceCodes.default,
      readOnly: false,
      configType: configTypeCodes[key.type],
      synonyms,
    }
  })
}

function inheritedValues(
  name: string,
  key: TopicConfigKey,
  defaults: Readonly<Record<string, string>>,
): ConfigSynonym[] {
  if (key.brokerKey === null) return []
  const values: ConfigSynonym[] = []
  const set = defaults[name]
  if (set !== undefined) values.push({ name: key.brokerKey, value: set, source: configSourceCodes.broker })
  const [lastName, lastValue] = key.brokerDefault ?? [key.brokerKey, key.default]
  values.push({ name: lastName, value: lastValue, source: configSourceCodes.default })
  return values
}

type BrokerKey = readonly [name: string, type: keyof typeof configTypeCodes, value: (config: BrokerConfig) => unknown]

/** This broker's own settings under the names of Kafka's. What it has no setting for tells how it behaves. */
const brokerKeys: readonly BrokerKey[] = [
  ['auto.create.topics.enable', 'boolean', (config) => config.autoCreateTopics],
  ['broker.id', 'int', (config) => config.nodeId],
  ['connections.max.idle.ms', 'long', (config) => config.connectionIdleMs],
  ['default.replication.factor', 'int', () => 1],
  ['delete.topic.enable', 'boolean', () => true],
  ['fetch.max.bytes', 'int', (config) => config.fetchBytesMax],
  ['group.initial.rebalance.delay.ms', 'int', (config) => config.groupInitialRebalanceDelayMs],
  ['group.max.session.timeout.ms', 'int', (config) => config.groupSessionTimeoutMaxMs],
  ['group.max.size', 'int', (config) => config.groupMembersMax],
  ['group.min.session.timeout.ms', 'int', (config) => config.groupSessionTimeoutMinMs],
  ['log.retention.check.interval.ms', 'long', (config) => config.retentionCheckIntervalMs],
  ['max.connections', 'int', (config) => config.connectionsMax],
  ['node.id', 'int', (config) => config.nodeId],
  ['num.partitions', 'int', (config) => config.numPartitions],
  ['offset.metadata.max.bytes', 'int', (config) => config.offsetMetadataBytesMax],
  ['offsets.retention.minutes', 'int', (config) => Math.round(config.offsetsRetentionMs / 60_000)],
  ['producer.id.expiration.ms', 'int', (config) => config.producerExpirationMs],
  ['socket.request.max.bytes', 'int', (config) => config.requestBytesMax],
]

/** All keys of this broker: its own and, by the names of the broker's keys, the defaults of topics. */
export function describeBroker(config: BrokerConfig, defaults: Readonly<Record<string, string>>): DescribedConfig[] {
  const own = brokerKeys.map(([name, type, read]) => {
    const [value, usual] = [String(read(config)), String(read(brokerDefaults))]
    return brokerEntry(name, type, value, value === usual ? 'default' : 'broker')
  })
  const ofTopics = Object.entries(topicConfigKeys).flatMap(([name, key]) => {
    if (key.brokerKey === null) return []
    const set = defaults[name]
    if (set !== undefined) return [brokerEntry(key.brokerKey, key.type, set, 'broker')]
    if (!key.brokerDefault) return [brokerEntry(key.brokerKey, key.type, key.default, 'default')]
    const [name2, value2] = key.brokerDefault
    return [brokerEntry(key.brokerKey, key.type, null, 'default'), brokerEntry(name2, key.type, value2, 'default')]
  })
  return [...own, ...ofTopics].sort((one, other) => (one.name < other.name ? -1 : 1))
}

function brokerEntry(
  name: string,
  type: keyof typeof configTypeCodes,
  value: string | null,
  from: 'broker' | 'default',
): DescribedConfig {
  const source = configSourceCodes[from]
  const synonyms = value === null ? [] : [{ name, value, source }]
  return { name, value, source, readOnly: true, configType: configTypeCodes[type], synonyms }
}
