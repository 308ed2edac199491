import * as header from '../../records/header.ts'
import { BatchCursor } from '../../records/walk.ts'
import type { LogRoom } from './room.ts'

const chunkBytes = 1024 * 1024

/** What a walk over stored batches ended with. */
export interface ScanEnd {
  /** Where the last good batch ends. */
  position: number
  /** Why nothing behind `position` is a batch of this log; undefined at the end of the range. */
  problem: string | undefined
}

/** False ends the walk before this batch. */
export type ScanVisitor = (bytes: Buffer, at: number, size: number) => boolean

export interface ScanRange {
  start: number
  end: number
  /** Not for what is known to be good. */
  checkCrc: boolean
}

/**
 * Walks the batches of a segment; `visit` gets those that are whole. Stops at the first that is not: behind a hole that
 * a crash has torn, nothing counts.
 */
export async function scanSegment(room: LogRoom, path: string, range: ScanRange, visit: ScanVisitor): Promise<ScanEnd> {
  const { start, end: fileBytes } = range
  const end: ScanEnd = { position: start, problem: undefined }
  if (fileBytes <= start) return end
  const pinned = room.openFiles.pin(path, 'existing')
  const cursor = new BatchCursor()
  let buffer = room.buffers.take(Math.min(chunkBytes, fileBytes - start))
  try {
    while (end.problem === undefined && end.position < fileBytes) {
      const length = await pinned.file.read(buffer, Math.min(buffer.length, fileBytes - end.position), end.position)
      cursor.open(buffer, 0, length, Number.MAX_SAFE_INTEGER)
      end.problem = walk(buffer, cursor, range.checkCrc, visit)
      end.position += cursor.at
      if (cursor.at > 0 || end.problem !== undefined) continue
      // Not one whole batch in the buffer: it needs a larger one, or the file ends within it.
      if (length < buffer.length || cursor.size > fileBytes - end.position) end.problem = 'a batch that is cut'
      else buffer = exchange(room, buffer, Math.max(cursor.size, buffer.length * 2))
    }
  } finally {
    room.buffers.giveBack(buffer)
    room.openFiles.unpin(pinned)
  }
  return end
}

/** Leaves the cursor at the first batch that was not taken; says why, unless the rest of it is merely not read yet. */
function walk(buffer: Buffer, cursor: BatchCursor, checkCrc: boolean, visit: ScanVisitor): string | undefined {
  while (cursor.next()) {
    if (checkCrc && header.computeCrc(buffer, cursor.at, cursor.size) !== header.crc(buffer, cursor.at)) {
      return 'a batch that fails its CRC'
    }
    if (!visit(buffer, cursor.at, cursor.size)) return 'a batch whose offset does not follow'
  }
  return cursor.stop === 'end' || cursor.stop === 'incomplete' ? undefined : cursor.problem
}

function exchange(room: LogRoom, buffer: Buffer, bytesMin: number): Buffer {
  room.buffers.giveBack(buffer)
  return room.buffers.take(bytesMin)
}
