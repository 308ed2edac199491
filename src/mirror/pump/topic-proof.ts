import type { KafkaConnection } from '../../kafka/connection.ts'
import { metadata } from '../../wire/api/03-metadata.ts'
import type { PumpPartition } from './partition.ts'

/** Metadata tells topic ids from here on. */
const topicIdsFrom = 10

/**
 * Brokers before 4.1 take appends by the topic's name alone, and a topic that was made anew knows no producer of ours:
 * it would take any batch. So after a rest the broker is first asked, on the lane's own connection, whether the topic
 * still is the one that was pinned. An append that was answered in its place proves it too. What is left open is a
 * topic that is deleted and made anew, leaders and all, within this time.
 */
export const provenForMs = 100

/** Of these partitions, those whose topic at this broker is the pinned one. Errors: those of the connection. */
export async function provenTopics(
  connection: KafkaConnection,
  partitions: readonly PumpPartition[],
): Promise<Set<PumpPartition>> {
  const names = [...new Set(partitions.map(({ start }) => start.topic))]
  const version = connection.versions.choose(metadata)
  // Brokers this old have no topic ids, and nothing to compare.
  if (version < topicIdsFrom) return new Set(partitions)
  const topics = names.map((name) => ({ name }))
  const answer = await connection.request(metadata, { topics, allowAutoTopicCreation: false }, { version })
  const ids = new Map(answer.topics.map(({ name, topicId }) => [name, topicId]))
  return new Set(partitions.filter(({ start }) => ids.get(start.topic) === start.topicId))
}
