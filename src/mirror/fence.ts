import { LinkspanError } from '../base/errors.ts'
import type { AclBinding } from '../kafka/admin/acl-names.ts'
import { authorizerFacts } from '../kafka/admin/authorizer.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import { bindingProblem, denial, everyone } from './plan/read-only.ts'
import { tryCreateAcls } from './write-rights.ts'

/**
 * Denies writing to a topic to everybody whom the cluster's authorizer binds; super users go on. `remember` is called
 * before anything is made. Throws `unsupported` with the reason where that cannot be done without harm.
 */
export async function fenceTopic(
  cluster: KafkaCluster,
  topic: string,
  remember: (acls: AclBinding[]) => Promise<void>,
): Promise<void> {
  const acls = [denial(topic, everyone)]
  const problem = bindingProblem(await authorizerFacts(cluster))
  if (problem !== undefined) throw unfenced(topic, problem)
  await remember(acls)
  const made = await tryCreateAcls(cluster, acls)
  if (made !== true) throw unfenced(topic, made)
}

function unfenced(topic: string, reason: string): LinkspanError {
  return new LinkspanError('unsupported', `The writers of '${topic}' cannot be denied: ${reason}. Stop them by hand`)
}
