import { type Clock, sleep } from '../base/clock.ts'
import type { AclBinding } from '../kafka/admin/acl-names.ts'
import { describeAcls } from '../kafka/admin/acls.ts'
import { authorizerFacts } from '../kafka/admin/authorizer.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import type { ClusterSpec } from '../transport/spec.ts'
import {
  bindingProblem,
  denial,
  everyone,
  planReadOnly,
  type ReadOnlyFacts,
  type ReadOnlyPlan,
} from './plan/read-only.ts'
import { mayWrite, principalOf, removeAcls, rightsSettle, tryCreateAcls } from './write-rights.ts'

export interface Protector {
  destination: KafkaCluster
  destinationSpec: ClusterSpec
  clock: Clock
  /** Called before ACLs are made: whatever is named may exist from then on. */
  remember: (acls: AclBinding[]) => Promise<void>
}

const settleMs = 3000
const pollMs = 20

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
  if (bindingProblem(authorizer) !== undefined) return planReadOnly(facts)
  const probe = denial(topic, everyone)
  await protector.remember([probe])
  const made = await tryCreateAcls(destination, [probe])
  if (made !== true) return unprotected(made)
  if (await stillWritable(topic, probe, protector)) return planReadOnly({ ...facts, superUser: true })
  await removeAcls(destination, [probe])
  await rightsSettle(destination, topic, true, protector.clock)
  const acls = await applyingAcls(destination, topic)
  const plan = planReadOnly({ ...facts, acls })
  await protector.remember(plan.acls)
  const denied = await tryCreateAcls(destination, plan.acls)
  return denied === true ? plan : unprotected(denied)
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

async function applyingAcls(destination: KafkaCluster, topic: string): Promise<AclBinding[]> {
  const found = await describeAcls(destination, {
    resourceType: 'TOPIC',
    resourceName: topic,
    patternType: 'MATCH',
  })
  return found.authorizer ? found.bindings : []
}
