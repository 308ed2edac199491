import type { Leader } from '../../kafka/cluster-options.ts'
import { lastOffset } from '../../records/header.ts'
import { BatchCursor } from '../../records/walk.ts'
import { fetch } from '../../wire/api/01-fetch.ts'
import { listOffsets } from '../../wire/api/02-list-offsets.ts'
import { describeProducers } from '../../wire/api/61-describe-producers.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import { fetchVersionMax } from './fetch-plan.ts'
import type { Side } from './side.ts'

/** Any positive replica id makes the leader, and only the leader, tell its log end instead of its high watermark. */
export const logEndReplicaId = 2_147_483_000
const latest = -1
const earliest = -2
const askTimeoutMs = 10_000

export interface TopicPart {
  topic: string
  topicId: string
  partition: number
}

export interface OffsetAnswer {
  code: number
  offset: number
}

export type ActiveProducer = ResponseOf<
  typeof describeProducers
>['topics'][number]['partitions'][number]['activeProducers'][number]

/** Errors, as of all functions here: the connection's, and the signal's. Kafka's own codes are in the answer. */
export async function askLogEnd(side: Side, leader: Leader, part: TopicPart, signal: AbortSignal) {
  return await askOffset(side, leader, part, { timestamp: latest, replicaId: logEndReplicaId }, signal)
}

export async function askLogStart(side: Side, leader: Leader, part: TopicPart, signal: AbortSignal) {
  return await askOffset(side, leader, part, { timestamp: earliest, replicaId: -1 }, signal)
}

async function askOffset(
  side: Side,
  leader: Leader,
  { topic, partition }: TopicPart,
  what: { timestamp: number; replicaId: number },
  signal: AbortSignal,
): Promise<OffsetAnswer> {
  const connection = await side.cluster.connection({ to: 'node', nodeId: leader.nodeId }, { signal })
  const { timestamp, replicaId } = what
  const wanted = { partitionIndex: partition, currentLeaderEpoch: leader.leaderEpoch, timestamp }
  const body = { replicaId, topics: [{ name: topic, partitions: [wanted] }] }
  const answer = await connection.request(listOffsets, body, { versionMax: 9, timeoutMs: askTimeoutMs, signal })
  const found = answer.topics[0]?.partitions[0]
  return found ? { code: found.errorCode, offset: found.offset } : { code: -1, offset: -1 }
}

/** Undefined where the broker does not tell, or not to us. Followers answer too, so this must go to the leader. */
export async function askProducers(
  side: Side,
  leader: Leader,
  { topic, partition }: TopicPart,
  signal: AbortSignal,
): Promise<ActiveProducer[] | undefined> {
  const connection = await side.cluster.connection({ to: 'node', nodeId: leader.nodeId }, { signal })
  if (!connection.versions.range(describeProducers)) return undefined
  const body = { topics: [{ name: topic, partitionIndexes: [partition] }] }
  const answer = await connection.request(describeProducers, body, { timeoutMs: askTimeoutMs, signal })
  const found = answer.topics[0]?.partitions[0]
  return found?.errorCode === 0 ? found.activeProducers : undefined
}

export interface PeekAnswer {
  code: number
  highWatermark: number
  logStart: number
  /**
   * End of the history that both share, when the log is another one than `lastFetchedEpoch` says; −1 when it is not.
   */
  divergesAt: number
  /** The batch that holds the offset, with the bytes that follow it; undefined when there is none to read yet. */
  batch: { bytes: Buffer; at: number } | undefined
}

/** Reads the one batch that holds `offset`, as a consumer. */
export async function peekBatch(
  side: Side,
  leader: Leader,
  { topic, topicId, partition }: TopicPart,
  at: { offset: number; lastFetchedEpoch: number; batchBytesMax: number },
  signal: AbortSignal,
): Promise<PeekAnswer> {
  const connection = await side.cluster.connection({ to: 'node', nodeId: leader.nodeId }, { signal })
  const wanted = {
    partition,
    currentLeaderEpoch: leader.leaderEpoch,
    fetchOffset: at.offset,
    lastFetchedEpoch: at.lastFetchedEpoch,
    partitionMaxBytes: 1,
  }
  const body = { maxWaitMs: 0, minBytes: 0, maxBytes: 1, topics: [{ topic, topicId, partitions: [wanted] }] }
  const options = { versionMax: fetchVersionMax, timeoutMs: askTimeoutMs, signal }
  const answer = await connection.request(fetch, body, options)
  const found = answer.responses[0]?.partitions[0]
  if (!found) return { code: answer.errorCode || -1, highWatermark: -1, logStart: -1, divergesAt: -1, batch: undefined }
  const { errorCode, highWatermark, logStartOffset, divergingEpoch } = found
  return {
    code: errorCode,
    highWatermark,
    logStart: logStartOffset,
    divergesAt: divergingEpoch.endOffset,
    batch: found.records ? batchWith(found.records as Buffer, at.offset, at.batchBytesMax) : undefined,
  }
}

function batchWith(bytes: Buffer, offset: number, batchBytesMax: number): PeekAnswer['batch'] {
  const cursor = new BatchCursor()
  cursor.open(bytes, 0, bytes.length, batchBytesMax)
  while (cursor.next()) if (lastOffset(bytes, cursor.at) >= offset) return { bytes, at: cursor.at }
  return undefined
}
