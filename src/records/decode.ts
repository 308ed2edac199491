import { LinkspanError } from '../base/errors.ts'
import { Reader } from '../bytes/reader.ts'
import { decompress } from './codecs.ts'
import * as header from './header.ts'

export interface DecodedRecord {
  offset: number
  /** −1: none. The batch's own for batches that the broker stamped. The nearest number when outside ±2^53. */
  timestampMs: number
  key: Uint8Array | null
  value: Uint8Array | null
  /** Keys that are no UTF-8 show replacement characters. */
  headers: [key: string, value: Uint8Array | null][]
}

export interface DecodeOptions {
  /** Most bytes that the records may have after decompression. */
  decompressedBytesMax: number
  /** Ends in `corrupt` when the CRC is wrong; without it only the structure is checked. */
  checkCrc?: boolean
}

/**
 * The records of one batch. Keys and values are views: of the batch when it is not compressed, so copy what has to
 * outlive its buffer. Offsets are what the records say, also where fillers point below the batch. A control batch
 * decodes like any other: ask `isControl` first. Errors: `unsupported` (message format 0 or 1, unknown codec),
 * `too-large`, `corrupt`, `malformed`.
 */
export function decodeBatch(bytes: Buffer, at: number, options: DecodeOptions): DecodedRecord[] {
  const payload = decodePayload(bytes, at, options)
  const count = header.recordCount(bytes, at)
  const reader = new Reader(payload)
  const stampMs = header.isLogAppendTime(bytes, at) ? header.maxTimestamp(bytes, at) : undefined
  const baseOffset = header.baseOffset(bytes, at)
  const baseTimestamp = header.baseTimestamp(bytes, at)
  const records: DecodedRecord[] = []
  for (let index = 0; index < count; index += 1) {
    const record = readRecord(reader, baseOffset, baseTimestamp)
    if (stampMs !== undefined) record.timestampMs = stampMs
    records.push(record)
  }
  if (reader.remaining !== 0) throw malformed(`${reader.remaining} bytes after its last record`)
  return records
}

/** The records of one batch as they are stored one after the other, decompressed; errors as `decodeBatch`. */
export function decodePayload(bytes: Buffer, at: number, options: DecodeOptions): Buffer {
  if (at + header.prefixBytes > bytes.length) throw malformed('less than a header')
  if (at + header.magicAt < bytes.length && header.magic(bytes, at) !== 2) throw oldFormat(header.magic(bytes, at))
  const size = header.batchLength(bytes, at)
  if (size < header.headerBytes || at + size > bytes.length) throw malformed(`a length of ${size} bytes`)
  if (header.recordCount(bytes, at) < 0) throw malformed('a negative record count')
  if (!Number.isSafeInteger(header.baseOffset(bytes, at))) throw malformed('an offset beyond 2^53')
  if (options.checkCrc && header.computeCrc(bytes, at, size) !== header.crc(bytes, at)) {
    throw new LinkspanError('corrupt', `The batch at offset ${header.baseOffset(bytes, at)} fails its CRC check`)
  }
  const codec = header.codecs[header.codec(bytes, at)]
  if (codec === undefined) throw new LinkspanError('unsupported', 'The batch is compressed with an unknown codec')
  const payload = bytes.subarray(at + header.headerBytes, at + size)
  // The cleaner leaves an emptied batch as a header that still names a codec.
  return payload.length === 0 ? payload : decompress(codec, payload, options.decompressedBytesMax)
}

function readRecord(reader: Reader, baseOffset: number, baseTimestamp: number): DecodedRecord {
  const length = reader.varint()
  const end = reader.offset + length
  reader.int8() // attributes, of which none is in use
  const timestampMs = baseTimestamp + reader.varlongNearest()
  const offset = baseOffset + reader.varint()
  const key = readBytes(reader)
  const value = readBytes(reader)
  const headers: DecodedRecord['headers'] = []
  const headerCount = reader.varint()
  if (headerCount < 0) throw malformed('a record with a negative header count')
  for (let index = 0; index < headerCount; index += 1) headers.push([reader.utf8(reader.varint()), readBytes(reader)])
  if (reader.offset !== end) throw malformed(`a record of ${length} bytes that ends elsewhere`)
  return { offset, timestampMs, key, value, headers }
}

function readBytes(reader: Reader): Uint8Array | null {
  const length = reader.varint()
  return length === -1 ? null : reader.view(length)
}

function oldFormat(magic: number): LinkspanError {
  return new LinkspanError('unsupported', `Records of message format ${magic} cannot be read, only format 2`)
}

function malformed(found: string): LinkspanError {
  return new LinkspanError('malformed', `The batch cannot be decoded: ${found}`)
}
