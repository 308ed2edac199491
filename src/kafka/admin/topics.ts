import { Backoff } from '../../base/backoff.ts'
import { isLinkspanError, LinkspanError } from '../../base/errors.ts'
import { createTopics as createTopicsApi } from '../../wire/api/19-create-topics.ts'
import { deleteTopics as deleteTopicsApi } from '../../wire/api/20-delete-topics.ts'
import { deleteRecords as deleteRecordsApi } from '../../wire/api/21-delete-records.ts'
import { createPartitions as createPartitionsApi } from '../../wire/api/37-create-partitions.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { askController, askLeaders, groupByTopic, partitionKey } from '../by-broker.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { CallOptions, TopicPartition } from '../cluster-options.ts'
import type { Deadline } from '../deadline.ts'
import { kafkaFailure } from '../failure.ts'
import type { TopicMetadata } from '../metadata-cache.ts'
import type { Outcome, Reply } from '../rounds.ts'

export interface NewTopic {
  name: string
  partitions: number
  /** The broker's default when missing. */
  replicationFactor?: number
  configs?: Readonly<Record<string, string>>
}

export interface CreatedTopic {
  name: string
  topicId: string
}

/** How long a broker may work on one request. */
const brokerTimeoutMs = 10_000
const visiblePauses = { initialMs: 10, maxMs: 200 }

/** All topics that we may see, internal ones too. */
export async function listTopics(cluster: KafkaCluster, options: CallOptions = {}): Promise<TopicMetadata[]> {
  await cluster.refresh('all', options)
  return cluster.cache.topics()
}

/** Fresh metadata, in the order of `names`. */
export async function describeTopics(
  cluster: KafkaCluster,
  names: readonly string[],
  options: CallOptions = {},
): Promise<Outcome<TopicMetadata>[]> {
  if (names.length > 0) await cluster.refresh(names, options)
  return names.map((name) => {
    const value = cluster.cache.topic(name)
    if (value) return { value }
    const code = cluster.cache.topicError(name) || kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
    return { error: kafkaFailure(code, { operation: 'describe', resource: `topic ${name}` }) }
  })
}

/**
 * Creates topics, and waits until metadata shows them with leaders. When a broker is lost at the wrong moment, a topic
 * of ours may answer TOPIC_ALREADY_EXISTS. With `validateOnly` nothing is created.
 */
export async function createTopics(
  cluster: KafkaCluster,
  topics: readonly NewTopic[],
  options: CallOptions & { validateOnly?: boolean } = {},
): Promise<Outcome<CreatedTopic>[]> {
  const { validateOnly = false } = options
  const outcomes = await askController<NewTopic, CreatedTopic>(
    cluster,
    topics,
    { operation: 'create', kind: 'topic' },
    async (connection, items) => {
      const body = { topics: items.map(creationOf), timeoutMs: brokerTimeoutMs, validateOnly }
      const answer = await connection.request(createTopicsApi, body)
      return answer.topics.map(({ name, topicId, errorCode, errorMessage }): Reply<CreatedTopic> => {
        return { key: name, errorCode, message: errorMessage, value: { name, topicId } }
      })
    },
    options,
  )
  if (!validateOnly) await waitForLeaders(cluster, countsOf(topics, outcomes), cluster.deadline(options))
  return outcomes
}

/** The partition count to wait for, of those that succeeded. */
function countsOf(
  topics: readonly { name: string; partitions: number }[],
  outcomes: readonly Outcome<unknown>[],
): Map<string, number> {
  const done = topics.filter((_, index) => outcomes[index]?.value !== undefined)
  return new Map(done.map(({ name, partitions }) => [name, partitions]))
}

function creationOf({ name, partitions, replicationFactor = -1, configs = {} }: NewTopic) {
  return {
    name,
    numPartitions: partitions,
    replicationFactor,
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }
}

