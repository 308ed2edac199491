import { type Clock, sleep } from '../base/clock.ts'
import { isLinkspanError } from '../base/errors.ts'
import { type AclBinding, aclOperations } from '../kafka/admin/acl-names.ts'
import { createAcls, deleteAcls, describeAcls } from '../kafka/admin/acls.ts'
import { authorizerFacts } from '../kafka/admin/authorizer.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import type { ClusterSpec } from '../transport/spec.ts'
import { metadata } from '../wire/api/03-metadata.ts'
import { denial, planReadOnly, type ReadOnlyFacts, type ReadOnlyPlan } from './plan/read-only.ts'

export interface Protector {
  destination: KafkaCluster
  destinationSpec: ClusterSpec
  clock: Clock
  /** Called before ACLs are made: whatever is named may exist from then on. */
  remember: (acls: AclBinding[]) => Promise<void>
}

const settleMs = 3000
const pollMs = 20
const everyone = 'User:*'

/** Keeps writers away from a topic that is a mirror now, as far as the destination can. Returns what was made. */
export async function protectTopic(topic: string, protector: Protector): Promise<ReadOnlyPlan> {
  const { destination, destinationSpec } = protector
  const authorizer = await authorizerFacts(destination)
  const facts: ReadOnlyFacts = {
    topic,
    authorizer,
    superUser: false,
    ownPrincipal: principalOf(destinationSpec),
    acls: [],
  }
  if (!mayBind(facts)) return planReadOnly(facts)
  const probe = denial(topic, everyone)
  await protector.remember([probe])
  const made = await tryCreate(destination, [probe])
  if (made !== true) return unprotected(made)
  if (await stillWritable(topic, probe, protector)) return planReadOnly({ ...facts, superUser: true })
  await deleteAcls(destination, [probe])
  await becomesWritable(topic, protector)
  const acls = await applyingAcls(destination, topic)
  const plan = planReadOnly({ ...facts, acls })
  await protector.remember(plan.acls)
  const denied = await tryCreate(destination, plan.acls)
  return denied === true ? plan : unprotected(denied)
}

/** Takes exactly these ACLs away; those that are gone already are no error. */
export async function removeAcls(destination: KafkaCluster, acls: readonly AclBinding[]): Promise<void> {
  if (acls.length === 0) return
  const deleted = await deleteAcls(destination, acls)
  if (!deleted.authorizer) return
  for (const { error } of deleted.outcomes) if (error) throw error
}

/** A rule can be made there without cutting off readers. */
function mayBind({ authorizer }: ReadOnlyFacts): boolean {
  return authorizer.present === true && authorizer.mayDescribeAcls && authorizer.allowsWithoutAcl === false
}

async function tryCreate(destination: KafkaCluster, acls: readonly AclBinding[]): Promise<true | string> {
  if (acls.length === 0) return true
  const created = await createAcls(destination, acls)
  if (!created.authorizer) return 'The destination has no authorizer, so it refuses nobody'
  const refused = created.outcomes.find(({ error }) => error)?.error
  if (!refused) return true
  if (isLinkspanError(refused, 'kafka-not-permitted')) return "Our user may not change the destination's ACLs"
  throw refused
}

function unprotected(problem: string): ReadOnlyPlan {
  const reason = `${problem}: foreign records are noticed within a second, and fail the mirror`
  return { mode: 'detect-only', reason, acls: [] }
}

/**
 * Whether we may write although everybody is denied, which is so for super users only. One broker is asked, until it
 * either refuses us or has the rule and does not.
 */
async function stillWritable(topic: string, probe: AclBinding, { destination, clock }: Protector): Promise<boolean> {
  const untilMs = clock.monotonicMs() + settleMs
  for (;;) {
    const [leader] = (await destination.topic(topic)).partitions
    const nodeId = leader?.leader ?? 0
    const writable = await mayWrite(destination, topic, nodeId)
    if (!writable) return false
    const known = await describeAcls(destination, probe)
    if (known.authorizer && known.bindings.length > 0) return await mayWrite(destination, topic, nodeId)
    if (clock.monotonicMs() > untilMs) return false
    await sleep(pollMs)
  }
}

async function becomesWritable(topic: string, { destination, clock }: Protector): Promise<void> {
  const untilMs = clock.monotonicMs() + settleMs
  while (clock.monotonicMs() < untilMs) {
    const [leader] = (await destination.topic(topic)).partitions
    if (await mayWrite(destination, topic, leader?.leader ?? 0)) return
    await sleep(pollMs)
  }
}

/** By the rights that the broker itself reports for us. */
async function mayWrite(destination: KafkaCluster, topic: string, nodeId: number): Promise<boolean> {
  const body = { topics: [{ name: topic }], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: true }
  const answer = await destination.request({ to: 'node', nodeId }, metadata, body)
  const operations = answer.topics[0]?.topicAuthorizedOperations ?? 0
  return (operations & (1 << aclOperations.indexOf('WRITE'))) !== 0
}

async function applyingAcls(destination: KafkaCluster, topic: string): Promise<AclBinding[]> {
  const found = await describeAcls(destination, {
    resourceType: 'TOPIC',
    resourceName: topic,
    patternType: 'MATCH',
  })
  return found.authorizer ? found.bindings : []
}

/** Kafka's rule where nobody has written another: the login's name, or the anonymous user of a plain connection. */
export function principalOf(spec: ClusterSpec): string | undefined {
  if (spec.reach !== 'kafka') return undefined
  if (spec.sasl) return `User:${spec.sasl.username}`
  return spec.tls?.certificatePem === undefined ? 'User:ANONYMOUS' : undefined
}
