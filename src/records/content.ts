import {
  attributes,
  baseTimestampAt,
  batchLength,
  codecMask,
  controlBit,
  headerBytes,
  lastOffsetDelta,
  logAppendTimeBit,
  producerIdAt,
  recordCount,
} from './header.ts'
import { markerType } from './marker.ts'

/** The flags that change what a consumer reads from the same bytes. */
const meaningMask = codecMask | logAppendTimeBit | controlBit

/**
 * Whether two whole stored batches carry the same records at the same distances: payload, codec, count, last offset
 * delta, timestamps and what these mean. Offset, epoch, CRC, producer, transaction and delete horizon do not count.
 * Two markers are the same when they decide the same: time and coordinator epoch inside them are the cluster's own.
 */
export function sameContent(left: Buffer, leftAt: number, right: Buffer, rightAt: number): boolean {
  const meaning = attributes(left, leftAt) & meaningMask
  if (meaning !== (attributes(right, rightAt) & meaningMask)) return false
  if (lastOffsetDelta(left, leftAt) !== lastOffsetDelta(right, rightAt)) return false
  if (recordCount(left, leftAt) !== recordCount(right, rightAt)) return false
  const marker = markerType(left, leftAt)
  if (marker !== undefined) return marker === markerType(right, rightAt)
  const size = batchLength(left, leftAt)
  if (size !== batchLength(right, rightAt)) return false
  return (
    sameBytes(left, leftAt, right, rightAt, baseTimestampAt, producerIdAt) &&
    sameBytes(left, leftAt, right, rightAt, headerBytes, size)
  )
}

function sameBytes(left: Buffer, leftAt: number, right: Buffer, rightAt: number, start: number, end: number): boolean {
  return left.compare(right, rightAt + start, rightAt + end, leftAt + start, leftAt + end) === 0
}
