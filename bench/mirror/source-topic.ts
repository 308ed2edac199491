import { systemClock } from '../../src/base/clock.ts'
import { logEnd } from '../../src/kafka/admin/offsets.ts'
import { createTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import type { KafkaConnection } from '../../src/kafka/connection.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { buildBatch } from '../../src/records/build.ts'
import { produce } from '../../src/wire/api/00-produce.ts'
import { type BenchCodec, Dice, eventBytes, orderEvent, recordsPerBatch } from './events.ts'

export const partitionCount = 8

export interface SourceTopic {
  name: string
  topicId: string
  codec: BenchCodec
  records: number
  batches: number
  /** Of the source log: whole batches, as they cross the wire. */
  wireBytes: number
  /** Of the values alone. */
  rawBytes: number
}

/** Different batches of one codec; the topic repeats them. */
const poolRawBytes = 96 * 1024 * 1024
const requestsMax = 16
const lastVersionByName = 12

/** Order events in batches as a producer without idempotence makes them, the same ones for every run. */
export class EventProducer {
  readonly #codec: BenchCodec
  readonly #dice = new Dice(7)
  readonly #pool: Buffer[] = []
  readonly #poolMax: number
  readonly #acks: 1 | -1
  #next = 0

  constructor(codec: BenchCodec, acks: 1 | -1 = 1) {
    this.#codec = codec
    this.#acks = acks
    this.#poolMax = Math.ceil(poolRawBytes / eventBytes / recordsPerBatch[codec])
  }

  /** Creates the topic and fills it; the topic must not exist. */
  async create(cluster: KafkaCluster, name: string, records: number): Promise<SourceTopic> {
    const [made] = await createTopics(cluster, [{ name, partitions: partitionCount }])
    const { topicId } = unwrap(made)
    // Metadata may name leaders that do not know yet that they lead.
    const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic: name, partition }))
    for (const end of await logEnd(cluster, partitions)) unwrap(end)
    const empty = { name, topicId, codec: this.#codec, records: 0, batches: 0, wireBytes: 0, rawBytes: 0 }
    return await this.extend(cluster, empty, records)
  }

  /** Appends until the topic has so many records. */
  async extend(cluster: KafkaCluster, topic: SourceTopic, records: number): Promise<SourceTopic> {
    await cluster.refresh([topic.name])
    const leader = { to: 'leader', topic: topic.name, partition: 0 } as const
    const connection = await cluster.connection(leader)
    const grown = { ...topic }
    const underWay: Promise<void>[] = []
    while (grown.records < records) {
      const batches = this.#batchesOfOneRequest(grown, records)
      const appended = append(connection, topic.name, batches, this.#acks)
      appended.catch(() => {}) // the first failure is thrown below
      underWay.push(appended)
      if (underWay.length >= requestsMax) await underWay.shift()
    }
    await Promise.all(underWay)
    return grown
  }

  /** One for each partition, or fewer at the end. */
  #batchesOfOneRequest(grown: SourceTopic, records: number): Buffer[] {
    const batches: Buffer[] = []
    while (batches.length < partitionCount && grown.records < records) {
      const count = Math.min(recordsPerBatch[this.#codec], records - grown.records)
      const batch = count === recordsPerBatch[this.#codec] ? this.#pooled() : this.#build(count)
      batches.push(batch)
      grown.records += count
      grown.batches += 1
      grown.wireBytes += batch.length
      grown.rawBytes += count * eventBytes
    }
    return batches
  }

  #pooled(): Buffer {
    if (this.#pool.length < this.#poolMax) this.#pool.push(this.#build(recordsPerBatch[this.#codec]))
    const batch = this.#pool[this.#next % this.#pool.length] as Buffer
    this.#next += 1
    return batch
  }

  #build(count: number): Buffer {
    const timestampMs = systemClock.wallMs()
    const records = Array.from({ length: count }, () => {
      return { timestampMs, key: null, value: Buffer.from(orderEvent(this.#dice), 'latin1') }
    })
    return buildBatch(records, { codec: this.#codec })
  }
}

async function append(connection: KafkaConnection, topic: string, batches: Buffer[], acks: 1 | -1): Promise<void> {
  const partitionData = batches.map((records, index) => ({ index, records }))
  const body = { acks, timeoutMs: 30_000, topicData: [{ name: topic, partitionData }] }
  const { responses } = await connection.request(produce, body, { versionMax: lastVersionByName })
  const failed = responses.flatMap((one) => one.partitionResponses).find(({ errorCode }) => errorCode !== 0)
  if (failed) throw new Error(`filling ${topic} failed with Kafka's error ${failed.errorCode}: ${failed.errorMessage}`)
}
