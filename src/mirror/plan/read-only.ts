import type { AclBinding } from '../../kafka/admin/acl-names.ts'

/**
 * `deny-everyone`: one rule that binds all but super users, of whom we are one. `deny-writers`: one rule for each who
 * may write otherwise. `detect-only`: nothing can refuse writers; a foreign record fails the mirror within a second.
 * `refused-by-broker`: our embedded broker takes nothing but the mirror's own appends.
 */
export type ReadOnlyMode = 'deny-everyone' | 'deny-writers' | 'detect-only' | 'refused-by-broker'

export interface Authorizing {
  present: boolean | 'unknown'
  allowsWithoutAcl: boolean | 'hidden' | 'unknown'
  mayDescribeAcls: boolean
}

/** What is known of the destination's authorizer. */
export interface ReadOnlyFacts {
  topic: string
  authorizer: Authorizing
  /** Whether a rule against everybody leaves us able to write. */
  superUser: boolean
  /** Whom Kafka knows us as; undefined when that cannot be told. */
  ownPrincipal: string | undefined
  /** Rules that apply to the topic: literal ones of its name, prefixed ones that match it, wildcards. */
  acls: readonly AclBinding[]
}

export interface ReadOnlyPlan {
  mode: ReadOnlyMode
  /** Shown to people. */
  reason: string
  /** To be created; at promotion exactly these are deleted. */
  acls: AclBinding[]
}

export const everyone = 'User:*'

/** Who is to be kept from writing to a mirror topic, and how; creates nothing that could cut off a reader. */
export function planReadOnly(facts: ReadOnlyFacts): ReadOnlyPlan {
  const problem = bindingProblem(facts.authorizer)
  if (problem !== undefined) return detectOnly(problem)
  if (facts.superUser) {
    const reason = 'Everybody is denied writing, except for super users, of whom we are one'
    return { mode: 'deny-everyone', reason, acls: [denial(facts.topic, everyone)] }
  }
  return denyWriters(facts)
}

/** Why no rule can be made in a cluster without harm; undefined when one can. */
export function bindingProblem({ present, allowsWithoutAcl, mayDescribeAcls }: Authorizing): string | undefined {
  if (present === false) return 'The cluster has no authorizer, so it refuses nobody'
  if (!mayDescribeAcls) return "Our user may not see the cluster's ACLs"
  if (allowsWithoutAcl !== false) {
    return 'A topic without ACLs is open to everyone there, so that a first ACL would cut off its readers'
  }
  return undefined
}

function denyWriters({ topic, ownPrincipal, acls }: ReadOnlyFacts): ReadOnlyPlan {
  if (ownPrincipal === undefined) {
    return detectOnly('It cannot be told whom Kafka knows us as, and a rule against ourselves would stop the mirror')
  }
  const writers = acls.filter(({ resourceType, permission, operation }) => {
    return resourceType === 'TOPIC' && permission === 'ALLOW' && (operation === 'WRITE' || operation === 'ALL')
  })
  const principals = [...new Set(writers.map(({ principal }) => principal))].filter((one) => one !== ownPrincipal)
  if (principals.includes(everyone)) {
    return detectOnly('An ACL lets everybody write there, and denying that would bind us too')
  }
  const reason =
    principals.length === 0
      ? 'The destination denies by default, and no ACL lets anybody else write there'
      : `The destination denies by default, and those whom an ACL lets write are denied it (${principals.length})`
  return { mode: 'deny-writers', reason, acls: principals.map((principal) => denial(topic, principal)) }
}

function detectOnly(problem: string): ReadOnlyPlan {
  const reason = `${problem}: foreign records are noticed within a second, and fail the mirror`
  return { mode: 'detect-only', reason, acls: [] }
}

export function denial(topic: string, principal: string): AclBinding {
  return {
    resourceType: 'TOPIC',
    resourceName: topic,
    patternType: 'LITERAL',
    principal,
    host: '*',
    operation: 'WRITE',
    permission: 'DENY',
  }
}
