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
  /** The source's `message.timestamp.type`. */
  timestampType: string
  partitions: readonly PartitionFacts[]
}

/** How a partition is copied, with the reason; or why it cannot be, by any means that this daemon has. */
export type MethodChoice =
  | { method: 'pass-through'; reason: string }
  | { method: 'refuse'; reason: string; partition: number | null; offset: number | null }

/**
 * The method for a whole topic: the least that is exact. Today that is pass-through for plain data, or nothing; what is
 * found later, batch by batch, stops its partition before anything inexact is written.
 */
export function chooseMethod(facts: TopicFacts): MethodChoice {
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
