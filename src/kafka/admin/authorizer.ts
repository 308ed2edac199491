import { isLinkspanError } from '../../base/errors.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { CallOptions } from '../cluster-options.ts'
import { kafkaCodeOf } from '../failure.ts'
import { describeAcls } from './acls.ts'
import { describeBrokerConfigs } from './configs.ts'

export interface AuthorizerFacts {
  /** `unknown`: we may read neither ACLs nor broker configurations. */
  present: boolean | 'unknown'
  /** The class, where we may see it. */
  className: string | undefined
  /**
   * Whether a resource without any ACL is open to everyone. The key is the authorizer's own, so Kafka hides its value:
   * `hidden` means that it is set to something.
   */
  allowsWithoutAcl: boolean | 'hidden' | 'unknown'
  /** We may list and change ACLs ourselves. */
  mayDescribeAcls: boolean
}

const classKey = 'authorizer.class.name'
const openKey = 'allow.everyone.if.no.acl.found'

/** What can be seen of the cluster's authorizer with our rights; lacking rights are a fact here, not an error. */
export async function authorizerFacts(cluster: KafkaCluster, options: CallOptions = {}): Promise<AuthorizerFacts> {
  const acls = await unlessForbidden(describeAcls(cluster, { resourceType: 'CLUSTER' }, options))
  if (acls?.authorizer === false) {
    return { present: false, className: undefined, allowsWithoutAcl: true, mayDescribeAcls: false }
  }
  const mayDescribeAcls = acls !== undefined
  const nodeId = await someNode(cluster, options)
  const configs = await unlessForbidden(describeBrokerConfigs(cluster, nodeId, options))
  if (!configs) {
    // Only an authorizer can refuse.
    return { present: true, className: undefined, allowsWithoutAcl: 'unknown', mayDescribeAcls }
  }
  const className = configs.find(({ name }) => name === classKey)?.value || undefined
  const open = configs.find(({ name }) => name === openKey)
  const allowsWithoutAcl = open ? (open.value === null ? 'hidden' : open.value === 'true') : false
  return { present: mayDescribeAcls || className !== undefined, className, allowsWithoutAcl, mayDescribeAcls }
}

async function someNode(cluster: KafkaCluster, options: CallOptions): Promise<number> {
  if (cluster.cache.brokers.length === 0) await cluster.refresh([], options)
  return cluster.cache.brokers[0]?.nodeId ?? 0
}

async function unlessForbidden<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    const refused = isLinkspanError(error, 'kafka-not-permitted') || isLinkspanError(error, 'unsupported')
    if (refused || kafkaCodeOf(error) === kafkaErrors.UNSUPPORTED_VERSION) return undefined
    throw error
  }
}
