import assert from 'node:assert/strict'
import { fetchBatches } from '../../src/kafka/admin/fetch.ts'
import { commitGroupOffsets, fetchGroupOffsets } from '../../src/kafka/admin/group-offsets.ts'
import { logEnd, logStart } from '../../src/kafka/admin/offsets.ts'
import { produceBatch } from '../../src/kafka/admin/produce.ts'
import { createTopics, deleteRecords, deleteTopics, describeTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { buildBatch } from '../../src/records/build.ts'
import { decodeBatch } from '../../src/records/decode.ts'
import { BatchCursor } from '../../src/records/walk.ts'

/** What was acknowledged, and so has to be there after every crash. One call at a time; `check` between crashes. */
export interface CrashLoad {
  /** Does something and waits for its acknowledgement; throws when the broker dies meanwhile. */
  step(cluster: KafkaCluster): Promise<void>
  check(cluster: KafkaCluster): Promise<void>
}

const bytesMax = 4 << 20
/** Of a step: longer, and the broker counts as dead. */
const deadlineMs = 500

/** Numbered records; what was not acknowledged is sent again with the same sequence: each is there once, in order. */
export class IdempotentLoad implements CrashLoad {
  readonly #at: { topic: string; partition: number }
  readonly #producerId: bigint
  #next = 0
  /** Of the batch that is under way, also after a crash. */
  #batch: { from: number; count: number } | undefined

  constructor(topic: string, producerId: bigint) {
    this.#at = { topic, partition: 0 }
    this.#producerId = producerId
  }

  async step(cluster: KafkaCluster): Promise<void> {
    this.#batch ??= { from: this.#next, count: 1 + (this.#next % 7) }
    const { from, count } = this.#batch
    const producer = { producerId: this.#producerId, producerEpoch: 0, baseSequence: from }
    const { baseOffset } = await produceBatch(cluster, this.#at, numbered(from, count, producer), { deadlineMs })
    assert.equal(baseOffset, from, `the batch of number ${from} went to its own offset`)
    this.#next = from + count
    this.#batch = undefined
  }

  async check(cluster: KafkaCluster): Promise<void> {
    const { records, end } = await readFrom(cluster, this.#at, Math.max(0, this.#next - 50))
    assert.ok(end >= this.#next, `${this.#next} numbers were acknowledged, the log ends at ${end}`)
    assert.ok(end <= this.#next + (this.#batch?.count ?? 0), `nothing is there twice: the log ends at ${end}`)
    for (const { offset, value } of records) assert.equal(value, offset)
  }
}

/** Records that are not sent again: what was acknowledged is at the offset that was told. */
export class PlainLoad implements CrashLoad {
  readonly #at: { topic: string; partition: number }
  readonly #told: { offset: number; number: number }[] = []
  #number = 0
  #start = 0

  constructor(topic: string) {
    this.#at = { topic, partition: 0 }
  }

  async step(cluster: KafkaCluster): Promise<void> {
    const number = this.#number
    this.#number += 1
    const { baseOffset } = await produceBatch(cluster, this.#at, numbered(number, 1), { deadlineMs })
    this.#told.push({ offset: baseOffset, number })
    if (number % 40 !== 39) return
    const start = baseOffset - 20
    unwrap((await deleteRecords(cluster, [{ ...this.#at, offset: start }], { deadlineMs }))[0])
    this.#start = start
  }

  async check(cluster: KafkaCluster): Promise<void> {
    const found = unwrap((await logStart(cluster, [this.#at]))[0]).offset
    assert.ok(found >= this.#start, `the log start was moved to ${this.#start}, and is ${found}`)
    const { records } = await readFrom(cluster, this.#at, found)
    const byOffset = new Map(records.map(({ offset, value }) => [offset, value]))
    for (const { offset, number } of this.#told.slice(-20)) {
      if (offset >= found) assert.equal(byOffset.get(offset), number, `offset ${offset}`)
    }
  }
}

/** Offsets that only grow: what is read back is not below what was acknowledged. */
export class CommitLoad implements CrashLoad {
  readonly #group: string
  readonly #at: { topic: string; partition: number }
  #sent = 0
  #acknowledged = -1

  constructor(group: string, topic: string) {
    this.#group = group
    this.#at = { topic, partition: 0 }
  }

  async step(cluster: KafkaCluster): Promise<void> {
    const offset = this.#sent
    this.#sent += 1
    const commit = { group: this.#group, offsets: [{ ...this.#at, offset }] }
    unwrap((await commitGroupOffsets(cluster, [commit], { deadlineMs }))[0])
    this.#acknowledged = offset
  }

  async check(cluster: KafkaCluster): Promise<void> {
    const found = unwrap((await fetchGroupOffsets(cluster, [{ group: this.#group, partitions: [this.#at] }]))[0])
    const offset = found.offsets[0]?.offset ?? -1
    assert.ok(offset >= this.#acknowledged && offset < this.#sent, `${offset} of ${this.#acknowledged}`)
  }
}

/** So many of `TopicLoad` are there at a time; older ones are deleted. */
const topicsKept = 5

/** Topics that are there once they were acknowledged, whole or not at all, and gone once that was. */
export class TopicLoad implements CrashLoad {
  readonly #prefix: string
  #next = 0
  readonly #acknowledged: string[] = []
  readonly #deleted: string[] = []

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  async step(cluster: KafkaCluster): Promise<void> {
    const name = `${this.#prefix}-${this.#next}`
    this.#next += 1
    unwrap((await createTopics(cluster, [{ name, partitions: 3 }], { deadlineMs }))[0])
    this.#acknowledged.push(name)
    if (this.#acknowledged.length <= topicsKept) return
    const [oldest = ''] = this.#acknowledged.splice(0, 1)
    unwrap((await deleteTopics(cluster, [oldest], { deadlineMs }))[0])
    this.#deleted.push(oldest)
  }

  async check(cluster: KafkaCluster): Promise<void> {
    for (const outcome of await describeTopics(cluster, this.#acknowledged)) {
      const { name, partitions } = unwrap(outcome)
      assert.equal(partitions.length, 3)
      const ends = await logEnd(
        cluster,
        [0, 1, 2].map((partition) => ({ topic: name, partition })),
      )
      for (const end of ends) assert.equal(unwrap(end).offset, 0)
    }
    for (const outcome of await describeTopics(cluster, this.#deleted.slice(-topicsKept))) assert.ok(outcome.error)
  }
}

interface Producer {
  producerId: bigint
  producerEpoch: number
  baseSequence: number
}

function numbered(from: number, count: number, producer?: Producer): Buffer {
  const records = Array.from({ length: count }, (_, index) => {
    const value = Buffer.from(String(from + index).padEnd(500, '.'))
    return { timestampMs: Date.now(), key: null, value }
  })
  return buildBatch(records, producer)
}

async function readFrom(cluster: KafkaCluster, at: { topic: string; partition: number }, from: number) {
  const end = unwrap((await logEnd(cluster, [at]))[0]).offset
  const records: { offset: number; value: number }[] = []
  const cursor = new BatchCursor()
  for (let offset = from; offset < end; ) {
    const { records: bytes } = await fetchBatches(cluster, { ...at, offset }, { bytesMax })
    cursor.open(bytes, 0, bytes.length, bytesMax)
    const before = offset
    while (cursor.next()) {
      for (const record of decodeBatch(bytes, cursor.at, { decompressedBytesMax: bytesMax })) {
        if (record.offset < offset) continue
        records.push({ offset: record.offset, value: Number(String(record.value).replace(/\.+$/, '')) })
        offset = record.offset + 1
      }
    }
    assert.ok(offset > before, `nothing to read at ${offset} of ${end}`)
  }
  return { records, end }
}
