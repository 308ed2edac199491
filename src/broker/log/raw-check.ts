import * as header from '../../records/header.ts'
import { BatchCursor } from '../../records/walk.ts'
import { refusal } from './append-check.ts'
import { relativeOffsetMax } from './segment.ts'
import type { AppendRefusal } from './types.ts'

/** The one leader epoch of this broker, whose partitions have never had another leader. */
export const leaderEpoch = 0

const cursor = new BatchCursor()

/**
 * Judges batches of our own mirror, which have their offsets already: whole, right and behind the log's end, or all of
 * them are refused. `isQuiet`: everything before them is on disk.
 */
export function checkRawBatches(batches: Buffer, endOffset: number, isQuiet: boolean): AppendRefusal | undefined {
  cursor.open(batches, 0, batches.length, Number.MAX_SAFE_INTEGER)
  let end = endOffset
  let count = 0
  while (cursor.next()) {
    const { at, size } = cursor
    const baseOffset = header.baseOffset(batches, at)
    if (baseOffset < end) return refusal('OFFSET_OUT_OF_RANGE', `Offset ${baseOffset} is below ${end}, the log's end`)
    if (header.computeCrc(batches, at, size) !== header.crc(batches, at)) {
      return refusal('CORRUPT_MESSAGE', `The batch at offset ${baseOffset} does not have the CRC that it says`)
    }
    // A segment of its own begins there. After a crash it would count even if what comes before it were lost.
    const isWideGap = header.lastOffset(batches, at) - end > relativeOffsetMax
    if (isWideGap && (count > 0 || !isQuiet)) {
      return refusal('KAFKA_STORAGE_ERROR', 'A gap of 2^31 offsets or more has to wait until all before it is on disk')
    }
    batches.writeInt32BE(leaderEpoch, at + header.leaderEpochAt)
    end = header.lastOffset(batches, at) + 1
    count += 1
  }
  if (cursor.stop !== 'end') return refusal('INVALID_RECORD', cursor.problem || 'The last batch is cut')
  return count === 0 ? refusal('INVALID_RECORD', 'There is no batch') : undefined
}
