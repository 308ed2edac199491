import type { EntitlementOf } from '../../contract/entities.ts'
import type { BrokerSession } from '../session.ts'

/** Kafka's READ and DELETE on a group are `can_edit`; DESCRIBE is `can_view`. */
export function mayGroup(session: BrokerSession, entitlement: EntitlementOf<'consumer_group'>, name: string): boolean {
  return session.internal || session.may(entitlement, { type: 'consumer_group', name })
}

/** Kafka's operations as bits: 3 is READ, 6 DELETE, 8 DESCRIBE. */
const viewBits = 1 << 8
const editBits = (1 << 3) | (1 << 6)

/** What the caller may do with a group that he may see, as DescribeGroups tells it. */
export function groupOperations(session: BrokerSession, name: string): number {
  return viewBits | (mayGroup(session, 'can_edit', name) ? editBits : 0)
}