/** The answer comes before brokers know of the change. No error when that takes too long: it is made. */
async function waitForLeaders(cluster: KafkaCluster, counts: Map<string, number>, deadline: Deadline): Promise<void> {
  const backoff = new Backoff(visiblePauses)
  let missing = [...counts.keys()]
  while (missing.length > 0) {
    try {
      await cluster.refresh(missing, deadline)
      missing = missing.filter((name) => {
        const partitions = cluster.cache.topic(name)?.partitions ?? []
        return partitions.length < Math.max(1, counts.get(name) ?? 1) || partitions.some(({ leader }) => leader < 0)
      })
      if (missing.length > 0) await deadline.pause(backoff.nextMs(), outOfTime)
    } catch (error) {
      if (deadline.signal?.aborted || !isLinkspanError(error)) throw error
      return
    }
  }
}

const outOfTime = new LinkspanError('timeout', 'Metadata does not show the change yet')

/** Raises partition counts; `partitions` is the new total. */
export async function createPartitions(
  cluster: KafkaCluster,
  topics: readonly { name: string; partitions: number }[],
  options: CallOptions & { validateOnly?: boolean } = {},
): Promise<Outcome<true>[]> {
  const { validateOnly = false } = options
  const outcomes = await askController<{ name: string; partitions: number }, true>(
    cluster,
    topics,
    { operation: 'add partitions to', kind: 'topic' },
    async (connection, items) => {
      const wanted = items.map(({ name, partitions }) => ({ name, count: partitions, assignments: null }))
      const body = { topics: wanted, timeoutMs: brokerTimeoutMs, validateOnly }
      const answer = await connection.request(createPartitionsApi, body)
      return answer.results.map(({ name, errorCode, errorMessage }): Reply<true> => {
        return { key: name, errorCode, message: errorMessage, value: true }
      })
    },
    options,
  )
  if (!validateOnly) await waitForLeaders(cluster, countsOf(topics, outcomes), cluster.deadline(options))
  return outcomes
}

/** Deletes topics by name. Brokers forget them a moment after the answer. */
export async function deleteTopics(
  cluster: KafkaCluster,
  names: readonly string[],
  options: CallOptions = {},
): Promise<Outcome<true>[]> {
  const outcomes = await askController<{ name: string }, true>(
    cluster,
    names.map((name) => ({ name })),
    { operation: 'delete', kind: 'topic' },
    async (connection, items) => {
      const wanted = items.map(({ name }) => name)
      const version = connection.versions.choose(deleteTopicsApi)
      const which = version >= 6 ? { topics: wanted.map((name) => ({ name })) } : { topicNames: wanted }
      const answer = await connection.request(deleteTopicsApi, { ...which, timeoutMs: brokerTimeoutMs }, { version })
      return answer.responses.map(({ name, errorCode, errorMessage }): Reply<true> => {
        return { key: name ?? '', errorCode, message: errorMessage, value: true }
      })
    },
    options,
  )
  if (names.length > 0) await cluster.refresh(names, options)
  return outcomes
}

/** Moves log starts up to `offset` (-1: the high watermark); answers with the lowest log start of all replicas. */
export function deleteRecords(
  cluster: KafkaCluster,
  partitions: readonly (TopicPartition & { offset: number })[],
  options: CallOptions = {},
): Promise<Outcome<{ lowWatermark: number }>[]> {
  return askLeaders<TopicPartition & { offset: number }, { lowWatermark: number }>(
    cluster,
    partitions,
    'delete records of',
    async (connection, items) => {
      const topics = groupByTopic(items).map(({ topic, items: ofTopic }) => ({
        name: topic,
        partitions: ofTopic.map(({ partition, offset }) => ({ partitionIndex: partition, offset })),
      }))
      const answer = await connection.request(deleteRecordsApi, { topics, timeoutMs: brokerTimeoutMs })
      return answer.topics.flatMap(({ name, partitions: found }) => {
        return found.map(({ partitionIndex, errorCode, lowWatermark }) => {
          return { key: partitionKey(name, partitionIndex), errorCode, value: { lowWatermark } }
        })
      })
    },
    options,
  )
}
