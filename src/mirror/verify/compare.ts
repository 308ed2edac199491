import { createHash, type Hash } from 'node:crypto'
import { sameContent } from '../../records/content.ts'
import type { DecodedRecord } from '../../records/decode.ts'
import { attributes, baseTimestampAt, headerBytes, lastOffsetDeltaAt, producerIdAt } from '../../records/header.ts'
import type { LogReader, StoredBatch } from './log-reader.ts'

export interface Difference {
  offset: number
  /** In words: what is different there. */
  what: string
}

export interface Comparison {
  records: number
  batches: number
  /** Of the source, as stored. */
  bytes: number
  /** Batches that were not cut or packed alike, and were compared record by record. */
  decodedBatches: number
  /** Records that a cleaner took away on one side; only where the topic is compacted. */
  compactedAway: number
  /** SHA-256 of what was compared, side by side. */
  digests: { source: string; destination: string }
  difference: Difference | null
  /** False: the byte limit ended it. */
  whole: boolean
}

export interface CompareOptions {
  /** Records may be missing on one side without being different. */
  compacted: boolean
  /** Ends the comparison early. */
  bytesMax?: number
  /** Called now and then with the next offset. */
  onProgress?: (offset: number) => void
  signal?: AbortSignal | undefined
}

/** The flags that change what a consumer reads: codec, time stamp of the broker, marker. */
const meaningMask = 0x2f
const progressEvery = 200

/** Compares the same range of two logs to the end, or to the first difference. */
export async function compareLogs(
  source: LogReader,
  destination: LogReader,
  options: CompareOptions,
): Promise<Comparison> {
  const { compacted, bytesMax = Number.POSITIVE_INFINITY, onProgress, signal } = options
  const run = new Run(source, destination, compacted)
  for (let step = 0; ; step += 1) {
    signal?.throwIfAborted()
    if (step % progressEvery === 0) onProgress?.(source.position)
    if (run.bytes >= bytesMax) return run.result(false)
    if (!(await run.step())) return run.result(true)
  }
}

