import { explainError, LinkspanError } from '../../base/errors.ts'
import * as header from '../../records/header.ts'
import { abortedBetween, abortedBetweenNow } from './aborted.ts'
import type { LogEnd } from './commit.ts'
import { isMissing } from './files.ts'
import { type Entries, lastWhere } from './index-file.ts'
import type { LogState } from './log-state.ts'
import type { LogRoom } from './room.ts'
import { offsetEntryBytes, type Segment } from './segment.ts'
import { selectBatches, type Wanted } from './select-batches.ts'
import type { LogBounds, ReadOptions, ReadOutcome } from './types.ts'

/** This near to the end of a log, records are in the page cache: reading them at once costs less than a thread. */
const hotBytes = 8 * 1024 * 1024
/** Of one read, whatever is asked for; a single batch may be larger. */
const readBytesMax = 64 * 1024 * 1024
/** Between a batch and the index entry before it, mostly: 4 KiB by default, and a header. */
const slackBytes = 4096 + header.headerBytes
/** Segments that went while they were looked for. */
const attemptsMax = 3

const nothing: Buffer = Buffer.alloc(0)
export const segmentStart: Place = { position: 0, baseOffset: undefined }

/** What is read of a log; it changes between one call and the next. */
export interface ReadSource {
  readonly state: LogState
  readonly durable: LogEnd
  readonly bounds: LogBounds
}

interface ReadRequest {
  buffer: Buffer
  length: number
  position: number
}

interface Batches {
  buffer: Buffer
  start: number
  end: number
  endOffset: number
}

/** `exhausted`: the segment ends before anything for this reader. `stop`: what comes next is not for this reader. */
type Found = Batches | 'exhausted' | 'stop'

export interface Place {
  position: number
  /** What the index says that stands there; undefined at the start of a segment. */
  baseOffset: number | undefined
}

type Success = Extract<ReadOutcome, { ok: true }>

/** Reads whole batches: at once near the end of the log, by a thread elsewhere. */
export class LogReader {
  readonly #room: LogRoom
  readonly #source: ReadSource

  constructor(room: LogRoom, source: ReadSource) {
    this.#room = room
    this.#source = source
  }

  read(options: ReadOptions): ReadOutcome | Promise<ReadOutcome> {
    const refused = this.#refuse(options)
    if (refused) return refused
    try {
      return this.#readNow(options) ?? this.#readLater(options)
    } catch (error) {
      return this.#failed(error)
    }
  }

