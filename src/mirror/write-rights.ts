import { type Clock, sleep } from '../base/clock.ts'
import { isLinkspanError } from '../base/errors.ts'
import { type AclBinding, aclOperations } from '../kafka/admin/acl-names.ts'
import { createAcls, deleteAcls } from '../kafka/admin/acls.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import type { ClusterSpec } from '../transport/spec.ts'
import { metadata } from '../wire/api/03-metadata.ts'

/** How long brokers get to hear of a rule. */
const settleMs = 3000
const pollMs = 20

/** True, or why the cluster does not take the rules. */
export async function tryCreateAcls(cluster: KafkaCluster, acls: readonly AclBinding[]): Promise<true | string> {
  if (acls.length === 0) return true
  const created = await createAcls(cluster, acls)
  if (!created.authorizer) return 'The cluster has no authorizer, so it refuses nobody'
  const refused = created.outcomes.find(({ error }) => error)?.error
  if (!refused) return true
  if (isLinkspanError(refused, 'kafka-not-permitted')) return "Our user may not change the cluster's ACLs"
  throw refused
}

/** Takes exactly these ACLs away; those that are gone already are no error. */
export async function removeAcls(cluster: KafkaCluster, acls: readonly AclBinding[]): Promise<void> {
  if (acls.length === 0) return
  const deleted = await deleteAcls(cluster, acls)
  if (!deleted.authorizer) return
  for (const { error } of deleted.outcomes) if (error) throw error
}

/** Whether one broker would let us write, by the rights that it reports for us. */
export async function mayWrite(cluster: KafkaCluster, topic: string, nodeId: number): Promise<boolean> {
  const body = { topics: [{ name: topic }], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: true }
  const answer = await cluster.request({ to: 'node', nodeId }, metadata, body)
  const operations = answer.topics[0]?.topicAuthorizedOperations ?? 0
  return (operations & (1 << aclOperations.indexOf('WRITE'))) !== 0
}

/** Waits until all leaders of the topic let us write, or none does. False: they still do not agree. */
export async function rightsSettle(
  cluster: KafkaCluster,
  topic: string,
  writable: boolean,
  clock: Clock,
): Promise<boolean> {
  const untilMs = clock.monotonicMs() + settleMs
  for (;;) {
    const leaders = new Set((await cluster.topic(topic)).partitions.map(({ leader }) => leader))
    leaders.delete(-1)
    const found = await Promise.all([...leaders].map((nodeId) => mayWrite(cluster, topic, nodeId)))
    if (found.every((may) => may === writable)) return true
    if (clock.monotonicMs() > untilMs) return false
    await sleep(pollMs)
  }
}

/** Kafka's rule where nobody has written another: the login's name, or the anonymous user of a plain connection. */
export function principalOf(spec: ClusterSpec): string | undefined {
  if (spec.reach !== 'kafka') return undefined
  if (spec.sasl) return `User:${spec.sasl.username}`
  return spec.tls?.certificatePem === undefined ? 'User:ANONYMOUS' : undefined
}
