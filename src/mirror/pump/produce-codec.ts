import { rawAppendId } from '../../kafka/raw-append.ts'
import { produce } from '../../wire/api/00-produce.ts'
import { decodeResponse, encodeRequest } from '../../wire/frame.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import type { PassingBatch } from './batches.ts'
import type { PumpPartition } from './partition.ts'

/** From here on topics are named by id only: a topic that was made anew refuses the append instead of taking it. */
export const produceByIdVersion = 13

/** One batch on its way, in the place that it has in its request. */
export interface Append {
  partition: PumpPartition
  batch: PassingBatch
  generation: number
}

export type AppendAnswer = ResponseOf<typeof produce>['responses'][number]['partitionResponses'][number]

/** What counts as the answer when the broker left an append out: an error of no name. */
export const noAnswer: AppendAnswer = {
  index: -1,
  errorCode: -1,
  baseOffset: -1,
  logAppendTimeMs: -1,
  logStartOffset: -1,
  recordErrors: [],
  errorMessage: null,
  currentLeader: { leaderId: -1, leaderEpoch: -1 },
}

export interface ProduceAnswer {
  throttleTimeMs: number
  /** One for each append, in the order of the request; undefined where the broker said nothing. */
  answers: (AppendAnswer | undefined)[]
}

/** One batch each of many partitions, as the pieces of a vectored write. The appends are put in the request's order. */
export function encodeProduce(
  appends: Append[],
  options: { version: number; correlationId: number; clientId: string; timeoutMs: number; raw: boolean },
): Uint8Array[] {
  const { version, correlationId, clientId, timeoutMs, raw } = options
  const topics = new Map<string, { name: string; topicId: string; partitionData: PartitionData[] }>()
  for (const { partition, batch } of appends) {
    const { topic, topicId } = partition.start
    let entry = topics.get(topicId)
    if (!entry) {
      entry = { name: topic, topicId, partitionData: [] }
      topics.set(topicId, entry)
    }
    entry.partitionData.push({ index: partition.start.partition, records: batch.bytes })
  }
  return encodeRequest(produce, version, correlationId, clientId, {
    ...(raw ? { acks: -1, transactionalId: rawAppendId(appends[0]!.partition.start.mirrorId) } : { acks: 1 }),
    timeoutMs,
    topicData: [...topics.values()],
  })
}

interface PartitionData {
  index: number
  records: Uint8Array
}

/** Errors: `malformed`. */
export function decodeProduce(frame: Uint8Array, version: number, appends: readonly Append[]): ProduceAnswer {
  const { responses, throttleTimeMs } = decodeResponse(produce, version, frame)
  const answers: (AppendAnswer | undefined)[] = new Array(appends.length)
  const byId = version >= produceByIdVersion
  let guess = 0
  for (const { name, topicId, partitionResponses } of responses) {
    for (const answer of partitionResponses) {
      guess = placeOf(appends, guess, byId ? topicId : name, byId, answer.index)
      if (guess >= 0) answers[guess] = answer
      guess += 1
    }
  }
  return { throttleTimeMs, answers }
}

/** Brokers mostly answer in the order of the request, so the search starts where the last one ended. */
function placeOf(appends: readonly Append[], start: number, topic: string, byId: boolean, index: number): number {
  for (let step = 0; step < appends.length; step += 1) {
    const place = (start + step) % appends.length
    const at = (appends[place] as Append).partition.start
    if (at.partition === index && (byId ? at.topicId : at.topic) === topic) return place
  }
  return -1
}
