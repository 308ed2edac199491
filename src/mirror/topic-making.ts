import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import { alterTopicConfigs, type ConfigEntry, describeTopicConfigs } from '../kafka/admin/configs.ts'
import { logEnd } from '../kafka/admin/offsets.ts'
import { createTopics, describeTopics } from '../kafka/admin/topics.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import type { TopicMetadata } from '../kafka/metadata-cache.ts'
import { unwrap } from '../kafka/rounds.ts'
import { topicExists } from './book.ts'
import { partitionsOf } from './context.ts'
import { type ConfigPlanFacts, configChanges, isGoverned } from './plan/topic-config.ts'

export interface TopicWanted {
  topic: string
  partitions: number
  /** Null: the broker's default. */
  replicationFactor: number | null
  configs: Readonly<Record<string, string>>
}

/** Undefined when there is none. */
export async function findTopic(cluster: KafkaCluster, name: string): Promise<TopicMetadata | undefined> {
  const [found] = await describeTopics(cluster, [name])
  if (found?.error && isLinkspanError(found.error, 'kafka-unknown-topic')) return undefined
  return unwrap(found)
}

/**
 * Makes the topic of a mirror. When the answer was lost, or a crash came between, one that is there already is taken if
 * it cannot be told from ours: empty, with as many partitions and these configs. Throws `already-exists` otherwise.
 */
export async function makeTopic(cluster: KafkaCluster, wanted: TopicWanted): Promise<TopicMetadata> {
  const { topic, partitions, replicationFactor, configs } = wanted
  const [made] = await createTopics(cluster, [
    { name: topic, partitions, configs, ...(replicationFactor === null ? {} : { replicationFactor }) },
  ])
  if (made?.error) {
    if (made.error.details.kafkaName !== 'TOPIC_ALREADY_EXISTS') throw await explained(cluster, wanted, made.error)
    if (!(await looksLikeOurs(cluster, wanted))) throw topicExists(topic)
  }
  return unwrap((await describeTopics(cluster, [topic]))[0])
}

/** Says what would go wrong, and makes nothing. */
export async function checkTopicPossible(cluster: KafkaCluster, wanted: TopicWanted): Promise<void> {
  const { topic, partitions, replicationFactor, configs } = wanted
  const [checked] = await createTopics(
    cluster,
    [{ name: topic, partitions, configs, ...(replicationFactor === null ? {} : { replicationFactor }) }],
    { validateOnly: true },
  )
  if (!checked?.error) return
  if (checked.error.details.kafkaName === 'TOPIC_ALREADY_EXISTS') throw topicExists(topic)
  throw await explained(cluster, wanted, checked.error)
}

async function looksLikeOurs(cluster: KafkaCluster, { topic, partitions, configs }: TopicWanted): Promise<boolean> {
  const found = await findTopic(cluster, topic)
  if (!found || found.partitions.length !== partitions) return false
  const ends = await logEnd(cluster, partitionsOf(topic, partitions))
  if (ends.some((end) => end.value?.offset !== 0)) return false
  const entries = unwrap((await describeTopicConfigs(cluster, [topic]))[0])
  const set = new Map(entries.filter(({ source }) => source === 'topic').map(({ name, value }) => [name, value]))
  const names = Object.keys(configs)
  return set.size === names.length && names.every((name) => set.get(name) === configs[name])
}

/** What a caller can mend is told as such. */
async function explained(cluster: KafkaCluster, wanted: TopicWanted, error: LinkspanError): Promise<LinkspanError> {
  switch (error.details.kafkaName) {
    case 'INVALID_REPLICATION_FACTOR': {
      await cluster.refresh([])
      const brokers = cluster.cache.brokers.length
      const text =
        `Replication factor: ${wanted.replicationFactor} larger than available brokers: ${brokers}. ` +
        `Give a replication factor of at most ${brokers}`
      return new LinkspanError('invalid-config', text, { cause: error })
    }
    case 'INVALID_CONFIG':
    case 'POLICY_VIOLATION':
    case 'INVALID_TOPIC_EXCEPTION':
    case 'INVALID_PARTITIONS':
      return new LinkspanError('invalid-config', error.message, { cause: error })
    default:
      return error
  }
}

/** Brings the configs of a topic to what they shall be. Returns whether anything had to change. */
export async function applyConfigs(
  cluster: KafkaCluster,
  topic: string,
  wanted: Readonly<Record<string, string>>,
  facts: ConfigPlanFacts,
  current?: readonly ConfigEntry[],
): Promise<boolean> {
  const entries = current ?? unwrap((await describeTopicConfigs(cluster, [topic]))[0])
  const known = new Set(entries.map(({ name }) => name))
  // A key that this Kafka does not have would make it refuse the others too.
  const possible = Object.fromEntries(Object.entries(wanted).filter(([name]) => known.has(name)))
  const configs = configChanges(entries, possible, isGoverned(facts))
  if (Object.keys(configs).length === 0) return false
  unwrap((await alterTopicConfigs(cluster, [{ name: topic, configs }]))[0])
  return true
}
