import { crc32cShift, crc32cWord } from '../bytes/crc32c-shift.ts'
import {
  attributes,
  attributesAt,
  baseOffsetAt,
  baseSequenceAt,
  codecMask,
  crcAt,
  crcStart,
  headerBytes,
  leaderEpochAt,
  producerEpochAt,
  producerIdAt,
  transactionalBit,
} from './header.ts'

export interface ProducerFields {
  producerId: bigint
  producerEpoch: number
  /** 0 to 2^31 − 1, or −1 without a producer. */
  baseSequence: number
  /** Leaves the batch in a transaction, which is then this producer's. */
  isTransactional?: boolean
}

const words = (headerBytes - crcStart) / 4
const before = new Int32Array(words)
const producerIdHalves = new DataView(new ArrayBuffer(8))

/**
 * Turns a stored batch of `size` bytes into one that a producer may send: base offset 0, leader epoch −1, no flag bits
 * but the codec (brokers would keep a delete horizon and unknown bits), our producer. The CRC is patched by what the
 * header change contributes to it, never computed over the records: a batch that was corrupt is so afterwards.
 */
export function rewriteHeader(bytes: Buffer, at: number, size: number, fields: ProducerFields): void {
  const flags = fields.isTransactional ? transactionalBit : 0
  bytes.writeInt32BE(0, at + baseOffsetAt)
  bytes.writeInt32BE(0, at + baseOffsetAt + 4)
  bytes.writeInt32BE(-1, at + leaderEpochAt)
  replaceFields(bytes, at, size, (attributes(bytes, at) & codecMask) | flags, fields)
}

/**
 * For logs that are copied as logs, not through a producer (seeding, the embedded broker): replaces the producer only
 * and keeps offset, epoch and all flags; `isTransactional` is the batch's own business here.
 */
export function remapProducer(bytes: Buffer, at: number, size: number, fields: ProducerFields): void {
  replaceFields(bytes, at, size, attributes(bytes, at), fields)
}

function replaceFields(bytes: Buffer, at: number, size: number, flags: number, fields: ProducerFields): void {
  const start = at + crcStart
  for (let word = 0; word < words; word += 1) before[word] = bytes.readInt32LE(start + word * 4)
  producerIdHalves.setBigInt64(0, fields.producerId)
  bytes.writeInt16BE(flags, at + attributesAt)
  bytes.writeInt32BE(producerIdHalves.getInt32(0), at + producerIdAt)
  bytes.writeInt32BE(producerIdHalves.getInt32(4), at + producerIdAt + 4)
  bytes.writeInt16BE(fields.producerEpoch, at + producerEpochAt)
  bytes.writeInt32BE(fields.baseSequence, at + baseSequenceAt)
  patchCrc(bytes, at, size)
}

/**
 * CRC-32C is affine: for two messages of one length, the CRCs differ by the register (initial value 0, no final xor)
 * over the difference of the messages. That difference is zero after the header, and zeros only multiply by x^8 each.
 */
function patchCrc(bytes: Buffer, at: number, size: number): void {
  const start = at + crcStart
  let register = 0
  for (let word = 0; word < words; word += 1) {
    register = crc32cWord(register, before[word]! ^ bytes.readInt32LE(start + word * 4))
  }
  const change = crc32cShift(register, size - headerBytes)
  bytes.writeInt32BE(bytes.readInt32BE(at + crcAt) ^ change, at + crcAt)
}
