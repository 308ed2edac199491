import { crc32c } from '../bytes/crc32c.ts'

/**
 * The header of a record batch of format 2, as Kafka stores and sends it; everything is big-endian, the records follow
 * it (compressed as one blob). Readers take the buffer and where the batch starts, check nothing and allocate nothing
 * (`producerId` excepted): only a `BatchCursor` may be trusted to say that a whole batch stands there.
 */
export const headerBytes = 61
/** Base offset and length: what the length field does not count. */
export const prefixBytes = 12

export const baseOffsetAt = 0
export const lengthAt = 8
export const leaderEpochAt = 12
export const magicAt = 16
export const crcAt = 17
export const attributesAt = 21
export const lastOffsetDeltaAt = 23
export const baseTimestampAt = 27
export const maxTimestampAt = 35
export const producerIdAt = 43
export const producerEpochAt = 51
export const baseSequenceAt = 53
export const recordCountAt = 57

/** The CRC covers what starts here, to the end of the batch: base offset and leader epoch are outside. */
export const crcStart = attributesAt

export const codecMask = 0x07
export const logAppendTimeBit = 0x08
export const transactionalBit = 0x10
export const controlBit = 0x20
export const deleteHorizonBit = 0x40

/** The codecs by their number in the attributes. */
export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof codecs)[number]

const two32 = 2 ** 32

/** Exact within ±2^53, which a `BatchCursor` ensures. */
export function baseOffset(bytes: Buffer, at: number): number {
  return int64(bytes, at + baseOffsetAt)
}

export function lastOffset(bytes: Buffer, at: number): number {
  return baseOffset(bytes, at) + lastOffsetDelta(bytes, at)
}

/** Bytes of the whole batch, from its base offset on: the length field and the 12 bytes that it leaves out. */
export function batchLength(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at + lengthAt) + prefixBytes
}

export function leaderEpoch(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at + leaderEpochAt)
}

export function magic(bytes: Buffer, at: number): number {
  return bytes.readInt8(at + magicAt)
}

/** The stored CRC-32C, unsigned. */
export function crc(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + crcAt)
}

/** What the CRC of these `size` bytes should be, unsigned. */
export function computeCrc(bytes: Buffer, at: number, size: number): number {
  return crc32c(bytes.subarray(at + crcStart, at + size))
}

export function attributes(bytes: Buffer, at: number): number {
  return bytes.readInt16BE(at + attributesAt)
}

/** Index into `codecs`; 5 to 7 are no codecs. */
export function codec(bytes: Buffer, at: number): number {
  return attributes(bytes, at) & codecMask
}

export function isLogAppendTime(bytes: Buffer, at: number): boolean {
  return (attributes(bytes, at) & logAppendTimeBit) !== 0
}

export function isTransactional(bytes: Buffer, at: number): boolean {
  return (attributes(bytes, at) & transactionalBit) !== 0
}

export function isControl(bytes: Buffer, at: number): boolean {
  return (attributes(bytes, at) & controlBit) !== 0
}

/** The cleaner has put the time from which tombstones may go in the place of the base timestamp. */
export function hasDeleteHorizon(bytes: Buffer, at: number): boolean {
  return (attributes(bytes, at) & deleteHorizonBit) !== 0
}

export function lastOffsetDelta(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at + lastOffsetDeltaAt)
}

/** Milliseconds; what the records' timestamps are relative to. The nearest number when outside ±2^53. */
export function baseTimestamp(bytes: Buffer, at: number): number {
  return int64(bytes, at + baseTimestampAt)
}

/** Milliseconds; the timestamp of every record if `isLogAppendTime`. The nearest number when outside ±2^53. */
export function maxTimestamp(bytes: Buffer, at: number): number {
  return int64(bytes, at + maxTimestampAt)
}

/** −1: none. */
export function producerId(bytes: Buffer, at: number): bigint {
  return bytes.readBigInt64BE(at + producerIdAt)
}

export function producerEpoch(bytes: Buffer, at: number): number {
  return bytes.readInt16BE(at + producerEpochAt)
}

/** −1: none. */
export function baseSequence(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at + baseSequenceAt)
}

export function recordCount(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at + recordCountAt)
}

function int64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * two32 + bytes.readUInt32BE(at + 4)
}
