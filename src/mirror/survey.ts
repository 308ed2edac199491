import { LinkspanError } from '../base/errors.ts'
import { type ConfigEntry, describeTopicConfigs } from '../kafka/admin/configs.ts'
import { fetchBatches } from '../kafka/admin/fetch.ts'
import { highWatermark, logStart, offsetAtTime } from '../kafka/admin/offsets.ts'
import { describeTopics } from '../kafka/admin/topics.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import type { TopicMetadata } from '../kafka/metadata-cache.ts'
import { unwrap } from '../kafka/rounds.ts'
import { baseOffset, lastOffset } from '../records/header.ts'
import { judgeBatch, type UnplainReason } from '../records/judge.ts'
import { BatchCursor } from '../records/walk.ts'
import { partitionsOf } from './context.ts'
import type { PartitionFacts, TopicFacts } from './plan/method.ts'

/** What a source topic looks like before it is mirrored. */
export interface Survey {
  kafkaClusterId: string
  topic: TopicMetadata
  configs: ConfigEntry[]
  facts: TopicFacts
}

export interface SurveyRequest {
  topic: string
  /** `mirror.start.offset.spec` of the link: `earliest`, `latest` or an instant. */
  startSpec: string
  /** Where the copy goes on in each partition; 0 for all when missing. */
  from?: readonly number[]
  signal?: AbortSignal | undefined
}

const sampleBytes = 64 * 1024
/** The cleaner works from the beginning: holes show there first. */
const compactedSampleBytes = 1024 * 1024
const compactedSamplesMax = 4
const batchBytesMax = 100 * 1024 * 1024
/** Partitions looked at at a time: each answer is held in memory. */
const sampledAtOnce = 4

/** Looks at a source topic. Throws `kafka-unknown-topic`, `kafka-not-permitted`, and what the way there throws. */
export async function surveySource(source: KafkaCluster, request: SurveyRequest): Promise<Survey> {
  const { topic: name, signal } = request
  const kafkaClusterId = await source.clusterId({ signal })
  const topic = unwrap((await describeTopics(source, [name], { signal }))[0])
  if (topic.internal || name.startsWith('__')) {
    throw new LinkspanError('invalid-request', `Topic '${name}' is internal: Kafka's own topics cannot be mirrored`)
  }
  const configs = unwrap((await describeTopicConfigs(source, [name], { signal }))[0])
  const setTo = (key: string) => configs.find((entry) => entry.name === key)?.value ?? ''
  const compacted = setTo('cleanup.policy').split(',').includes('compact')
  const partitions = await surveyPartitions(source, topic, { ...request, compacted })
  const timestampType = setTo('message.timestamp.type') || 'CreateTime'
  return { kafkaClusterId, topic, configs, facts: { timestampType, compacted, partitions } }
}

async function surveyPartitions(
  source: KafkaCluster,
  topic: TopicMetadata,
  request: SurveyRequest & { compacted: boolean },
): Promise<PartitionFacts[]> {
  const { signal, startSpec, from, compacted } = request
  const partitions = partitionsOf(topic.name, topic.partitions.length)
  const starts = (await logStart(source, partitions, { signal })).map(unwrap)
  const ends = (await highWatermark(source, partitions, { signal })).map(unwrap)
  const wanted = await startsWanted(source, partitions, startSpec, signal)
  const facts: PartitionFacts[] = []
  for (let first = 0; first < partitions.length; first += sampledAtOnce) {
    const part = partitions.slice(first, first + sampledAtOnce).map(async ({ partition }) => {
      const begin = starts[partition]!.offset
      const end = ends[partition]!.offset
      const given = from?.[partition] ?? 0
      const at = { topic: topic.name, partition, offset: Math.max(given, begin) }
      const unplain = at.offset < end ? await findUnplain(source, at, end, compacted, signal) : []
      // What is taken over begins where it begins; a new mirror where the link says.
      const logStart = from ? begin : Math.max(begin, wanted?.[partition] ?? begin)
      return { partition, logStart, highWatermark: end, from: given, unplain }
    })
    facts.push(...(await Promise.all(part)))
  }
  return facts
}

/** Undefined: the first offset that there is. */
async function startsWanted(
  source: KafkaCluster,
  partitions: readonly { topic: string; partition: number }[],
  spec: string,
  signal: AbortSignal | undefined,
): Promise<number[] | undefined> {
  if (spec === 'earliest') return undefined
  const ends = (await highWatermark(source, partitions, { signal })).map((one) => unwrap(one).offset)
  if (spec === 'latest') return ends
  const timed = partitions.map((one) => ({ ...one, timestampMs: Date.parse(spec) }))
  const found = (await offsetAtTime(source, timed, { signal })).map((one) => unwrap(one).offset)
  return found.map((offset, partition) => (offset < 0 ? ends[partition]! : offset))
}

interface Place {
  topic: string
  partition: number
  offset: number
}

type Unplain = PartitionFacts['unplain'][number]

/**
 * Where the batches begin that hold each partition's first record: a log is copied by whole batches, and its start may
 * lie inside of one.
 */
export async function batchStarts(
  source: KafkaCluster,
  { topic: { name: topic }, facts }: Survey,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const starts: number[] = []
  for (const { partition, logStart, highWatermark: end } of facts.partitions) {
    if (logStart === 0 || logStart >= end) {
      starts.push(logStart)
      continue
    }
    const { records } = await fetchBatches(source, { topic, partition, offset: logStart }, { bytesMax: 1, signal })
    const cursor = new BatchCursor()
    cursor.open(records, 0, records.length, batchBytesMax)
    starts.push(cursor.next() ? Math.min(logStart, baseOffset(records, cursor.at)) : logStart)
  }
  return starts
}

/** Looks at the first batches and the last one; of a compacted topic at more of the first. */
async function findUnplain(
  source: KafkaCluster,
  from: Place,
  end: number,
  compacted: boolean,
  signal: AbortSignal | undefined,
): Promise<Unplain[]> {
  const found: Unplain[] = []
  let { offset } = from
  const samples = compacted ? compactedSamplesMax : 1
  for (let sample = 0; sample < samples && offset < end && found.length === 0; sample += 1) {
    const bytesMax = compacted ? compactedSampleBytes : sampleBytes
    const { records } = await fetchBatches(source, { ...from, offset }, { bytesMax, signal })
    const next = judgeBatches(records, offset, found)
    if (next === offset) break
    offset = next
  }
  if (found.length === 0 && offset < end) {
    const last = end - 1
    const { records } = await fetchBatches(source, { ...from, offset: last }, { bytesMax: sampleBytes, signal })
    judgeBatches(records, undefined, found)
  }
  return found
}

/** Adds the first offset of each reason; returns the offset behind the last whole batch. */
function judgeBatches(records: Buffer, from: number | undefined, found: Unplain[]): number {
  const cursor = new BatchCursor()
  cursor.open(records, 0, records.length, batchBytesMax)
  let next = from
  const add = (reason: UnplainReason, offset: number) => {
    if (!found.some((one) => one.reason === reason)) found.push({ reason, offset })
  }
  while (cursor.next()) {
    const base = baseOffset(records, cursor.at)
    if (next !== undefined && base > next) add('hole', next)
    const reason = judgeBatch(records, cursor.at)
    if (reason) add(reason, base)
    next = lastOffset(records, cursor.at) + 1
  }
  if (cursor.stop === 'old-format') add('old-format', next ?? 0)
  return next ?? 0
}
