import { isLinkspanError } from '../../base/errors.ts'
import { decodeBatch } from '../../records/decode.ts'
import * as header from '../../records/header.ts'
import { markerType } from '../../records/marker.ts'
import type { Producers } from './producers.ts'
import { type Segment, writeInt64 } from './segment.ts'

const markerBytesMax = 64 * 1024
/** A version, then the epoch of the coordinator that wrote the marker. */
const coordinatorEpochAt = 2
const markerValueBytesMin = 6

/** What is in a log, on disk or not yet: made by recovery, kept up by every batch that is added. */
export class LogState {
  /** By base offset; the last one takes what is appended, and there always is one. */
  readonly segments: Segment[]
  readonly producers: Producers
  endOffset: number

  constructor(segments: Segment[], producers: Producers, endOffset: number) {
    this.segments = segments
    this.producers = producers
    this.endOffset = endOffset
  }

  get active(): Segment {
    return this.segments.at(-1)!
  }

  get sizeBytes(): number {
    return this.segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }

  /** Index of the segment that holds an offset, if any does: the last that begins at or before it. */
  segmentIndexOf(offset: number): number {
    let low = 0
    let high = this.segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.segments[middle]!.baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  /** A whole batch, checked, comes to stand at the end of the active segment. */
  add(bytes: Buffer, at: number, size: number, indexIntervalBytes: number): void {
    const baseOffset = header.baseOffset(bytes, at)
    const lastOffset = header.lastOffset(bytes, at)
    this.active.add(baseOffset, size, header.maxTimestamp(bytes, at), indexIntervalBytes)
    this.endOffset = lastOffset + 1
    const producerId = header.producerId(bytes, at)
    if (producerId < 0n) return
    if (header.isControl(bytes, at)) this.#addMarker(bytes, at, producerId)
    else {
      this.producers.add({
        producerId,
        epoch: header.producerEpoch(bytes, at),
        baseSequence: header.baseSequence(bytes, at),
        firstOffset: baseOffset,
        lastOffset,
        timestampMs: header.maxTimestamp(bytes, at),
        isTransactional: header.isTransactional(bytes, at),
      })
    }
  }

  #addMarker(bytes: Buffer, at: number, producerId: bigint): void {
    const type = markerType(bytes, at)
    if (type === undefined) return
    const aborted = this.producers.addMarker({
      producerId,
      epoch: header.producerEpoch(bytes, at),
      coordinatorEpoch: coordinatorEpochOf(bytes, at),
      isAbort: type === 'abort',
      offset: header.lastOffset(bytes, at),
      timestampMs: header.maxTimestamp(bytes, at),
    })
    if (aborted === undefined) return
    this.active.aborted.add((entry, start) => {
      entry.writeBigInt64BE(aborted.producerId, start)
      writeInt64(entry, start + 8, aborted.firstOffset)
      writeInt64(entry, start + 16, aborted.lastOffset)
      writeInt64(entry, start + 24, aborted.lastStableOffset)
    })
  }
}

/** −1 when the marker does not say it as Kafka does: that is no reason to stop a log. */
function coordinatorEpochOf(bytes: Buffer, at: number): number {
  try {
    const value = decodeBatch(bytes, at, { decompressedBytesMax: markerBytesMax })[0]?.value
    if (!value || value.length < markerValueBytesMin) return -1
    return Buffer.from(value.buffer, value.byteOffset, value.length).readInt32BE(coordinatorEpochAt)
  } catch (error) {
    if (isLinkspanError(error)) return -1
    throw error
  }
}
