import * as header from '../../records/header.ts'

export interface Wanted {
  offset: number
  /** Batches from here on are not for this reader. */
  limitOffset: number
  bytesMax: number
  firstBatchWhole: boolean
}

/** `taken`: from `start` to `end`. `none`: no batch for this reader follows. `more`: read on behind `start`. */
export interface Selection {
  kind: 'taken' | 'none' | 'more'
  start: number
  end: number
  /** One past the last record taken. */
  endOffset: number
  /** How much is needed from `start` on, when there is to be read more. */
  neededBytes: number
}

/**
 * Which of the stored batches at the start of `bytes` a reader gets: from the one that holds its offset, or the next
 * one when none does, to the last that fits. What is stored is whole and right, so it is only counted.
 */
export function selectBatches(bytes: Buffer, length: number, wanted: Wanted): Selection {
  const first = skipBefore(bytes, length, wanted.offset)
  const selection: Selection = { kind: 'more', start: first, end: first, endOffset: 0, neededBytes: header.headerBytes }
  let at = first
  while (at + header.headerBytes <= length) {
    const size = header.batchLength(bytes, at)
    const isAllowed = header.baseOffset(bytes, at) < wanted.limitOffset
    const isFitting = at + size - first <= wanted.bytesMax || (at === first && wanted.firstBatchWhole)
    if (!isAllowed || !isFitting) {
      selection.kind = 'none'
      break
    }
    if (at + size > length) {
      selection.neededBytes = size
      break
    }
    selection.endOffset = header.lastOffset(bytes, at) + 1
    at += size
  }
  selection.end = at
  if (at > first) selection.kind = 'taken'
  return selection
}

/** Where the first batch begins that ends at the offset or behind it; may lie behind `length`. */
function skipBefore(bytes: Buffer, length: number, offset: number): number {
  let at = 0
  while (at + header.headerBytes <= length && header.lastOffset(bytes, at) < offset) at += header.batchLength(bytes, at)
  return at
}