  #refuse({ offset, isolation }: ReadOptions): ReadOutcome | undefined {
    const { bounds, state } = this.#source
    if (offset < bounds.logStartOffset || offset > state.endOffset) {
      return { ok: false, error: 'OFFSET_OUT_OF_RANGE', bounds }
    }
    const limitOffset = isolation === 'committed' ? bounds.lastStableOffset : bounds.highWatermark
    return offset >= limitOffset ? empty(bounds) : undefined
  }

  /** Undefined when something is not in memory, or not near the end. */
  #readNow(options: ReadOptions): ReadOutcome | undefined {
    const { state, bounds, durable } = this.#source
    const index = state.segmentIndexOf(options.offset)
    const segment = state.segments[index]!
    if (segment.baseOffset !== durable.segment.baseOffset) return undefined
    const place = placeInMemory(segment, options.offset)
    const endPosition = durable.tail.sizeBytes
    if (place === undefined || endPosition - place.position > hotBytes) return undefined
    const pinned = this.#room.openFiles.pin(segment.path, 'existing')
    const steps = this.#steps(segment, place, endPosition, wantedOf(options, bounds))
    let step = steps.next(0)
    try {
      while (!step.done)
        step = steps.next(pinned.file.readNow(step.value.buffer, step.value.length, step.value.position))
    } finally {
      this.#room.openFiles.unpin(pinned)
    }
    if (typeof step.value === 'string') return empty(bounds)
    const outcome = this.#taken(step.value, bounds)
    if (options.isolation === 'uncommitted') return outcome
    const aborted = abortedBetweenNow(this.#room, state.segments.slice(index), options.offset, step.value.endOffset)
    if (aborted) return { ...outcome, aborted }
    outcome.release()
    return undefined
  }

  async #readLater(options: ReadOptions): Promise<ReadOutcome> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return this.#refuse(options) ?? (await this.#readSegments(options))
      } catch (error) {
        // Retention or DeleteRecords may have taken the segment: the bounds tell.
        if (!isMissing(error) || attempt === attemptsMax) return this.#failed(error)
      }
    }
  }

  async #readSegments(options: ReadOptions): Promise<ReadOutcome> {
    const { state, bounds, durable } = this.#source
    const segments = state.segments.slice(state.segmentIndexOf(options.offset))
    for (const [index, segment] of segments.entries()) {
      const endPosition = durableBytes(segment, durable)
      if (endPosition === 0) continue
      const place = placeInMemory(segment, options.offset) ?? (await this.#placeOnDisk(segment, options.offset))
      const found = await this.#readSteps(segment, place, endPosition, wantedOf(options, bounds))
      if (found === 'stop') break
      if (found === 'exhausted') continue
      const outcome = this.#taken(found, bounds)
      if (options.isolation === 'uncommitted') return outcome
      try {
        const aborted = await abortedBetween(this.#room, segments.slice(index), options.offset, found.endOffset)
        return { ...outcome, aborted }
      } catch (error) {
        outcome.release()
        throw error
      }
    }
    return empty(bounds)
  }

  async #placeOnDisk(segment: Segment, offset: number): Promise<Place> {
    return placeAmong(await segment.offsets.beforeMemory(this.#room), segment.baseOffset, offset) ?? segmentStart
  }

  async #readSteps(segment: Segment, place: Place, endPosition: number, wanted: Wanted): Promise<Found> {
    const pinned = this.#room.openFiles.pin(segment.path, 'existing')
    const steps = this.#steps(segment, place, endPosition, wanted)
    let step = steps.next(0)
    try {
      while (!step.done) {
        const { buffer, length, position } = step.value
        step = steps.next(await pinned.file.read(buffer, length, position))
      }
    } finally {
      steps.return('stop') // after a failed read it still holds its buffer
      this.#room.openFiles.unpin(pinned)
    }
    return step.value
  }

  /** What has to be read to find the batches in one segment; whoever drives this reads, now or later. */
  *#steps(segment: Segment, from: Place, endPosition: number, wanted: Wanted): Generator<ReadRequest, Found, number> {
    let place = from.position < endPosition ? from : segmentStart
    let neededBytes = wanted.bytesMax + slackBytes
    let buffer = this.#room.buffers.take(Math.min(neededBytes, endPosition - place.position))
    let isTaken = false
    try {
      while (place.position < endPosition) {
        const wantedBytes = Math.min(neededBytes, endPosition - place.position)
        if (buffer.length < wantedBytes) buffer = this.#exchange(buffer, wantedBytes)
        const length = yield { buffer, length: wantedBytes, position: place.position }
        if (length < wantedBytes) throw cutFile(segment)
        if (place.baseOffset !== undefined && header.baseOffset(buffer, 0) !== place.baseOffset) {
          this.#room.log.warn({ file: segment.offsets.path }, 'An index is damaged: its segment is read from the start')
          place = segmentStart
          continue
        }
        const selection = selectBatches(buffer, length, wanted)
        if (selection.kind === 'none') return 'stop'
        if (selection.kind === 'taken') {
          isTaken = true
          return { buffer, ...selection }
        }
        place = { position: place.position + selection.start, baseOffset: undefined }
        neededBytes = Math.max(neededBytes, selection.neededBytes)
      }
      return 'exhausted'
    } finally {
      if (!isTaken) this.#room.buffers.giveBack(buffer)
    }
  }

  #exchange(buffer: Buffer, bytesMin: number): Buffer {
    this.#room.buffers.giveBack(buffer)
    return this.#room.buffers.take(bytesMin)
  }

  #taken({ buffer, start, end }: Batches, bounds: LogBounds): Success {
    let isHeld = true
    const release = () => {
      if (isHeld) this.#room.buffers.giveBack(buffer)
      isHeld = false
    }
    return { ok: true, records: buffer.subarray(start, end), bounds, aborted: [], release }
  }

  #failed(error: unknown): ReadOutcome {
    this.#room.log.error({ error: explainError(error) }, 'A log could not be read')
    return { ok: false, error: 'KAFKA_STORAGE_ERROR', bounds: this.#source.bounds }
  }
}

function empty(bounds: LogBounds): Success {
  return { ok: true, records: nothing, bounds, aborted: [], release: () => {} }
}

function wantedOf(options: ReadOptions, bounds: LogBounds): Wanted {
  return {
    offset: options.offset,
    limitOffset: options.isolation === 'committed' ? bounds.lastStableOffset : bounds.highWatermark,
    bytesMax: Math.min(options.bytesMax, readBytesMax),
    firstBatchWhole: options.firstBatchWhole,
  }
}

/** Bytes of a segment that are on disk for certain. */
export function durableBytes(segment: Segment, durable: LogEnd): number {
  if (segment.baseOffset > durable.segment.baseOffset) return 0
  return segment.baseOffset === durable.segment.baseOffset ? durable.tail.sizeBytes : segment.sizeBytes
}

/** Undefined when only the file of the index can tell. */
export function placeInMemory(segment: Segment, offset: number): Place | undefined {
  const place = placeAmong(segment.offsets.inMemory, segment.baseOffset, offset)
  return place ?? (segment.offsets.isComplete ? segmentStart : undefined)
}

/** The last entry at or before an offset. */
export function placeAmong({ bytes, count }: Entries, baseOffset: number, offset: number): Place | undefined {
  const relative = offset - baseOffset
  const index = lastWhere({ bytes, count }, (entry) => bytes.readUInt32BE(entry * offsetEntryBytes) <= relative)
  if (index === -1) return undefined
  const at = index * offsetEntryBytes
  return { position: bytes.readUInt32BE(at + 4), baseOffset: baseOffset + bytes.readUInt32BE(at) }
}

function cutFile(segment: Segment): LinkspanError {
  return new LinkspanError('storage', `${segment.path} is shorter than what was written to it`)
}