class Run {
  bytes = 0
  readonly #source: LogReader
  readonly #destination: LogReader
  readonly #compacted: boolean
  readonly #hashes: { source: Hash; destination: Hash } = {
    source: createHash('sha256'),
    destination: createHash('sha256'),
  }
  #records = 0
  #batches = 0
  #decodedBatches = 0
  #compactedAway = 0
  #counted: StoredBatch | undefined
  #difference: Difference | null = null

  constructor(source: LogReader, destination: LogReader, compacted: boolean) {
    this.#source = source
    this.#destination = destination
    this.#compacted = compacted
  }

  /** False at the end, and at the first difference. */
  async step(): Promise<boolean> {
    const theirs = await this.#source.batch()
    const ours = await this.#destination.batch()
    if (!theirs && !ours) return false
    if (theirs) this.#count(theirs)
    if (theirs && ours && this.#takeWhole(theirs, ours)) return true
    return await this.#stepRecords()
  }

  result(whole: boolean): Comparison {
    return {
      records: this.#records,
      batches: this.#batches,
      bytes: this.bytes,
      decodedBatches: this.#decodedBatches,
      compactedAway: this.#compactedAway,
      digests: { source: this.#hashes.source.digest('hex'), destination: this.#hashes.destination.digest('hex') },
      difference: this.#difference,
      whole,
    }
  }

  #count(batch: StoredBatch): void {
    if (this.#counted === batch) return
    this.#counted = batch
    this.#batches += 1
    this.bytes += batch.size
  }

  #takeWhole(theirs: StoredBatch, ours: StoredBatch): boolean {
    if (!this.#source.isWhole || !this.#destination.isWhole) return false
    if (theirs.base !== ours.base || theirs.last !== ours.last) return false
    if (!sameContent(theirs.bytes, theirs.at, ours.bytes, ours.at)) return false
    this.#records += theirs.records
    addBatch(this.#hashes.source, theirs)
    addBatch(this.#hashes.destination, ours)
    this.#source.takeBatch()
    this.#destination.takeBatch()
    return true
  }

  /** The records of a batch pair that was cut differently, or packed differently; one record of each at a time. */
  async #stepRecords(): Promise<boolean> {
    this.#decodedBatches += 1
    const batch = await this.#source.batch()
    do {
      const theirs = await this.#source.record()
      const ours = await this.#destination.record()
      if (!theirs && !ours) return false
      if (!this.#judge(theirs, ours)) return false
    } while (batch && (await this.#source.batch()) === batch)
    return true
  }

  #judge(theirs: DecodedRecord | undefined, ours: DecodedRecord | undefined): boolean {
    if (!ours || (theirs && theirs.offset < ours.offset)) return this.#missing(theirs!.offset, 'destination')
    if (!theirs || ours.offset < theirs.offset) return this.#missing(ours.offset, 'source')
    addRecord(this.#hashes.source, theirs)
    addRecord(this.#hashes.destination, ours)
    const isMarker = this.#source.isControl && this.#destination.isControl
    const what = this.#source.isControl === this.#destination.isControl ? differing(theirs, ours, isMarker) : 'marker'
    if (what !== undefined) {
      this.#difference = { offset: theirs.offset, what: `the ${what} of the record differs` }
      return false
    }
    this.#records += 1
    this.#source.takeRecord()
    this.#destination.takeRecord()
    return true
  }

  #missing(offset: number, where: 'source' | 'destination'): boolean {
    if (!this.#compacted) {
      this.#difference = { offset, what: `the record is missing at the ${where}` }
      return false
    }
    this.#compactedAway += 1
    if (where === 'destination') this.#source.takeRecord()
    else this.#destination.takeRecord()
    return true
  }
}

/** What is different, in a word; the value of a marker is the cluster's own. */
function differing(left: DecodedRecord, right: DecodedRecord, isMarker: boolean): string | undefined {
  if (!sameBytes(left.key, right.key)) return 'key'
  if (isMarker) return undefined
  if (!sameBytes(left.value, right.value)) return 'value'
  if (left.timestampMs !== right.timestampMs) return 'timestamp'
  const same =
    left.headers.length === right.headers.length &&
    left.headers.every((one, index) => {
      const other = right.headers[index]
      return other !== undefined && one[0] === other[0] && sameBytes(one[1], other[1])
    })
  return same ? undefined : 'headers'
}

function sameBytes(left: Uint8Array | null, right: Uint8Array | null): boolean {
  if (left === null || right === null) return left === right
  return Buffer.compare(left, right) === 0
}

/** Offset, what the flags mean, counts, times, records: what a consumer can see, and nothing that a mirror changes. */
function addBatch(hash: Hash, { bytes, at, size, base }: StoredBatch): void {
  const head = Buffer.alloc(9)
  head.writeBigInt64BE(BigInt(base))
  head[8] = attributes(bytes, at) & meaningMask
  hash.update(head)
  hash.update(bytes.subarray(at + lastOffsetDeltaAt, at + baseTimestampAt))
  hash.update(bytes.subarray(at + baseTimestampAt, at + producerIdAt))
  hash.update(bytes.subarray(at + headerBytes, at + size))
}

function addRecord(hash: Hash, { offset, timestampMs, key, value, headers }: DecodedRecord): void {
  hash.update(`${offset} ${timestampMs} ${headers.length} `)
  addBytes(hash, key)
  addBytes(hash, value)
  for (const [name, content] of headers) {
    addBytes(hash, Buffer.from(name))
    addBytes(hash, content)
  }
}

function addBytes(hash: Hash, bytes: Uint8Array | null): void {
  hash.update(`${bytes?.length ?? -1} `)
  if (bytes) hash.update(bytes)
}
