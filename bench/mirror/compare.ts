import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import type { KafkaConnection } from '../../src/kafka/connection.ts'
import { sameContent } from '../../src/records/content.ts'
import { baseOffset, lastOffset } from '../../src/records/header.ts'
import { BatchCursor } from '../../src/records/walk.ts'
import { fetch } from '../../src/wire/api/01-fetch.ts'
import type { BenchKafka } from './brokers.ts'
import { partitionCount } from './source-topic.ts'

export interface Comparison {
  batches: number
  /** What is wrong first, if anything. */
  difference: string | undefined
}

const fetchBytes = 8 * 1024 * 1024
const lastVersionByName = 12

/** Every batch of the copy at the offset of the source, with the same payload byte for byte. */
export async function compareBatches(source: BenchKafka, copy: BenchKafka, topic: string): Promise<Comparison> {
  let batches = 0
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const left = await LogReader.open(source.admin, topic, partition)
    const right = await LogReader.open(copy.admin, topic, partition)
    for (;;) {
      const [one, other] = await Promise.all([left.next(), right.next()])
      if (!one && !other) break
      if (!one || !other || one.offset !== other.offset) {
        const where = `partition ${partition}: ${one?.offset ?? 'the end'} at the source`
        return { batches, difference: `${where}, ${other?.offset ?? 'the end'} at the destination` }
      }
      if (!sameContent(one.bytes, one.at, other.bytes, other.at)) {
        return { batches, difference: `partition ${partition}: the batches of offset ${one.offset} differ` }
      }
      batches += 1
    }
  }
  return { batches, difference: undefined }
}

/** The same count of records in every partition: all that can be asked of a mirror that makes new batches. */
export async function compareCounts(source: BenchKafka, copy: BenchKafka, topic: string): Promise<Comparison> {
  const [left, right] = await Promise.all([source.logEnds(topic), copy.logEnds(topic)])
  const at = left.findIndex((end, index) => end !== right[index])
  if (at < 0) return { batches: 0, difference: undefined }
  return {
    batches: 0,
    difference: `partition ${at}: ${left[at]} records at the source, ${right[at]} at the destination`,
  }
}

interface FoundBatch {
  bytes: Buffer
  at: number
  offset: number
}

/** One partition from its first batch to its log end, batch by batch. */
class LogReader {
  readonly #connection: KafkaConnection
  readonly #topic: string
  readonly #partition: number
  readonly #cursor = new BatchCursor()
  #bytes: Buffer = Buffer.alloc(0)
  #offset = 0

  constructor(connection: KafkaConnection, topic: string, partition: number) {
    this.#connection = connection
    this.#topic = topic
    this.#partition = partition
  }

  static async open(cluster: KafkaCluster, topic: string, partition: number): Promise<LogReader> {
    await cluster.refresh([topic])
    const connection = await cluster.connection({ to: 'leader', topic, partition })
    return new LogReader(connection, topic, partition)
  }

  /** Undefined at the log end. The bytes are valid until the next call. */
  async next(): Promise<FoundBatch | undefined> {
    for (;;) {
      while (this.#cursor.next()) {
        const { at } = this.#cursor
        if (lastOffset(this.#bytes, at) < this.#offset) continue
        this.#offset = lastOffset(this.#bytes, at) + 1
        return { bytes: this.#bytes, at, offset: baseOffset(this.#bytes, at) }
      }
      if (!(await this.#fetch())) return undefined
    }
  }

  async #fetch(): Promise<boolean> {
    const partitions = [{ partition: this.#partition, fetchOffset: this.#offset, partitionMaxBytes: fetchBytes }]
    const body = { maxWaitMs: 0, minBytes: 0, maxBytes: fetchBytes, topics: [{ topic: this.#topic, partitions }] }
    const answer = await this.#connection.request(fetch, body, { versionMax: lastVersionByName })
    const found = answer.responses[0]?.partitions[0]
    if (answer.errorCode !== 0 || !found || found.errorCode !== 0) {
      throw new Error(`reading ${this.#topic}-${this.#partition} failed with Kafka's error ${found?.errorCode}`)
    }
    const records = found.records ?? new Uint8Array(0)
    this.#bytes = Buffer.from(records.buffer, records.byteOffset, records.length)
    this.#cursor.open(this.#bytes, 0, this.#bytes.length, fetchBytes)
    return records.length > 0
  }
}
