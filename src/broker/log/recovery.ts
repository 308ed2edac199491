import { LinkspanError } from '../../base/errors.ts'
import { type Checkpoint, emptyCheckpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { parseSegmentFileName } from './layout.ts'
import { Loader } from './loader.ts'
import type { LogState } from './log-state.ts'
import type { LogRoom } from './room.ts'

export interface LoadedLog {
  state: LogState
  logStartOffset: number
  /** As it stands on disk. */
  checkpoint: Checkpoint
  /** Of records that were read because no checkpoint covers them. */
  scannedBytes: number
}

/** What is known to be on disk, when a log is read again after a failed write: everything behind it goes. */
export interface DurableEnd {
  offset: number
  segment: number
  position: number
}

/**
 * Reads a log's folder: what the checkpoint covers is believed, what follows is walked, and the first batch that is not
 * whole, not right or not the next one is cut off with all behind it. Nothing but whole batches is there afterwards,
 * and all of them are on disk.
 */
export async function loadLog(
  room: LogRoom,
  folder: string,
  indexIntervalBytes: number,
  durable?: DurableEnd,
): Promise<LoadedLog> {
  const names = await room.files.list(folder)
  const checkpoint = await findCheckpoint(room, folder, names)
  const loader = new Loader({ room, folder, names, checkpoint, indexIntervalBytes })
  await loader.removeLeftovers()
  if (durable) await loader.cutBehind(durable.segment, durable.position)
  if (!(await loader.restore())) loader.startOver()
  await loader.scan()
  loader.keepOffsets()
  await loader.makeDurable()
  loader.state.producers.expire(room.clock.wallMs(), room.producerExpirationMs)
  const logStartOffset = Math.min(checkpoint.logStartOffset, loader.state.endOffset)
  return { state: loader.state, logStartOffset, checkpoint, scannedBytes: loader.scannedBytes }
}

async function findCheckpoint(room: LogRoom, folder: string, names: readonly string[]): Promise<Checkpoint> {
  const checkpoint = await readCheckpoint(room.files, folder)
  if (checkpoint !== undefined && checkpoint !== 'damaged') return checkpoint
  const bases = names.flatMap((name) => {
    const file = parseSegmentFileName(name)
    return file?.kind === 'log' ? [file.baseOffset] : []
  })
  if (bases.length > 0) {
    room.log.warn(
      { folder, checkpoint },
      'A log has no usable checkpoint; all of it is read, deleted records come back',
    )
    return emptyCheckpoint(Math.min(...bases))
  }
  if (checkpoint === undefined) {
    const first = emptyCheckpoint(0)
    await writeCheckpoint(room.files, folder, first)
    return first
  }
  const wayOut = 'restore the folder from a backup, or remove it to start the partition over'
  throw new LinkspanError('corrupt', `The checkpoint of the log in ${folder} is damaged: ${wayOut}`)
}
