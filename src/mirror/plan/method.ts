import { type UnplainReason, unplainReasons } from '../../records/judge.ts'

/** What is known about a source partition before it is mirrored. */
export interface PartitionFacts {
  partition: number
  logStart: number
  highWatermark: number
  /** Where the copy goes on: 0 for a new topic, its log end for one that is taken over. */
  from: number
  /** Why batches that were looked at, at or above `from`, cannot pass as they are; the first offset of each reason. */
  unplain: readonly { reason: UnplainReason; offset: number }[]
}

export interface TopicFacts {
  /** Whether the source's cleaner takes records out of the middle of its log. */
  compacted: boolean
  /** The source's `message.timestamp.type`. */
  timestampType: string
  partitions: readonly PartitionFacts[]
}

/** How a partition is copied, with the reason; or why it cannot be, by any means that this daemon has. */
export type MethodChoice =
  | { method: 'pass-through' | 'raw'; reason: string }
  | { method: 'refuse'; reason: string; partition: number | null; offset: number | null }

/**
 * The method for a whole topic: the least that is exact. To Apache Kafka that is pass-through for plain data today, or
 * nothing; what is found later, batch by batch, stops its partition before anything inexact is written.
 */
export function chooseMethod(facts: TopicFacts, { embedded }: { embedded: boolean }): MethodChoice {
  if (embedded) return chooseRaw(facts)
  if (facts.timestampType === 'LogAppendTime') {
    const text =
      'Its records carry the time at which the source appended them (message.timestamp.type=LogAppendTime), ' +
      'which nobody but the source can set'
    return { method: 'refuse', reason: text, partition: null, offset: null }
  }
  for (const partition of facts.partitions) {
    const obstacle = obstacleOf(partition)
    if (obstacle) return obstacle
  }
  return { method: 'pass-through', reason: 'All that was looked at is plain data from the first offset on' }
}

/** The embedded broker takes batches as they are stored, at their offsets; it does not compact. */
function chooseRaw({ compacted, partitions }: TopicFacts): MethodChoice {
  if (compacted) {
    const text = 'It is compacted at the source, which the embedded broker cannot do: mirror it to an Apache Kafka'
    return { method: 'refuse', reason: text, partition: null, offset: null }
  }
  for (const { partition, unplain } of partitions) {
    const old = unplain.find(({ reason }) => reason === 'old-format' || reason === 'unknown-codec')
    if (!old) continue
    const text = `Offset ${old.offset} of partition ${partition} cannot pass: ${unplainReasons[old.reason]}`
    return { method: 'refuse', reason: text, partition, offset: old.offset }
  }
  return { method: 'raw', reason: 'The embedded broker stores batches as they are, at the offsets that they have' }
}

function obstacleOf({ partition, logStart, from, unplain }: PartitionFacts): MethodChoice | undefined {
  if (logStart > from) {
    const text =
      `Partition ${partition} begins at offset ${logStart} at the source, and the mirror would have to begin there: ` +
      `records below were deleted, and offset ${from} cannot be skipped`
    return { method: 'refuse', reason: text, partition, offset: logStart }
  }
  const [first] = unplain
  if (!first) return undefined
  const text = `Offset ${first.offset} of partition ${partition} cannot pass as it is: ${unplainReasons[first.reason]}`
  return { method: 'refuse', reason: text, partition, offset: first.offset }
}
