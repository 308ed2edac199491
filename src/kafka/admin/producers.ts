import { listOffsets } from '../../wire/api/02-list-offsets.ts'
import { describeProducers as describeProducersApi } from '../../wire/api/61-describe-producers.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import { askLeaders, groupByTopic, type LedPartition, partitionKey } from '../by-broker.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { CallOptions, TopicPartition } from '../cluster-options.ts'
import type { KafkaConnection } from '../connection.ts'
import type { Outcome, Reply } from '../rounds.ts'
import { logEndFields } from './offsets.ts'

export interface ActiveProducer {
  producerId: bigint
  epoch: number
  /** -1 when the producer has written markers only. */
  lastSequence: number
  /** Of its last batch's newest record, in milliseconds: what its expiry is counted from. */
  lastTimestampMs: number
  coordinatorEpoch: number
  /** -1 when no transaction of it is open. */
  transactionStartOffset: number
}

export interface PartitionProducers {
  producers: ActiveProducer[]
  /** The log end just before and just after: equal means that the producers are those of exactly this log. */
  logEndBefore: number
  logEndAfter: number
}

/**
 * The producers that a leader remembers. Followers answer too, with what they know themselves, so leadership is proven:
 * the log end is asked with the leader's epoch before and after on the same connection. Needs READ on the topic.
 */
export function describeProducers(
  cluster: KafkaCluster,
  partitions: readonly TopicPartition[],
  options: CallOptions = {},
): Promise<Outcome<PartitionProducers>[]> {
  return askLeaders<TopicPartition, PartitionProducers>(
    cluster,
    partitions,
    'read the producers of',
    async (connection, items) => {
      const topics = groupByTopic(items).map(({ topic, items: ofTopic }) => {
        return { name: topic, partitionIndexes: ofTopic.map(({ partition }) => partition) }
      })
      // Sent in one go: a connection's requests are served in turn.
      const [before, answer, after] = await Promise.all([
        askLogEnds(connection, items),
        connection.request(describeProducersApi, { topics }),
        askLogEnds(connection, items),
      ])
      return answer.topics.flatMap(({ name, partitions: found }) => {
        return found.map((one) => replyOf(partitionKey(name, one.partitionIndex), one, before, after))
      })
    },
    options,
  )
}

type LogEnds = Map<string, { errorCode: number; offset: number }>
type Described = ResponseOf<typeof describeProducersApi>['topics'][number]['partitions'][number]

async function askLogEnds(connection: KafkaConnection, items: LedPartition<TopicPartition>[]): Promise<LogEnds> {
  const answer = await connection.request(listOffsets, logEndFields(items))
  const ends: LogEnds = new Map()
  for (const { name, partitions } of answer.topics) {
    for (const { partitionIndex, errorCode, offset } of partitions) {
      ends.set(partitionKey(name, partitionIndex), { errorCode, offset })
    }
  }
  return ends
}

function replyOf(key: string, described: Described, before: LogEnds, after: LogEnds): Reply<PartitionProducers> {
  const [first, last] = [before.get(key), after.get(key)]
  if (!first || !last) return { key, errorCode: kafkaErrors.UNKNOWN_SERVER_ERROR }
  const producers = described.activeProducers.map((one) => ({
    producerId: one.producerId,
    epoch: one.producerEpoch,
    lastSequence: one.lastSequence,
    lastTimestampMs: one.lastTimestamp,
    coordinatorEpoch: one.coordinatorEpoch,
    transactionStartOffset: one.currentTxnStartOffset,
  }))
  return {
    key,
    errorCode: first.errorCode || described.errorCode || last.errorCode,
    message: described.errorMessage,
    value: { producers, logEndBefore: first.offset, logEndAfter: last.offset },
  }
}
