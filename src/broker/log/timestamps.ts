import { isLinkspanError } from '../../base/errors.ts'
import { type DecodedRecord, decodeBatch } from '../../records/decode.ts'
import * as header from '../../records/header.ts'
import { type Entries, lastWhere } from './index-file.ts'
import { durableBytes, type Place, placeAmong, placeInMemory, type ReadSource, segmentStart } from './log-reader.ts'
import type { LogRoom } from './room.ts'
import { scanSegment } from './scan.ts'
import { type LargestTimestamp, readTimeEntry, type Segment } from './segment.ts'

const decompressedBytesMax = 256 * 1024 * 1024

export interface TimedOffset {
  offset: number
  timestampMs: number
}

/** Finds records by time among those that are on disk and not below the start of the log. */
export class Timestamps {
  readonly #room: LogRoom
  readonly #source: ReadSource

  constructor(room: LogRoom, source: ReadSource) {
    this.#room = room
    this.#source = source
  }

  /** The first record at or after a time. */
  async findFirst(timestampMs: number): Promise<TimedOffset | undefined> {
    for (const segment of this.#segments()) {
      const largest = await this.#largestOf(segment)
      if (largest.timestampMs < timestampMs) continue
      const place = await this.#placeBefore(segment, timestampMs)
      const found = await this.#firstIn(segment, place, (record) => record.timestampMs >= timestampMs, timestampMs)
      if (found) return found
    }
    return undefined
  }

  /** The first of the records with the largest timestamp. */
  async findLargest(): Promise<TimedOffset | undefined> {
    let best: LargestTimestamp = { timestampMs: -1, offset: -1 }
    let holder: Segment | undefined
    for (const segment of this.#segments()) {
      const largest = await this.#largestOf(segment)
      if (largest.timestampMs <= best.timestampMs) continue
      best = largest
      holder = segment
    }
    if (!holder) return undefined
    const place = await this.#placeOf(holder, best.offset)
    return this.#firstIn(holder, place, (record) => record.timestampMs === best.timestampMs, best.timestampMs)
  }

  #segments(): Segment[] {
    const { state, bounds, durable } = this.#source
    const segments = state.segments.slice(state.segmentIndexOf(bounds.logStartOffset))
    return segments.filter((segment) => durableBytes(segment, durable) > 0)
  }

  /** Of what is on disk; of the whole segment unless its largest was deleted. */
  async #largestOf(segment: Segment): Promise<LargestTimestamp> {
    const { durable, bounds } = this.#source
    const isLast = segment.baseOffset === durable.segment.baseOffset
    const largest = isLast ? durable.tail.largest : await segment.largest(this.#room)
    if (largest.offset >= bounds.logStartOffset || largest.timestampMs === -1) return largest
    return await this.#largestFrom(segment, bounds.logStartOffset)
  }

  async #largestFrom(segment: Segment, offset: number): Promise<LargestTimestamp> {
    let largest: LargestTimestamp = { timestampMs: -1, offset: -1 }
    await this.#walk(segment, await this.#placeOf(segment, offset), (bytes, at) => {
      const baseOffset = header.baseOffset(bytes, at)
      if (header.lastOffset(bytes, at) < offset) return true
      const timestampMs = baseOffset >= offset ? header.maxTimestamp(bytes, at) : largestIn(bytes, at, offset)
      if (timestampMs > largest.timestampMs) largest = { timestampMs, offset: baseOffset }
      return true
    })
    return largest
  }

  /** The first record that `isWanted`, among batches whose largest timestamp reaches `timestampMs`. */
  async #firstIn(
    segment: Segment,
    place: Place,
    isWanted: (record: DecodedRecord) => boolean,
    timestampMs: number,
  ): Promise<TimedOffset | undefined> {
    const { logStartOffset } = this.#source.bounds
    let found: TimedOffset | undefined
    await this.#walk(segment, place, (bytes, at) => {
      if (header.maxTimestamp(bytes, at) < timestampMs || header.lastOffset(bytes, at) < logStartOffset) return true
      // Fillers say that they are below their batch: no consumer sees them.
      const offsetMin = Math.max(logStartOffset, header.baseOffset(bytes, at))
      const record = recordsOf(bytes, at).find((record) => record.offset >= offsetMin && isWanted(record))
      if (record) found = { offset: record.offset, timestampMs: record.timestampMs }
      return found === undefined
    })
    return found
  }

  async #walk(segment: Segment, place: Place, visit: (bytes: Buffer, at: number) => boolean): Promise<void> {
    const range = { start: place.position, end: durableBytes(segment, this.#source.durable), checkCrc: false }
    await scanSegment(this.#room, segment.path, range, visit)
  }

  /** Everything before this place is older. */
  async #placeBefore(segment: Segment, timestampMs: number): Promise<Place> {
    const recent = segment.times.inMemory
    const older = await segment.times.beforeMemory(this.#room)
    const entry = lastBefore(recent, segment, timestampMs) ?? lastBefore(older, segment, timestampMs)
    return entry ? await this.#placeOf(segment, entry.offset) : segmentStart
  }

  async #placeOf(segment: Segment, offset: number): Promise<Place> {
    const place = placeInMemory(segment, offset)
    if (place) return place
    const older = await segment.offsets.beforeMemory(this.#room)
    return placeAmong(older, segment.baseOffset, offset) ?? segmentStart
  }
}

function lastBefore({ bytes, count }: Entries, segment: Segment, timestampMs: number): LargestTimestamp | undefined {
  const read = (index: number) => readTimeEntry(bytes, index, segment.baseOffset)
  const index = lastWhere({ bytes, count }, (entry) => read(entry).timestampMs <= timestampMs)
  return index === -1 ? undefined : read(index)
}

function largestIn(bytes: Buffer, at: number, offsetMin: number): number {
  const records = recordsOf(bytes, at).filter(({ offset }) => offset >= offsetMin)
  return records.reduce((largest, { timestampMs }) => Math.max(largest, timestampMs), -1)
}

/** A batch that cannot be decoded counts as one record. */
function recordsOf(bytes: Buffer, at: number): DecodedRecord[] {
  try {
    return decodeBatch(bytes, at, { decompressedBytesMax })
  } catch (error) {
    if (!isLinkspanError(error)) throw error
    const offset = header.baseOffset(bytes, at)
    return [{ offset, timestampMs: header.maxTimestamp(bytes, at), key: null, value: null, headers: [] }]
  }
}
