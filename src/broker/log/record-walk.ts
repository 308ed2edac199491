const nothing: Buffer = Buffer.alloc(0)

/** Refused records that an answer names; a batch can hold a hundred thousand of them. */
const namedRecordsMax = 100

export interface RecordRange {
  count: number
  baseTimestampMs: number
  /** When the broker or another one has stamped the batch: the timestamp of every record, whatever the records say. */
  stampMs: number | undefined
  timestampMinMs: number
  timestampMaxMs: number
  /** Deltas have to be 0, 1, 2 …: Kafka looks at them in compressed batches only. */
  areDeltasChecked: boolean
}

/**
 * Walks the records of one batch, which a client has written: nothing throws, nothing is read outside, nothing is kept.
 * `run` is false when they are not what they should be; `problem` then says why. A record is a length and, of that
 * length: attributes, timestamp and offset deltas, key, value and headers, all numbers but the attributes varints.
 */
export class RecordWalk {
  problem = ''
  /** −1 when no record has a timestamp. */
  maxTimestampMs = -1
  /** Places of records whose timestamp is outside of what is allowed. */
  outOfRange: number[] = []
  #bytes = nothing
  #at = 0
  /** Nothing of a record is read from here on. */
  #end = 0
  #isCut = false

  run(bytes: Buffer, start: number, end: number, range: RecordRange): boolean {
    this.#bytes = bytes
    this.#at = start
    this.#isCut = false
    this.problem = ''
    this.maxTimestampMs = -1
    if (this.outOfRange.length > 0) this.outOfRange = []
    const isRight = this.#records(end, range)
    this.#bytes = nothing // a slab that the caller uses again
    return isRight
  }

  #records(end: number, range: RecordRange): boolean {
    for (let index = 0; index < range.count; index += 1) {
      this.#end = end
      const length = this.#varint()
      if (this.#isCut || length < 0 || length > end - this.#at) return this.#fail(`record ${index} is cut`)
      this.#end = this.#at + length
      this.#record(index, range)
      if (this.#isCut || this.#at !== this.#end) return this.#fail(`record ${index} is not of the length that it says`)
      if (this.problem !== '') return false
    }
    return this.#at === end || this.#fail(`${end - this.#at} bytes follow the last record`)
  }

  #record(index: number, range: RecordRange): void {
    this.#at += 1 // attributes, of which none is in use
    const timestampMs = range.baseTimestampMs + this.#varlong()
    this.#noteTimestamp(index, range.stampMs ?? timestampMs, range)
    const offsetDelta = this.#varint()
    if (range.areDeltasChecked && offsetDelta !== index) this.problem = `record ${index} says that it is ${offsetDelta}`
    this.#skip(this.#varint())
    this.#skip(this.#varint())
    const headers = this.#varint()
    if (headers < 0) this.#isCut = true
    for (let header = 0; header < headers && !this.#isCut; header += 1) {
      const keyBytes = this.#varint()
      if (keyBytes < 0) this.#isCut = true
      this.#skip(keyBytes)
      this.#skip(this.#varint())
    }
  }

  #noteTimestamp(index: number, timestampMs: number, range: RecordRange): void {
    if (timestampMs > this.maxTimestampMs) this.maxTimestampMs = timestampMs
    if (timestampMs === -1) return
    if (timestampMs >= range.timestampMinMs && timestampMs <= range.timestampMaxMs) return
    if (this.outOfRange.length < namedRecordsMax) this.outOfRange.push(index)
  }

  /** −1 stands for null. */
  #skip(length: number): void {
    if (length < -1) this.#isCut = true
    else if (length > 0) this.#at += length
    if (this.#at > this.#end) this.#isCut = true
  }

  #varint(): number {
    let raw = 0
    for (let shift = 0; shift < 35 && this.#at < this.#end; shift += 7) {
      const byte = this.#bytes[this.#at]!
      this.#at += 1
      raw |= (byte & 0x7f) << shift
      if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1)
    }
    this.#isCut = true
    return 0
  }

  /** The nearest number outside ±2^53. */
  #varlong(): number {
    let raw = 0
    let factor = 1
    for (let count = 0; count < 10 && this.#at < this.#end; count += 1) {
      const byte = this.#bytes[this.#at]!
      this.#at += 1
      raw += (byte & 0x7f) * factor
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
      factor *= 128
    }
    this.#isCut = true
    return 0
  }

  #fail(problem: string): false {
    this.problem ||= problem
    return false
  }
}
