import assert from 'node:assert/strict'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { fetchBatches } from '../../src/kafka/admin/fetch.ts'
import { logEnd } from '../../src/kafka/admin/offsets.ts'
import { createTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { openCluster } from '../../src/kafka/open-cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import type { DirectSpec } from '../../src/kafka/spec.ts'
import { buildBatch } from '../../src/records/build.ts'
import { sameContent } from '../../src/records/content.ts'
import { baseOffset, type Codec, lastOffset } from '../../src/records/header.ts'
import { BatchCursor } from '../../src/records/walk.ts'
import { produce } from '../../src/wire/api/00-produce.ts'
import type { KafkaAddress } from './tools.ts'

/** Whole batches in and out of a real cluster, as bytes: what a mirror must keep. */
export function specOf(bootstrap: string, clientId = 'linkspan-test'): DirectSpec {
  const servers = bootstrap.split(',').map((text) => {
    const [host, port] = text.split(':')
    return { host: host as string, port: Number(port) }
  })
  return { reach: 'kafka', clientId, bootstrap: servers }
}

export function adminOf(kafka: Pick<KafkaAddress, 'bootstrap'>): KafkaCluster {
  return openCluster(specOf(kafka.bootstrap), { log: silentLog, clock: systemClock })
}

/** Returns the topic's id. */
export async function makeTopic(
  cluster: KafkaCluster,
  topic: string,
  partitions: number,
  configs: Record<string, string> = {},
): Promise<string> {
  const [made] = await createTopics(cluster, [{ name: topic, partitions, configs }])
  return unwrap(made).topicId
}

export interface FillOptions {
  batches: number
  records: number
  valueBytes?: number
  codec?: Codec
  /** Of the first record; the next ones follow by a millisecond. */
  timestampMs?: number
  /** Makes the values of different fills different. */
  seed?: string
}

const fillWindow = 32

/** Appends batches that compress as text does; each of its own content. Returns the log end. */
export async function fill(
  cluster: KafkaCluster,
  topic: string,
  partition: number,
  options: FillOptions,
): Promise<number> {
  const { batches, records, valueBytes = 100, codec = 'none', timestampMs = systemClock.wallMs(), seed = '' } = options
  await cluster.refresh([topic])
  const connection = await cluster.connection({ to: 'leader', topic, partition })
  const pending: Promise<number>[] = []
  let end = 0
  for (let index = 0; index < batches; index += 1) {
    const rows = Array.from({ length: records }, (_, row) => ({
      timestampMs: timestampMs + row,
      key: Buffer.from(`key-${row}`),
      value: Buffer.from(
        `${seed} ${topic}-${partition} batch ${index} row ${row} `
          .repeat(20)
          .padEnd(valueBytes, '.')
          .slice(0, valueBytes),
      ),
    }))
    const batch = buildBatch(rows, { codec })
    const topicData = [{ name: topic, partitionData: [{ index: partition, records: batch }] }]
    const sent = connection.request(produce, { acks: 1, timeoutMs: 10_000, topicData }, { versionMax: 12 })
    pending.push(
      sent.then(({ responses }) => {
        const answer = responses[0]?.partitionResponses[0]
        assert.equal(answer?.errorCode, 0)
        return (answer?.baseOffset ?? 0) + records
      }),
    )
    if (pending.length >= fillWindow) end = (await pending.shift()) ?? end
  }
  for (const one of pending) end = await one
  return end
}

export interface StoredBatch {
  offset: number
  end: number
  bytes: Buffer
}

/** All batches from `from` on, as stored. */
export async function readLog(
  cluster: KafkaCluster,
  topic: string,
  partition: number,
  from = 0,
): Promise<StoredBatch[]> {
  const [last] = await logEnd(cluster, [{ topic, partition }])
  const logEndOffset = unwrap(last).offset
  const cursor = new BatchCursor()
  const found: StoredBatch[] = []
  for (let offset = from; offset < logEndOffset; ) {
    const { records } = await fetchBatches(cluster, { topic, partition, offset }, { bytesMax: 16 << 20 })
    cursor.open(records, 0, records.length, 1 << 30)
    let next = offset
    while (cursor.next()) {
      const { at, size } = cursor
      next = lastOffset(records, at) + 1
      if (next <= offset) continue
      found.push({ offset: baseOffset(records, at), end: next, bytes: records.subarray(at, at + size) })
    }
    assert.ok(next > offset, `nothing to read of ${topic}-${partition} at ${offset}`)
    offset = next
  }
  return found
}

/** Same batches at the same offsets with the same records, byte for byte; returns how many. */
export async function assertSameLog(
  left: { cluster: KafkaCluster; topic: string },
  right: { cluster: KafkaCluster; topic: string },
  partition: number,
): Promise<number> {
  const [source, mirror] = await Promise.all([
    readLog(left.cluster, left.topic, partition),
    readLog(right.cluster, right.topic, partition),
  ])
  const offsets = (batches: StoredBatch[]) => batches.map(({ offset, end }) => `${offset}-${end}`)
  assert.deepEqual(offsets(mirror), offsets(source))
  for (const [index, { bytes, offset }] of source.entries()) {
    assert.ok(sameContent(bytes, 0, (mirror[index] as StoredBatch).bytes, 0), `batch at ${offset} of ${partition}`)
  }
  return source.length
}
