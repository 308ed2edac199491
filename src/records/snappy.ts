import { LinkspanError } from '../base/errors.ts'
import { copyLiterals, copyMatch, tooLarge } from './codec-parts.ts'

/** The framing of the xerial library, which Java clients and brokers write: this, two versions, then sized chunks. */
const framingMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const framingHeaderBytes = 16
const framingVersion = 1
/** What a chunk holds before compression in the library's own writer. */
const chunkBytes = 32 * 1024
/** Three bytes of input yield at most 64 of output. */
const expansionMax = 22

/**
 * The contents of Kafka's snappy codec, with or without xerial framing, at most `decompressedBytesMax` bytes, otherwise
 * `too-large`; `malformed` when it is neither. Own code because the library's decoder traps on bad input.
 */
export function decompressSnappy(input: Uint8Array, decompressedBytesMax: number): Buffer {
  const view = Buffer.from(input.buffer, input.byteOffset, input.length)
  const chunks = listChunks(view)
  let total = 0
  for (const { start, end } of chunks) {
    total += contentSize(view, start, end).size
    if (total > decompressedBytesMax) throw tooLarge(decompressedBytesMax)
  }
  const output = Buffer.allocUnsafe(total)
  let used = 0
  for (const { start, end } of chunks) used = decodeChunk(view, start, end, output, used)
  return output
}

/** Puts raw snappy chunks, made by `compressChunk`, into xerial framing. */
export function compressSnappy(input: Buffer, compressChunk: (chunk: Buffer) => Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; at < input.length; at += chunkBytes) chunks.push(compressChunk(input.subarray(at, at + chunkBytes)))
  const framed = Buffer.allocUnsafe(chunks.reduce((sum, chunk) => sum + 4 + chunk.length, framingHeaderBytes))
  framed.set(framingMagic)
  framed.writeInt32BE(framingVersion, 8)
  framed.writeInt32BE(framingVersion, 12)
  let at = framingHeaderBytes
  for (const chunk of chunks) {
    framed.writeInt32BE(chunk.length, at)
    framed.set(chunk, at + 4)
    at += 4 + chunk.length
  }
  return framed
}

function listChunks(view: Buffer): { start: number; end: number }[] {
  if (!isFramingAt(view, 0)) return [{ start: 0, end: view.length }]
  const chunks: { start: number; end: number }[] = []
  let at = framingHeaderBytes
  while (at < view.length) {
    if (isFramingAt(view, at)) {
      at += framingHeaderBytes // streams may be strung together
      continue
    }
    if (at + 4 > view.length) throw malformed('a cut chunk')
    const size = view.readInt32BE(at)
    if (size < 0 || size > view.length - at - 4) throw malformed('a cut chunk')
    chunks.push({ start: at + 4, end: at + 4 + size })
    at += 4 + size
  }
  return chunks
}

function isFramingAt(view: Buffer, at: number): boolean {
  if (at + framingHeaderBytes > view.length) return false
  return view.compare(framingMagic, 0, framingMagic.length, at, at + framingMagic.length) === 0
}

/** What a chunk says that it holds, checked against what its bytes can hold, and where its elements start. */
function contentSize(input: Uint8Array, start: number, end: number): { size: number; next: number } {
  let size = 0
  let factor = 1
  for (let at = start; at < end && at < start + 5; at += 1) {
    const byte = input[at]!
    size += (byte & 0x7f) * factor
    factor *= 128
    if (byte >= 0x80) continue
    if (size > (end - at) * expansionMax) break
    return { size, next: at + 1 }
  }
  throw malformed('a size that its bytes cannot hold')
}

/** Decodes one chunk into `output` from `used` on and returns where its contents end. */
function decodeChunk(input: Uint8Array, start: number, end: number, output: Uint8Array, used: number): number {
  const { size, next } = contentSize(input, start, end)
  const outputEnd = used + size
  let at = next
  let out = used
  while (at < end) {
    const tag = input[at++]!
    const kind = tag & 3
    const operandBytes = kind === 0 ? Math.max(0, (tag >> 2) - 59) : kind === 3 ? 4 : kind
    if (at + operandBytes > end) throw malformed('a cut element')
    const operand = littleEndian(input, at, operandBytes)
    at += operandBytes
    if (kind === 0) {
      const length = (operandBytes === 0 ? tag >> 2 : operand) + 1
      if (length > end - at || length > outputEnd - out) throw malformed('a literal beyond the chunk')
      copyLiterals(input, at, output, out, length)
      at += length
      out += length
      continue
    }
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const distance = kind === 1 ? ((tag >> 5) << 8) | operand : operand
    if (distance === 0 || distance > out - used) throw malformed('a copy from before the start')
    if (length > outputEnd - out) throw malformed('a copy beyond the chunk')
    copyMatch(output, out, distance, length)
    out += length
  }
  if (out !== outputEnd) throw malformed('fewer bytes than it says')
  return out
}

function littleEndian(input: Uint8Array, at: number, count: number): number {
  let value = 0
  for (let index = count - 1; index >= 0; index -= 1) value = value * 256 + input[at + index]!
  return value
}

function malformed(found: string): LinkspanError {
  return new LinkspanError('malformed', `The records of the batch are no snappy data: ${found}`)
}
