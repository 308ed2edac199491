import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { systemClock } from '../../src/base/clock.ts'
import { fetchBatches } from '../../src/kafka/admin/fetch.ts'
import { logEnd } from '../../src/kafka/admin/offsets.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { buildBatch } from '../../src/records/build.ts'
import { sameContent } from '../../src/records/content.ts'
import {
  baseOffset,
  baseTimestamp,
  baseTimestampAt,
  codecs,
  computeCrc,
  crcAt,
  lastOffset,
  maxTimestamp,
  maxTimestampAt,
  recordCount,
} from '../../src/records/header.ts'
import { BatchCursor } from '../../src/records/walk.ts'
import { produce } from '../../src/wire/api/00-produce.ts'

/** Gigabytes in and out of real clusters, fast and in little memory. */
const valueBytes = 1000
const templateRecords = [3, 12, 48]
/** Without an answer, for each broker: a slow one never has more than this to work off before it answers. */
const fillWindowBytes = 4 << 20
/** On a loaded machine a broker with three copies to write has taken longer than clients usually wait. */
const fillTimeoutMs = 120_000
const readBytes = 4 << 20
const dayMs = 86_400_000

/** When a batch was stamped, as brokers with the default expiry see it: old data leaves no producer behind. */
export type Age = 'young' | 'days' | 'years'

/** One age after the other, each for a tenth of a partition: half is three days old, some is from 2017. */
const mixedAges: readonly Age[] = ['years', 'days', 'young', 'days', 'young', 'days', 'years', 'days', 'young', 'days']

export interface HeavyFill {
  topic: string
  partitions: number
  /** Of all partitions together, as sent. */
  bytes: number
  age: (partition: number, part: number) => Age
  /** Makes the timestamps of different fills different. */
  from?: number
}

/** `part`: how far into the partition, from 0 to 1. Neighbours are out of step. */
export function mixedAge(partition: number, part: number): Age {
  const run = Math.floor(part * mixedAges.length)
  return mixedAges[(run + partition) % mixedAges.length] as Age
}

/**
 * Appends batches of all codecs and three sizes to every partition, no two with the same timestamps: each takes its
 * number as milliseconds. Returns how many records each partition got.
 */
export async function fillHeavily(cluster: KafkaCluster, fill: HeavyFill): Promise<number[]> {
  const { topic, partitions, bytes } = fill
  const templates = makeTemplates()
  const templateBytes = templates.reduce((sum, one) => sum + one.length, 0) / templates.length
  const perPartition = Math.max(1, Math.round(bytes / partitions / templateBytes))
  // A leader that metadata names may not know yet that it is one.
  await logEnds({ cluster, topic }, partitions)
  const byNode = new Map<number, number[]>()
  for (let partition = 0; partition < partitions; partition += 1) {
    const { nodeId } = await cluster.leader(topic, partition)
    byNode.set(nodeId, [...(byNode.get(nodeId) ?? []), partition])
  }
  const counts = new Array<number>(partitions).fill(0)
  const nowMs = systemClock.wallMs() - 60_000
  const batchOf = (partition: number, index: number) => {
    const template = templates[(index + partition) % templates.length] as Buffer
    counts[partition] = (counts[partition] ?? 0) + recordCount(template, 0)
    const baseMs = { young: nowMs, days: nowMs - 3 * dayMs, years: 1_500_000_000_000 }
    return stamped(template, baseMs[fill.age(partition, index / perPartition)] + (fill.from ?? 0) + index)
  }
  await Promise.all([...byNode].map(([nodeId, some]) => sendAll(cluster, topic, nodeId, some, perPartition, batchOf)))
  return counts
}

/** A request holds one batch for each partition of the broker. Nothing is sent twice: a mirror must show every slip. */
async function sendAll(
  cluster: KafkaCluster,
  topic: string,
  nodeId: number,
  partitions: readonly number[],
  count: number,
  batchOf: (partition: number, index: number) => Buffer,
): Promise<void> {
  await using connection = await cluster.dedicate(nodeId, { requestTimeoutMs: fillTimeoutMs })
  const pending: { bytes: number; taken: Promise<void> }[] = []
  let pendingBytes = 0
  for (let index = 0; index < count; index += 1) {
    const partitionData = partitions.map((partition) => ({ index: partition, records: batchOf(partition, index) }))
    const bytes = partitionData.reduce((sum, { records }) => sum + records.length, 0)
    for (; pendingBytes > 0 && pendingBytes + bytes > fillWindowBytes; ) {
      const first = pending.shift()
      await first?.taken
      pendingBytes -= first?.bytes ?? 0
    }
    const body = { acks: -1, timeoutMs: fillTimeoutMs, topicData: [{ name: topic, partitionData }] }
    const taken = connection.request(produce, body, { versionMax: 12 }).then(({ responses }) => {
      for (const { errorCode } of responses[0]?.partitionResponses ?? []) assert.equal(errorCode, 0)
    })
    taken.catch(() => {})
    pending.push({ bytes, taken })
    pendingBytes += bytes
  }
  await Promise.all(pending.map(({ taken }) => taken))
}

