import { type EntitlementOf, serverRef } from '../../contract/entities.ts'
import { kafkaErrorDescription, kafkaErrors } from '../../wire/errors.ts'
import type { BrokerSession } from '../session.ts'

/** Kafka's READ is `can_read`; WRITE, ALTER and ALTER_CONFIGS are `can_edit`; DESCRIBE is `can_view`. */
export function mayTopic(session: BrokerSession, entitlement: EntitlementOf<'topic'>, name: string): boolean {
  return session.internal || session.may(entitlement, { type: 'topic', name })
}

export function mayServer(session: BrokerSession, entitlement: EntitlementOf<'server'>): boolean {
  return session.internal || session.may(entitlement, serverRef)
}

/** Kafka's operations by the number of their bit in sets of them. */
const operations = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
} as const
type Operation = keyof typeof operations

/** What stands for "not asked for". */
export const operationsNotAsked = -(2 ** 31)

function operationSet(allowed: readonly (readonly [may: boolean, ...operations: Operation[]])[]): number {
  let bits = 0
  for (const [may, ...names] of allowed) if (may) for (const name of names) bits |= 1 << operations[name]
  return bits
}

/** What the caller may do with a topic that he may see, as Metadata tells it. */
export function topicOperations(session: BrokerSession, name: string): number {
  return operationSet([
    [true, 'describe', 'describeConfigs'],
    [mayTopic(session, 'can_read', name), 'read'],
    [mayTopic(session, 'can_edit', name), 'write', 'alter', 'alterConfigs'],
    [mayTopic(session, 'can_delete', name), 'delete'],
    [mayServer(session, 'can_create_topics'), 'create'],
  ])
}

/** What the caller may do with the cluster, if he may see that. */
export function visibleClusterOperations(session: BrokerSession): number {
  if (!mayServer(session, 'can_view_resources')) return 0
  return operationSet([
    [true, 'describe', 'describeConfigs'],
    [mayServer(session, 'can_create_topics'), 'create'],
    [mayServer(session, 'can_edit_topics'), 'idempotentWrite'],
    [mayServer(session, 'admin'), 'alter', 'alterConfigs', 'clusterAction'],
  ])
}

export const notPermittedOnTopic = {
  errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED,
  errorMessage: kafkaErrorDescription(kafkaErrors.TOPIC_AUTHORIZATION_FAILED),
} as const

export const notPermittedOnCluster = {
  errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED,
  errorMessage: kafkaErrorDescription(kafkaErrors.CLUSTER_AUTHORIZATION_FAILED),
} as const
