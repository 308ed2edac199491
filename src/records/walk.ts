import {
  baseOffset,
  codec,
  headerBytes,
  lastOffsetDelta,
  lengthAt,
  magicAt,
  prefixBytes,
  recordCount,
} from './header.ts'

/**
 * Why a walk ended.
 * - `end`: exactly after a batch.
 * - `incomplete`: inside a batch; brokers cut an answer at its byte limit, so this is normal at the end of a fetch.
 * - `too-large`: the next batch says that it is larger than allowed.
 * - `old-format`: the next batch is a message set of format 0 or 1.
 * - `corrupt`: what stands here cannot be a batch.
 */
export type WalkStop = 'end' | 'incomplete' | 'too-large' | 'old-format' | 'corrupt'

/** Smaller is no message of format 0: CRC, magic, attributes, key length, value length. */
const oldLengthMin = 14
/** Seven varints of one byte: length, attributes, timestamp, offset, key length, value length, header count. */
const recordBytesMin = 7

/**
 * Walks the batches of one partition's fetch answer, which somebody else wrote: nothing throws, nothing is read
 * outside `[start, end)`, nothing is allocated. While `next()` is true, `at` and `size` are a whole batch of format 2
 * whose header fields can be relied on: offsets are safe integers that never go back, and there are between 0 and
 * `lastOffsetDelta + 1` records. The CRC is not checked. When `next()` is false, `stop` says why, `at` is where the
 * walk ended and `size` how many bytes the batch there would need (0: too few bytes to tell). Reused with `open`.
 */
export class BatchCursor {
  at = 0
  size = 0
  /** Set while there is no batch under the cursor. */
  stop: WalkStop | undefined = 'end'
  /** What is wrong, when `stop` is `corrupt`, `old-format` or `too-large`. */
  problem = ''
  #bytes: Buffer = Buffer.alloc(0)
  #end = 0
  #batchBytesMax = 0
  #offsetMin = 0

  /** Starts over at `start`; batches over `batchBytesMax` bytes, header included, are not passed. */
  open(bytes: Buffer, start: number, end: number, batchBytesMax: number): void {
    this.#bytes = bytes
    this.#end = Math.min(end, bytes.length)
    this.#batchBytesMax = batchBytesMax
    this.#offsetMin = 0
    this.at = start
    this.size = 0
    this.stop = undefined
    this.problem = ''
  }

  next(): boolean {
    if (this.stop !== undefined) return false
    this.at += this.size
    this.size = 0
    const left = this.#end - this.at
    if (left <= 0) return this.#halt('end', '')
    if (left < prefixBytes) return this.#halt('incomplete', '')
    const length = this.#bytes.readInt32BE(this.at + lengthAt)
    if (length < oldLengthMin) return this.#halt('corrupt', 'a length that no batch can have')
    this.size = length + prefixBytes
    if (left > magicAt && !this.#isMagicRight(length)) return false
    if (this.size > this.#batchBytesMax) return this.#halt('too-large', 'a batch larger than allowed')
    if (this.size > left) return this.#halt('incomplete', '')
    const problem = this.#headerProblem()
    if (problem !== undefined) return this.#halt('corrupt', problem)
    return true
  }

  #isMagicRight(length: number): boolean {
    const magic = this.#bytes[this.at + magicAt]
    if (magic === 0 || magic === 1) return this.#halt('old-format', 'a message set of format 0 or 1')
    if (magic !== 2) return this.#halt('corrupt', 'a format that does not exist')
    if (length < headerBytes - prefixBytes) return this.#halt('corrupt', 'a length below the header size')
    return true
  }

  #headerProblem(): string | undefined {
    const bytes = this.#bytes
    const at = this.at
    const first = baseOffset(bytes, at)
    const delta = lastOffsetDelta(bytes, at)
    const count = recordCount(bytes, at)
    if (first < 0) return 'a negative base offset'
    if (delta < 0) return 'a negative last offset delta'
    if (count < 0) return 'a negative record count'
    if (first + delta >= Number.MAX_SAFE_INTEGER) return 'an offset beyond 2^53'
    if (first < this.#offsetMin) return 'an offset that goes back'
    if (count > delta + 1) return 'more records than offsets'
    if (codec(bytes, at) === 0 && count * recordBytesMin > this.size - headerBytes) return 'more records than bytes'
    this.#offsetMin = first + delta + 1
    return undefined
  }

  #halt(stop: WalkStop, problem: string): false {
    this.stop = stop
    this.problem = problem
    return false
  }
}
