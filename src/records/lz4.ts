import { LinkspanError } from '../base/errors.ts'
import { copyLiterals, copyMatch, tooLarge } from './codec-parts.ts'

const frameMagic = 0x184d2204
const versionMask = 0xc0
const version = 0x40
const independentBit = 0x20
const blockChecksumBit = 0x10
const contentSizeBit = 0x08
const contentChecksumBit = 0x04
const dictionaryBit = 0x01
/** In a block's size: its bytes are not compressed. */
const storedBit = 0x80000000
/** A length byte of a compressed block stands for at most so many bytes of output. */
const expansionMax = 255
const matchMin = 4

/**
 * The contents of LZ4 frames (the format of Kafka's lz4 codec), at most `decompressedBytesMax` bytes, otherwise
 * `too-large`; `malformed` when it is no such frame. Checksums inside the frame are not looked at: the CRC of the batch
 * covers the same bytes. Own code because the library's decoder has no limit and traps on bad input.
 */
export function decompressLz4(input: Uint8Array, decompressedBytesMax: number): Buffer {
  const output = new Output(decompressedBytesMax, input.length * 4)
  let at = 0
  while (at < input.length) at = readFrame(input, at, output)
  return output.bytes.subarray(0, output.used)
}

class Output {
  readonly bytesMax: number
  bytes: Buffer
  used = 0

  constructor(bytesMax: number, guessBytes: number) {
    this.bytesMax = bytesMax
    this.bytes = Buffer.allocUnsafe(Math.min(bytesMax, guessBytes))
  }

  /** Makes room for `count` more bytes, or for what the limit leaves. */
  reserve(count: number): void {
    const wanted = Math.min(this.used + count, this.bytesMax)
    if (wanted <= this.bytes.length) return
    const grown = Buffer.allocUnsafe(Math.min(Math.max(wanted, this.bytes.length * 2), this.bytesMax))
    grown.set(this.bytes.subarray(0, this.used))
    this.bytes = grown
  }
}

/** Reads one frame and returns where it ends. */
function readFrame(input: Uint8Array, start: number, output: Output): number {
  const view = Buffer.from(input.buffer, input.byteOffset, input.length)
  if (start + 7 > view.length || view.readUInt32LE(start) !== frameMagic) throw malformed('no frame header')
  const flags = view[start + 4]!
  if ((flags & versionMask) !== version) throw malformed('an unknown frame version')
  if ((flags & dictionaryBit) !== 0) throw malformed('a dictionary, which Kafka does not use')
  const blockSizeCode = (view[start + 5]! >> 4) & 7
  if (blockSizeCode < 4) throw malformed('an unknown block size')
  const blockBytesMax = 1 << (8 + 2 * blockSizeCode)
  const frameStart = output.used
  let at = start + ((flags & contentSizeBit) === 0 ? 7 : 15)
  for (;;) {
    if (at + 4 > view.length) throw malformed('a frame without its end')
    const word = view.readUInt32LE(at)
    at += 4
    if (word === 0) break
    const isStored = word >= storedBit
    const size = isStored ? word - storedBit : word
    if (size > view.length - at) throw malformed('a cut block')
    const historyStart = (flags & independentBit) === 0 ? frameStart : output.used
    if (isStored) copyBlock(input, at, size, output)
    else readBlock(input, at, size, output, historyStart, blockBytesMax)
    at += size + ((flags & blockChecksumBit) === 0 ? 0 : 4)
  }
  at += (flags & contentChecksumBit) === 0 ? 0 : 4
  if (at > view.length) throw malformed('a frame without its checksum')
  return at
}

function copyBlock(input: Uint8Array, at: number, size: number, output: Output): void {
  if (size > output.bytesMax - output.used) throw tooLarge(output.bytesMax)
  output.reserve(size)
  output.bytes.set(input.subarray(at, at + size), output.used)
  output.used += size
}

function readBlock(
  input: Uint8Array,
  start: number,
  size: number,
  output: Output,
  historyStart: number,
  blockBytesMax: number,
): void {
  const roomBytes = Math.min(blockBytesMax, size * expansionMax)
  output.reserve(roomBytes)
  const outputEnd = Math.min(output.used + roomBytes, output.bytes.length)
  const used = decodeBlock(input, start, start + size, output.bytes, output.used, outputEnd, historyStart)
  if (used < 0) throw outputEnd === output.bytesMax ? tooLarge(output.bytesMax) : malformed('a block over its size')
  output.used = used
}

/**
 * Decodes one block into `output` from `used` on and returns where its contents end, or −1 when they would pass
 * `outputEnd`. Matches may reach back to `historyStart`.
 */
function decodeBlock(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  used: number,
  outputEnd: number,
  historyStart: number,
): number {
  let at = start
  let out = used
  while (at < end) {
    const token = input[at++]!
    let literals = token >> 4
    if (literals === 15) {
      let byte = 255
      while (byte === 255 && at < end) {
        byte = input[at++]!
        literals += byte
      }
    }
    if (literals > end - at) throw malformed('literals beyond the block')
    if (literals > outputEnd - out) return -1
    copyLiterals(input, at, output, out, literals)
    at += literals
    out += literals
    if (at === end) break
    if (at + 2 > end) throw malformed('a cut match')
    const distance = input[at]! | (input[at + 1]! << 8)
    at += 2
    let length = (token & 15) + matchMin
    if (length === 15 + matchMin) {
      let byte = 255
      while (byte === 255 && at < end) {
        byte = input[at++]!
        length += byte
      }
    }
    if (distance === 0 || distance > out - historyStart) throw malformed('a match before the start')
    if (length > outputEnd - out) return -1
    copyMatch(output, out, distance, length)
    out += length
  }
  return out
}

function malformed(found: string): LinkspanError {
  return new LinkspanError('malformed', `The records of the batch are no LZ4 frame: ${found}`)
}
