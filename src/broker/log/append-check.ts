import { isLinkspanError } from '../../base/errors.ts'
import { decodePayload } from '../../records/decode.ts'
import * as header from '../../records/header.ts'
import type { KafkaErrorName } from '../../wire/errors.ts'
import { RecordWalk } from './record-walk.ts'
import { writeInt64 } from './segment.ts'
import type { AppendRefusal, LogConfig } from './types.ts'

/**
 * Compressed records are looked at, as Apache's broker does, as long as they take no more than this when decompressed
 * (16 ms of the one thread at most): larger ones are believed. About 1 µs a KiB: 20 µs for 16 KiB of lz4.
 */
const decompressedBytesMax = 16 * 1024 * 1024

const keptBits = header.codecMask | header.transactionalBit | header.controlBit | header.deleteHorizonBit

const walk = new RecordWalk()

/**
 * Judges a client's batch as Apache's broker does (kafka-exact.md 1, `LogValidator`), in its order, and changes the
 * header where that one does: timestamp type and largest timestamp, with a new CRC. Undefined: it may be appended.
 */
export function checkBatch(batch: Buffer, config: LogConfig, nowMs: number): AppendRefusal | undefined {
  return checkShape(batch, config) ?? checkFlags(batch, config) ?? checkRecords(batch, config, nowMs)
}

function checkShape(batch: Buffer, config: LogConfig): AppendRefusal | undefined {
  if (batch.length <= header.magicAt || header.magic(batch, 0) !== 2) {
    return refusal('INVALID_RECORD', 'Batches must have the message format 2')
  }
  if (batch.length < header.headerBytes || header.batchLength(batch, 0) !== batch.length) {
    return refusal('INVALID_RECORD', 'Exactly one whole batch is taken for a partition')
  }
  if (batch.readInt32BE(0) !== 0 || batch.readInt32BE(4) !== 0) {
    return refusal('INVALID_RECORD', 'The base offset of a client must be 0')
  }
  if (batch.length > config.messageBytesMax) {
    const limit = `max.message.bytes is ${config.messageBytesMax}`
    return refusal('MESSAGE_TOO_LARGE', `The batch has ${batch.length} bytes, ${limit}`)
  }
  if (header.computeCrc(batch, 0, batch.length) !== header.crc(batch, 0)) {
    return refusal('CORRUPT_MESSAGE', 'The batch does not have the CRC that it says')
  }
  return undefined
}

function checkFlags(batch: Buffer, config: LogConfig): AppendRefusal | undefined {
  const count = header.recordCount(batch, 0)
  if (count <= 0 || count !== header.lastOffsetDelta(batch, 0) + 1) {
    const offsets = header.lastOffsetDelta(batch, 0) + 1
    return refusal('INVALID_RECORD', `The batch says ${count} records for ${offsets} offsets`)
  }
  const flags = header.attributes(batch, 0)
  if ((flags & header.controlBit) !== 0) return refusal('INVALID_RECORD', 'Clients may not write control records')
  if (header.baseSequence(batch, 0) < 0 && header.producerId(batch, 0) >= 0n) {
    return refusal('INVALID_RECORD', 'A batch that names its producer needs a sequence of 0 or more')
  }
  if ((flags & header.transactionalBit) !== 0) {
    return refusal('INVALID_TXN_STATE', 'This broker has no transactions')
  }
  if ((flags & header.codecMask) >= header.codecs.length) {
    return refusal('INVALID_RECORD', 'The batch is compressed with a codec that does not exist')
  }
  if (batch.length > config.segmentBytes) {
    return refusal('RECORD_LIST_TOO_LARGE', `The batch has ${batch.length} bytes, a segment ${config.segmentBytes}`)
  }
  return undefined
}

function checkRecords(batch: Buffer, config: LogConfig, nowMs: number): AppendRefusal | undefined {
  const isStamped = header.isLogAppendTime(batch, 0)
  const stamps = config.timestampType === 'LogAppendTime'
  const maxTimestampMs = header.maxTimestamp(batch, 0)
  if (isStamped && (stamps || maxTimestampMs === -1)) {
    return refusal('INVALID_TIMESTAMP', 'Clients may not say that the broker has stamped their batch')
  }
  const codec = header.codec(batch, 0)
  const payload = codec === 0 ? batch : decompress(batch)
  if (payload === 'malformed') return refusal('INVALID_RECORD', 'The records of the batch cannot be decompressed')
  let largestMs = maxTimestampMs
  if (payload !== 'too-large') {
    const isRight = walk.run(payload, codec === 0 ? header.headerBytes : 0, payload.length, {
      count: header.recordCount(batch, 0),
      baseTimestampMs: header.baseTimestamp(batch, 0),
      stampMs: isStamped ? maxTimestampMs : undefined,
      timestampMinMs: stamps || config.timestampBeforeMaxMs < 0 ? -Infinity : nowMs - config.timestampBeforeMaxMs,
      timestampMaxMs: stamps || config.timestampAfterMaxMs < 0 ? Infinity : nowMs + config.timestampAfterMaxMs,
      areDeltasChecked: codec !== 0,
    })
    if (!isRight) return refusal('INVALID_RECORD', `The records of the batch are malformed: ${walk.problem}`)
    if (walk.outOfRange.length > 0) return badTimestamps(walk.outOfRange)
    largestMs = walk.maxTimestampMs
  }
  if (stamps) setTimestamp(batch, header.logAppendTimeBit, nowMs)
  else if (isStamped || (largestMs !== maxTimestampMs && Number.isSafeInteger(largestMs))) {
    setTimestamp(batch, 0, largestMs)
  }
  return undefined
}

function decompress(batch: Buffer): Buffer | 'malformed' | 'too-large' {
  try {
    return decodePayload(batch, 0, { decompressedBytesMax })
  } catch (error) {
    if (isLinkspanError(error, 'too-large')) return 'too-large'
    if (isLinkspanError(error, 'malformed')) return 'malformed'
    throw error
  }
}

/** Bits that do not exist are dropped by this, as Apache's broker does. */
function setTimestamp(batch: Buffer, typeBit: number, maxTimestampMs: number): void {
  batch.writeInt16BE((header.attributes(batch, 0) & keptBits) | typeBit, header.attributesAt)
  if (maxTimestampMs !== header.maxTimestamp(batch, 0)) writeInt64(batch, header.maxTimestampAt, maxTimestampMs)
  batch.writeUInt32BE(header.computeCrc(batch, 0, batch.length), header.crcAt)
}

function badTimestamps(indexes: readonly number[]): AppendRefusal {
  const message = 'One or more records have a timestamp too far from the time of the broker'
  return {
    ...refusal('INVALID_TIMESTAMP', message),
    recordErrors: indexes.map((batchIndex) => ({ batchIndex, message })),
  }
}

export function refusal(error: KafkaErrorName, message: string): AppendRefusal {
  return { error, message }
}
