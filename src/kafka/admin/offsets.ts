import { listOffsets } from '../../wire/api/02-list-offsets.ts'
import { offsetForLeaderEpoch } from '../../wire/api/23-offset-for-leader-epoch.ts'
import { askLeaders, groupByTopic, type LedPartition, partitionKey } from '../by-broker.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { CallOptions, TopicPartition } from '../cluster-options.ts'
import type { KafkaConnection } from '../connection.ts'
import type { Outcome, Reply } from '../rounds.ts'

export interface LogOffset {
  offset: number
  /** Epoch of the leader that wrote the record before `offset`, where the broker tells; else -1. */
  leaderEpoch: number
  /** Of the record found by time, in milliseconds; -1 for the ends of the log. */
  timestampMs: number
}

export interface EpochEnd {
  /** The newest epoch that is not above the one asked for; -1 when the leader knows none. */
  leaderEpoch: number
  /** Where it ends; -1 when the leader knows none. */
  endOffset: number
}

const latest = -1
const earliest = -2
const consumer = -1
/**
 * Any id but a consumer's switches the broker's filter off: the answer is the leader's log end instead of the high
 * watermark. A positive one insists on the leader; only DESCRIBE on the topic is checked.
 */
const someReplica = 2 ** 31 - 1
/** Within one request; only tiered storage needs any. */
const remoteTimeoutMs = 10_000

/** Where the next record goes, at the leader: above the high watermark while replicas lag. A tunnel gives that. */
export function logEnd(cluster: KafkaCluster, partitions: readonly TopicPartition[], options: CallOptions = {}) {
  return askOffsets(cluster, 'read the log end of', at(partitions, latest), { replicaId: someReplica }, options)
}

/** Up to where records are safe, and visible to consumers. */
export function highWatermark(cluster: KafkaCluster, partitions: readonly TopicPartition[], options: CallOptions = {}) {
  return askOffsets(cluster, 'read the high watermark of', at(partitions, latest), {}, options)
}

/** Up to where no transaction is open. */
export function lastStableOffset(
  cluster: KafkaCluster,
  partitions: readonly TopicPartition[],
  options: CallOptions = {},
) {
  return askOffsets(cluster, 'read the last stable offset of', at(partitions, latest), { isolationLevel: 1 }, options)
}

export function logStart(cluster: KafkaCluster, partitions: readonly TopicPartition[], options: CallOptions = {}) {
  return askOffsets(cluster, 'read the log start of', at(partitions, earliest), {}, options)
}

/** The first record at or after a time; offset -1 when there is none. */
export function offsetAtTime(
  cluster: KafkaCluster,
  partitions: readonly (TopicPartition & { timestampMs: number })[],
  options: CallOptions = {},
) {
  return askOffsets(cluster, 'find an offset by time in', partitions, {}, options)
}

/** Where an epoch ended in the leader's log: how a truncated log is noticed. */
export function offsetForEpoch(
  cluster: KafkaCluster,
  partitions: readonly (TopicPartition & { epoch: number })[],
  options: CallOptions = {},
): Promise<Outcome<EpochEnd>[]> {
  const ask = async (connection: KafkaConnection, items: LedPartition<TopicPartition & { epoch: number }>[]) => {
    const topics = groupByTopic(items).map(({ topic, items: ofTopic }) => ({
      topic,
      partitions: ofTopic.map(({ partition, leaderEpoch, epoch }) => {
        return { partition, currentLeaderEpoch: leaderEpoch, leaderEpoch: epoch }
      }),
    }))
    const answer = await connection.request(offsetForLeaderEpoch, { replicaId: consumer, topics })
    return answer.topics.flatMap(({ topic, partitions: found }) => {
      return found.map(({ partition, errorCode, leaderEpoch, endOffset }): Reply<EpochEnd> => {
        return { key: partitionKey(topic, partition), errorCode, value: { leaderEpoch, endOffset } }
      })
    })
  }
  return askLeaders(cluster, partitions, 'read the end of a leader epoch of', ask, options)
}

type Timed = TopicPartition & { timestampMs: number }

function at(partitions: readonly TopicPartition[], timestampMs: number): Timed[] {
  return partitions.map(({ topic, partition }) => ({ topic, partition, timestampMs }))
}

function askOffsets(
  cluster: KafkaCluster,
  operation: string,
  partitions: readonly Timed[],
  reader: { replicaId?: number; isolationLevel?: number },
  options: CallOptions,
): Promise<Outcome<LogOffset>[]> {
  const { replicaId = consumer, isolationLevel = 0 } = reader
  const ask = async (connection: KafkaConnection, items: LedPartition<Timed>[]) => {
    const answer = await connection.request(listOffsets, { ...offsetFields(items), replicaId, isolationLevel })
    return answer.topics.flatMap(({ name, partitions: found }) => {
      return found.map(({ partitionIndex, errorCode, offset, leaderEpoch, timestamp }): Reply<LogOffset> => {
        return {
          key: partitionKey(name, partitionIndex),
          errorCode,
          value: { offset, leaderEpoch, timestampMs: timestamp },
        }
      })
    })
  }
  return askLeaders(cluster, partitions, operation, ask, options)
}

/** The body of a ListOffsets request for log ends, for those who send it themselves. */
export function logEndFields(items: readonly LedPartition<TopicPartition>[]) {
  const timed = items.map(({ topic, partition, leaderEpoch }) => ({
    topic,
    partition,
    leaderEpoch,
    timestampMs: latest,
  }))
  return { ...offsetFields(timed), replicaId: someReplica }
}

function offsetFields(items: readonly LedPartition<Timed>[]) {
  const topics = groupByTopic(items).map(({ topic, items: ofTopic }) => ({
    name: topic,
    partitions: ofTopic.map(({ partition, leaderEpoch, timestampMs }) => {
      return { partitionIndex: partition, currentLeaderEpoch: leaderEpoch, timestamp: timestampMs }
    }),
  }))
  return { topics, timeoutMs: remoteTimeoutMs }
}
