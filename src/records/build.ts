import { LinkspanError } from '../base/errors.ts'
import { uvarintBytes, varintBytes, varlongBytes } from '../bytes/varint-size.ts'
import { Writer } from '../bytes/writer.ts'
import { compress } from './codecs.ts'
import * as header from './header.ts'

export interface NewRecord {
  /** One after the record before, the first at the base offset, unless given: a jump makes a hole. */
  offset?: number
  timestampMs: number
  key: Uint8Array | null
  value: Uint8Array | null
  headers?: readonly (readonly [key: string, value: Uint8Array | null])[]
}

export interface BatchOptions {
  baseOffset?: number
  /** At least the last record's offset; what the cleaner keeps when it removes the last records. */
  lastOffset?: number
  leaderEpoch?: number
  codec?: header.Codec
  producerId?: bigint
  producerEpoch?: number
  baseSequence?: number
  isTransactional?: boolean
  isControl?: boolean
  /** Makes a batch that the broker has stamped: the timestamp of every record, whatever the records say. */
  logAppendTimeMs?: number
  /** Makes a batch that the cleaner has marked; the records' timestamps become relative to this. */
  deleteHorizonMs?: number
}

/** Builds one batch of format 2 as a broker would store it, CRC included. Offsets must not go back. */
export function buildBatch(records: readonly NewRecord[], options: BatchOptions = {}): Buffer {
  const baseOffset = options.baseOffset ?? 0
  const baseTimestamp = options.deleteHorizonMs ?? records[0]?.timestampMs ?? -1
  const offsets = offsetsOf(records, baseOffset)
  const writer = new Writer(1024)
  records.forEach((record, index) => {
    writeRecord(writer, record, offsets[index]! - baseOffset, record.timestampMs - baseTimestamp)
  })
  const codec = options.codec ?? 'none'
  const payload = records.length === 0 ? Buffer.alloc(0) : compress(codec, writer.toBuffer())
  const batch = Buffer.allocUnsafe(header.headerBytes + payload.length)
  batch.set(payload, header.headerBytes)
  const lastOffset = options.lastOffset ?? offsets.at(-1) ?? baseOffset
  if (lastOffset < (offsets.at(-1) ?? baseOffset)) throw refused('the last offset is below a record')
  const maxTimestamp =
    options.logAppendTimeMs ?? records.reduce((max, { timestampMs }) => Math.max(max, timestampMs), -1)
  writeHeader(batch, options, { baseOffset, lastOffset, baseTimestamp, maxTimestamp, recordCount: records.length })
  return batch
}

function offsetsOf(records: readonly NewRecord[], baseOffset: number): number[] {
  let next = baseOffset
  return records.map((record) => {
    const offset = record.offset ?? next
    if (offset < next) throw refused(`offset ${offset} after ${next - 1}`)
    next = offset + 1
    return offset
  })
}

function writeRecord(writer: Writer, record: NewRecord, offsetDelta: number, timestampDelta: number): void {
  const headers = record.headers ?? []
  writer.varint(recordBytes(record, offsetDelta, timestampDelta))
  writer.int8(0)
  writer.varlong(timestampDelta)
  writer.varint(offsetDelta)
  writeBytes(writer, record.key)
  writeBytes(writer, record.value)
  writer.varint(headers.length)
  for (const [key, value] of headers) {
    writer.varint(Buffer.byteLength(key))
    writer.utf8(key)
    writeBytes(writer, value)
  }
}

/** Bytes after the length field. */
function recordBytes(record: NewRecord, offsetDelta: number, timestampDelta: number): number {
  const headers = record.headers ?? []
  let count = 1 + varlongBytes(timestampDelta) + varintBytes(offsetDelta) + uvarintBytes(headers.length * 2)
  count += sizedBytes(record.key?.length) + sizedBytes(record.value?.length)
  for (const [key, value] of headers) count += sizedBytes(Buffer.byteLength(key)) + sizedBytes(value?.length)
  return count
}

function sizedBytes(length: number | undefined): number {
  return length === undefined ? 1 : varintBytes(length) + length
}

function writeBytes(writer: Writer, bytes: Uint8Array | null): void {
  writer.varint(bytes?.length ?? -1)
  if (bytes) writer.raw(bytes)
}

interface HeaderValues {
  baseOffset: number
  lastOffset: number
  baseTimestamp: number
  maxTimestamp: number
  recordCount: number
}

function writeHeader(batch: Buffer, options: BatchOptions, values: HeaderValues): void {
  const writer = new Writer(header.headerBytes)
  writer.int64(values.baseOffset)
  writer.int32(batch.length - header.prefixBytes)
  writer.int32(options.leaderEpoch ?? -1)
  writer.int8(2)
  writer.uint32(0)
  writer.int16(attributesOf(options))
  writer.int32(values.lastOffset - values.baseOffset)
  writer.int64(values.baseTimestamp)
  writer.int64(values.maxTimestamp)
  writer.int64Bits(options.producerId ?? -1n)
  writer.int16(options.producerEpoch ?? -1)
  writer.int32(options.baseSequence ?? -1)
  writer.int32(values.recordCount)
  batch.set(writer.toBuffer())
  batch.writeUInt32BE(header.computeCrc(batch, 0, batch.length), header.crcAt)
}

function attributesOf(options: BatchOptions): number {
  let bits = header.codecs.indexOf(options.codec ?? 'none')
  if (options.logAppendTimeMs !== undefined) bits |= header.logAppendTimeBit
  if (options.isTransactional) bits |= header.transactionalBit
  if (options.isControl) bits |= header.controlBit
  if (options.deleteHorizonMs !== undefined) bits |= header.deleteHorizonBit
  return bits
}

function refused(what: string): LinkspanError {
  return new LinkspanError('invalid-request', `A batch cannot be built so: ${what}`)
}
