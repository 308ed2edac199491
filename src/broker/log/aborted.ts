import { LinkspanError } from '../../base/errors.ts'
import { type Entries, lastWhere } from './index-file.ts'
import type { AbortedTransaction } from './producers.ts'
import type { LogRoom } from './room.ts'
import { abortedEntryBytes, readInt64, type Segment } from './segment.ts'

type Aborted = Pick<AbortedTransaction, 'producerId' | 'firstOffset'>

/**
 * Transactions that were aborted and have records between two offsets, the second not included; `segments` from the one
 * that holds the first on. Each stands in the segment of its marker, so later segments are looked at until one says
 * that nothing before the second offset was open any more.
 */
export async function abortedBetween(
  room: LogRoom,
  segments: readonly Segment[],
  from: number,
  to: number,
): Promise<Aborted[]> {
  const found: Aborted[] = []
  for (const segment of segments) {
    if (segment.aborted.count === 0) continue
    const recent = segment.aborted.inMemory // a checkpoint may take it out of memory meanwhile
    const olderCount = segment.aborted.count - recent.count
    const older = await segment.aborted.beforeMemory(room)
    if (older.count < olderCount) throw lostIndex(segment)
    if (collect(older, from, to, found) || collect(recent, from, to, found)) break
  }
  return found
}

/** The same when everything is in memory. */
export function abortedBetweenNow(
  room: LogRoom,
  segments: readonly Segment[],
  from: number,
  to: number,
): Aborted[] | undefined {
  const found: Aborted[] = []
  for (const segment of segments) {
    if (segment.aborted.count === 0) continue
    const older = segment.aborted.cachedBeforeMemory(room)
    if (older === undefined) return undefined
    if (collect(older, from, to, found) || collect(segment.aborted.inMemory, from, to, found)) break
  }
  return found
}

/** True when no later entry can matter. */
function collect({ bytes, count }: Entries, from: number, to: number, found: Aborted[]): boolean {
  const isBefore = (index: number) => readInt64(bytes, index * abortedEntryBytes + 16) < from
  for (let index = lastWhere({ bytes, count }, isBefore) + 1; index < count; index += 1) {
    const at = index * abortedEntryBytes
    const firstOffset = readInt64(bytes, at + 8)
    if (firstOffset < to) found.push({ producerId: bytes.readBigInt64BE(at), firstOffset })
    if (readInt64(bytes, at + 24) >= to) return true
  }
  return false
}

function lostIndex(segment: Segment): LinkspanError {
  const problem = `The index of aborted transactions ${segment.aborted.path} is missing or damaged`
  return new LinkspanError('storage', `${problem}: committed data cannot be told from it any more`)
}
