import type { EntitlementOf } from '../../contract/entities.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { Topic } from '../catalog/types.ts'
import type { PartitionLog } from '../log/types.ts'
import type { BrokerNode } from '../node.ts'
import type { BrokerSession } from '../session.ts'
import { mayTopic } from './topic-rights.ts'

/** The one that there ever is on a single node: nobody else can take over. */
export const leaderEpoch = 0

/** A topic that the caller may use in the way asked for, or the error in its place. */
export type FoundTopic = { readonly code: 0; readonly topic: Topic } | { readonly code: number; readonly topic: null }

const unknownTopic: FoundTopic = { code: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, topic: null }
const unknownId: FoundTopic = { code: kafkaErrors.UNKNOWN_TOPIC_ID, topic: null }
const forbidden: FoundTopic = { code: kafkaErrors.TOPIC_AUTHORIZATION_FAILED, topic: null }

/** Rights come first, so that nobody learns which names exist. */
export function topicByName(
  node: BrokerNode,
  session: BrokerSession,
  entitlement: EntitlementOf<'topic'>,
  name: string,
): FoundTopic {
  if (!mayTopic(session, entitlement, name)) return forbidden
  const topic = node.catalog.get(name)
  return topic ? { code: 0, topic } : unknownTopic
}

export function topicById(
  node: BrokerNode,
  session: BrokerSession,
  entitlement: EntitlementOf<'topic'>,
  topicId: string,
): FoundTopic {
  const topic = node.catalog.byId(topicId)
  if (!topic) return unknownId
  return mayTopic(session, entitlement, topic.name) ? { code: 0, topic } : forbidden
}

/** Undefined: the topic has no such partition. */
export function logOf(node: BrokerNode, { topicId, partitions }: Topic, partition: number): PartitionLog | undefined {
  return partition >= 0 && partition < partitions ? node.logs.get(topicId, partition) : undefined
}

/** What is wrong with the leader epoch that a client knows; 0 when nothing is. */
export function leaderEpochError(known: number): number {
  if (known === -1 || known === leaderEpoch) return 0
  return known < leaderEpoch ? kafkaErrors.FENCED_LEADER_EPOCH : kafkaErrors.UNKNOWN_LEADER_EPOCH
}
