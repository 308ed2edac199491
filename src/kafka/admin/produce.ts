import { Backoff } from '../../base/backoff.ts'
import { produce } from '../../wire/api/00-produce.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { CallOptions, TopicPartition } from '../cluster-options.ts'
import { kafkaFailure } from '../failure.ts'
import { isConnectionFailure } from '../retry.ts'

export interface ProduceOptions extends CallOptions {
  /** `all` waits until the batch cannot be lost any more; the default. */
  acks?: 'all' | 'leader'
  transactionalId?: string
}

export interface Produced {
  baseOffset: number
  /** -1 unless the topic stamps records itself. */
  logAppendTimeMs: number
  logStartOffset: number
}

/** The last version that knows topics by name. */
const namedProduceMax = 12
const pauses = { initialMs: 50, maxMs: 1000 }

/** With these the broker has certainly not written anything. */
const notWritten: ReadonlySet<number> = new Set([
  kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION,
  kafkaErrors.LEADER_NOT_AVAILABLE,
  kafkaErrors.NOT_LEADER_OR_FOLLOWER,
  kafkaErrors.NOT_ENOUGH_REPLICAS,
])

/**
 * Appends one batch at the partition's leader. It is sent again only when the broker says that it has written nothing:
 * after a lost connection or a timeout nobody knows, and the error (`closed`, `timeout`) leaves that to the caller.
 */
export async function produceBatch(
  cluster: KafkaCluster,
  to: TopicPartition,
  batch: Uint8Array,
  options: ProduceOptions = {},
): Promise<Produced> {
  const { topic, partition } = to
  const deadline = cluster.deadline(options)
  const backoff = new Backoff(pauses)
  const topicData = [{ name: topic, partitionData: [{ index: partition, records: batch }] }]
  const acks = options.acks === 'leader' ? 1 : -1
  const transactionalId = options.transactionalId ?? null
  for (;;) {
    const connection = await connectToLeader(cluster, to, deadline)
    const body = { transactionalId, acks, timeoutMs: cluster.attemptMs, topicData }
    const answer = await deadline.of(connection.request(produce, body, { versionMax: namedProduceMax }))
    const found = answer.responses[0]?.partitionResponses[0]
    if (found?.errorCode === 0) {
      const { baseOffset, logAppendTimeMs, logStartOffset } = found
      return { baseOffset, logAppendTimeMs, logStartOffset }
    }
    const code = found?.errorCode ?? kafkaErrors.UNKNOWN_SERVER_ERROR
    const message = found?.errorMessage ?? null
    const failure = kafkaFailure(code, { operation: 'write to', resource: `partition ${topic}-${partition}`, message })
    if (!notWritten.has(code)) throw failure
    await deadline.pause(backoff.nextMs(), failure)
    await cluster.refresh([topic], deadline)
  }
}

/** Before anything is sent, a lost connection is harmless. */
async function connectToLeader(
  cluster: KafkaCluster,
  { topic, partition }: TopicPartition,
  deadline: ReturnType<KafkaCluster['deadline']>,
) {
  const backoff = new Backoff(pauses)
  for (;;) {
    try {
      return await cluster.connection({ to: 'leader', topic, partition }, deadline)
    } catch (error) {
      if (!isConnectionFailure(error)) throw error
      await deadline.pause(backoff.nextMs(), error as Error)
      await cluster.refresh([topic], deadline)
    }
  }
}
