import { batchLength, headerBytes, isControl, recordCount } from './header.ts'

export type MarkerType = 'abort' | 'commit'

const controlVersion = 0
const keyBytes = 4

/**
 * What the marker of a whole batch decides, or undefined when the batch is no transaction marker (KRaft's own control
 * records, an emptied batch). Markers are never compressed and stand alone in their batch; the key is a version and a
 * type, two bytes each. Allocates nothing.
 */
export function markerType(bytes: Buffer, at: number): MarkerType | undefined {
  if (!isControl(bytes, at) || recordCount(bytes, at) !== 1) return undefined
  const end = at + batchLength(bytes, at)
  let position = skipVarint(bytes, at + headerBytes, end) + 1 // length, then one byte of attributes
  position = skipVarint(bytes, position, end) // timestamp
  position = skipVarint(bytes, position, end) // offset
  const isKeyLengthRight = position < end && bytes[position] === keyBytes * 2 // zigzag
  position += 1
  if (!isKeyLengthRight || position + keyBytes > end) return undefined
  if (bytes.readInt16BE(position) !== controlVersion) return undefined
  const type = bytes.readInt16BE(position + 2)
  return type === 0 ? 'abort' : type === 1 ? 'commit' : undefined
}

function skipVarint(bytes: Buffer, at: number, end: number): number {
  let position = at
  while (position < end && bytes[position]! >= 0x80) position += 1
  return position + 1
}
