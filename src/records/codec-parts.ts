import { LinkspanError } from '../base/errors.ts'

/** Below this a loop is faster than a call. */
const callBytesMin = 32

/** Copies within `output`; source and target may overlap, which repeats the bytes between them. */
export function copyMatch(output: Uint8Array, to: number, distance: number, length: number): void {
  const from = to - distance
  if (length > callBytesMin && distance >= length) output.copyWithin(to, from, from + length)
  else for (let index = 0; index < length; index += 1) output[to + index] = output[from + index]!
}

export function copyLiterals(input: Uint8Array, at: number, output: Uint8Array, to: number, length: number): void {
  if (length > callBytesMin) output.set(input.subarray(at, at + length), to)
  else for (let index = 0; index < length; index += 1) output[to + index] = input[at + index]!
}

export function tooLarge(bytesMax: number): LinkspanError {
  return new LinkspanError('too-large', `The records of the batch decompress to more than ${bytesMax} bytes`)
}
