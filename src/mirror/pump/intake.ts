import { baseOffset, lastOffset, leaderEpoch, maxTimestamp } from '../../records/header.ts'
import { BatchCursor } from '../../records/walk.ts'
import { type FrameHold, PassingBatch } from './batches.ts'
import type { PumpPartition } from './partition.ts'
import type { StopReason } from './protocol.ts'
import { stopReason, unplainStop } from './reasons.ts'

export interface IntakeRules {
  batchBytesMax: number
  /** Batches whose newest record is older (wall time) count as old data. */
  oldBeforeMs: number
  /** Monotonic. */
  nowMs: number
}

/**
 * `taken`: as far as possible; an obstacle may have been left in the partition. `quarantined`: old data came too early.
 */
export type IntakeResult = 'taken' | 'quarantined'

const cursor = new BatchCursor()

/**
 * Takes the batches of one partition's fetch answer by their headers: each must be able to pass, and start where the
 * last one ended unless gaps pass too. What passes is rewritten in place and queued. What does not is the partition's
 * obstacle.
 */
export function takeBatches(
  partition: PumpPartition,
  records: Buffer,
  hold: FrameHold,
  rules: IntakeRules,
): IntakeResult {
  const { passing } = partition
  const quarantined = rules.nowMs < partition.quarantineUntilMs
  cursor.open(records, 0, records.length, rules.batchBytesMax)
  let found = false
  while (cursor.next()) {
    const { at, size } = cursor
    found = true
    const end = lastOffset(records, at) + 1
    if (end <= partition.nextOffset) continue
    const offset = baseOffset(records, at)
    if (offset < partition.copyEnd || (offset > partition.nextOffset && !passing.raw)) {
      partition.obstacle = misplaced(offset, end, partition.nextOffset)
      return 'taken'
    }
    const obstacle = passing.obstacle(records, at, offset)
    if (obstacle) {
      partition.obstacle = obstacle
      return 'taken'
    }
    const old = !passing.raw && maxTimestamp(records, at) < rules.oldBeforeMs
    if (old && quarantined) return 'quarantined'
    const epoch = leaderEpoch(records, at)
    const batch = new PassingBatch(records.subarray(at, at + size), hold, offset, end, old)
    if (!partition.enqueue(batch)) {
      batch.release()
      return 'taken'
    }
    partition.lastFetchedEpoch = epoch
    passing.rewrite(records, at, size, offset)
  }
  judgeEnd(partition, found)
  return 'taken'
}

function judgeEnd(partition: PumpPartition, found: boolean): void {
  const { stop, problem, size } = cursor
  const offset = partition.nextOffset
  if (stop === 'incomplete') partition.hungry = !found
  else if (stop === 'end') partition.hungry = false
  else if (stop === 'old-format') partition.obstacle = unplainStop('old-format', offset)
  else if (stop === 'too-large') {
    const text = `The batch at offset ${offset} takes ${size} bytes: raise the largest batch size of this link`
    partition.obstacle = stopReason('refused', text, offset)
  } else {
    const text = `The source sent ${problem} after offset ${offset}: its log is damaged there, or the network is`
    partition.obstacle = stopReason('corrupt', text, offset)
  }
}

function misplaced(offset: number, end: number, expected: number): StopReason {
  if (offset < expected) {
    const text =
      `The mirror ends at offset ${expected}, inside of the source's batch ${offset} to ${end - 1}: ` +
      'its batches are cut in another way there, so it cannot go on by whole batches'
    return stopReason('inside-batch', text, expected)
  }
  const text =
    `The source has no records at offsets ${expected} to ${offset - 1}: Kafka's cleaner or a transaction left a gap, ` +
    'which whole batches cannot reproduce'
  return stopReason('hole', text, expected, { gapEnd: offset })
}
