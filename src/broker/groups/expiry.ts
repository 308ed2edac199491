import type { Group } from './group.ts'
import type { OffsetSlot } from './offsets.ts'

/**
 * The offsets of a group that nobody has used for too long. Counted is from when the group became empty, or from the
 * commit when that came later; of groups that never had members, and of stable consumers that do not subscribe to the
 * topic any more, from the commit. A group that rebalances, and one whose members are no consumers, keeps what it has.
 *
 * Apache's broker forgets what was committed from outside into a group that has been empty for long as soon as it next
 * looks. We count that anew: the mirror of a group that waits for its failover is such a case.
 */
export function expiredOffsets(
  group: Group,
  slots: Iterable<OffsetSlot>,
  nowMs: number,
  retentionMs: number,
): OffsetSlot[] {
  const emptySinceMs = countedFrom(group)
  if (emptySinceMs === undefined) return []
  const subscribed = group.members.size > 0 ? group.subscribedTopics() : new Set<string>()
  if (!subscribed) return []
  return [...slots].filter(({ topic, durable, pending }) => {
    if (!durable || pending > 0 || subscribed.has(topic)) return false
    if (durable.expireTimestampMs !== null) return nowMs >= durable.expireTimestampMs
    return nowMs - Math.max(emptySinceMs, durable.commitTimestampMs) >= retentionMs
  })
}

/** Undefined: nothing expires. */
function countedFrom({ state }: Group): number | undefined {
  switch (state.name) {
    case 'Empty':
      return state.sinceMs ?? 0
    case 'Stable':
      return 0
    case 'PreparingRebalance':
    case 'CompletingRebalance':
    case 'Dead':
      return undefined
  }
}