/** Values that compress to about a half, every one different. */
function makeTemplates(): Buffer[] {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 8
  }
  return templateRecords.flatMap((records) => {
    return codecs.map((codec) => {
      const rows = Array.from({ length: records }, (_, row) => {
        const value = Buffer.alloc(valueBytes, `row ${row} in ${codec} `)
        for (let at = 0; at < valueBytes / 2; at += 2) value.writeUInt16BE(random() & 0xffff, at)
        return { timestampMs: row % 7, key: Buffer.from(`key-${row}`), value }
      })
      return buildBatch(rows, { codec })
    })
  })
}

function stamped(template: Buffer, timestampMs: number): Buffer {
  const batch = Buffer.from(template)
  const spreadMs = maxTimestamp(template, 0) - baseTimestamp(template, 0)
  batch.writeBigInt64BE(BigInt(timestampMs), baseTimestampAt)
  batch.writeBigInt64BE(BigInt(timestampMs + spreadMs), maxTimestampAt)
  batch.writeUInt32BE(computeCrc(batch, 0, batch.length), crcAt)
  return batch
}

export interface LogPlace {
  cluster: KafkaCluster
  topic: string
}

export async function logEnds({ cluster, topic }: LogPlace, partitions: number): Promise<number[]> {
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  return (await logEnd(cluster, all)).map((outcome) => unwrap(outcome).offset)
}

export function sumOf(ends: readonly number[]): number {
  return ends.reduce((sum, end) => sum + end, 0)
}

/**
 * Same batches at the same offsets with the same bytes from 0 to the same log ends, in all partitions; a few megabytes
 * are in memory at a time. Returns what was compared.
 */
export async function assertSameLogs(
  source: LogPlace,
  mirror: LogPlace,
  partitions: number,
): Promise<{ batches: number; bytes: number; records: number }> {
  const ends = await logEnds(source, partitions)
  assert.deepEqual(await logEnds(mirror, partitions), ends)
  const seen = { batches: 0, bytes: 0, records: 0 }
  for (let partition = 0; partition < partitions; partition += 1) {
    const left = storedBatches(source, partition, ends[partition] as number)
    const right = storedBatches(mirror, partition, ends[partition] as number)
    for (;;) {
      const [ours, theirs] = [await left.next(), await right.next()]
      assert.equal(theirs.done, ours.done, `partition ${partition} has as many batches on both sides`)
      if (ours.done || theirs.done) break
      assertSameBatch(ours.value, theirs.value, partition)
      seen.batches += 1
      seen.bytes += ours.value.size
      seen.records += recordCount(ours.value.bytes, ours.value.at)
    }
  }
  return seen
}

interface PlacedBatch {
  bytes: Buffer
  at: number
  size: number
}

function assertSameBatch(ours: PlacedBatch, theirs: PlacedBatch, partition: number): void {
  const offset = baseOffset(ours.bytes, ours.at)
  const where = `batch at offset ${offset} of partition ${partition}`
  assert.equal(baseOffset(theirs.bytes, theirs.at), offset, where)
  assert.ok(sameContent(ours.bytes, ours.at, theirs.bytes, theirs.at), where)
}

/** From offset 0 without a gap to `end`; the next read is under way while one is looked at. */
async function* storedBatches({ cluster, topic }: LogPlace, partition: number, end: number) {
  const read = (offset: number) => fetchBatches(cluster, { topic, partition, offset }, { bytesMax: readBytes })
  const cursor = new BatchCursor()
  let next = end > 0 ? read(0) : undefined
  for (let offset = 0; next; ) {
    const { records } = await next
    const found: PlacedBatch[] = []
    cursor.open(records, 0, records.length, 1 << 30)
    while (cursor.next()) {
      const { at, size } = cursor
      if (lastOffset(records, at) < offset) continue
      assert.equal(baseOffset(records, at), offset, `${topic}-${partition} goes on without a gap`)
      offset = lastOffset(records, at) + 1
      found.push({ bytes: records, at, size })
    }
    assert.ok(found.length > 0, `nothing to read of ${topic}-${partition} at ${offset}`)
    next = offset < end ? read(offset) : undefined
    next?.catch(() => {})
    yield* found
  }
}

/** The most memory that a process has had so far, in bytes; undefined where the system does not tell. */
export async function peakMemoryBytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? []
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}
