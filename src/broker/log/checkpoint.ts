import { join } from 'node:path'
import { crc32c } from '../../bytes/crc32c.ts'
import { type Files, replaceFile } from './files.ts'
import { checkpointDraftName, checkpointName } from './layout.ts'
import { emptyTail, type SegmentTail } from './segment.ts'

/**
 * Up to where a log is known to be on disk, indexes and producers included: recovery reads from there. A log that was
 * closed in order has its end here, so that nothing is read.
 */
export interface RecoveryPoint {
  offset: number
  /** Base offset of the segment in which it lies; the segment's file may not exist yet when it is empty. */
  segment: number
  tail: SegmentTail
  /** Producers in the snapshot of this offset; none is written when there are none. */
  producers: number
}

export interface Checkpoint {
  logStartOffset: number
  recovery: RecoveryPoint
}

const version = 1

/** A log that starts and ends at an offset, with nothing in it. */
export function emptyCheckpoint(offset: number): Checkpoint {
  return { logStartOffset: offset, recovery: emptyRecovery(offset) }
}

export function emptyRecovery(offset: number): RecoveryPoint {
  return { offset, segment: offset, tail: emptyTail, producers: 0 }
}

/** A checkpoint with its text's CRC on a second line: a person can read it, and a damaged one is not believed. */
export function encodeCheckpoint(checkpoint: Checkpoint): Buffer {
  const text = JSON.stringify({ version, ...checkpoint })
  return Buffer.from(`${text}\n${crcOf(text)}\n`)
}

/** Undefined when it is damaged. */
export function decodeCheckpoint(bytes: Buffer): Checkpoint | undefined {
  const [text, crc] = bytes.toString().split('\n')
  if (text === undefined || crc !== crcOf(text)) return undefined
  const { version: found, ...checkpoint } = JSON.parse(text) as Checkpoint & { version: number }
  return found === version ? checkpoint : undefined
}

/** Either the one that stood there or the new one stands there, whatever crashes; the new one once this resolves. */
export async function writeCheckpoint(files: Files, folder: string, checkpoint: Checkpoint): Promise<void> {
  const names = { draft: checkpointDraftName, name: checkpointName }
  await replaceFile(files, folder, names, encodeCheckpoint(checkpoint))
  await files.syncFolder(folder)
}

/** Undefined when there is none; `damaged` when it cannot be believed. */
export async function readCheckpoint(files: Files, folder: string): Promise<Checkpoint | 'damaged' | undefined> {
  const bytes = await files.readFile(join(folder, checkpointName))
  return bytes && (decodeCheckpoint(bytes) ?? 'damaged')
}

function crcOf(text: string): string {
  return crc32c(Buffer.from(text)).toString(16).padStart(8, '0')
}
