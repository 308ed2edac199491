import { listOffsets } from '../../wire/api/02-list-offsets.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { RequestOf } from '../../wire/schema.ts'
import type { Topic } from '../catalog/types.ts'
import type { PartitionLog } from '../log/types.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'
import { leaderEpoch, leaderEpochError, logOf, topicByName } from './partitions.ts'
import { repeated } from './repeated.ts'

type ListOffsetsRequest = RequestOf<typeof listOffsets>
type Wanted = ListOffsetsRequest['topics'][number]['partitions'][number]

interface Found {
  timestamp: number
  offset: number
  leaderEpoch: number
}

const latest = -1
const earliest = -2
const largestTimestamp = -3
const earliestLocal = -4
/** Below, there are more such numbers in versions that are about tiered storage. */
const tieredFrom = -6
const versionOf: Readonly<Record<number, number>> = { [largestTimestamp]: 7, [earliestLocal]: 8 }
/** From v9 on there is only more about tiered storage. */
const versionMax = 8
const epochVersion = 4
const consumer = -1
const nothing: Found = { timestamp: -1, offset: -1, leaderEpoch: -1 }

/**
 * Offsets by time, and the ends of the log. Consumers see no further than the high watermark (or where no transaction
 * is open); with any other replica id the end is that of the log.
 */
export const listOffsetsHandler = defineHandler<typeof listOffsets>({
  api: listOffsets,
  versions: [listOffsets.versions[0], versionMax],
  async handle(request, context) {
    const topics = request.topics.map(async ({ name, partitions }) => {
      const found = topicByName(context.node, context.session, 'can_view', name)
      const doubled = repeated(partitions.map(({ partitionIndex }) => partitionIndex))
      const answers = partitions.map((wanted) => {
        const code = doubled.has(wanted.partitionIndex) ? kafkaErrors.INVALID_REQUEST : found.code
        return code ? failure(wanted, code) : find(found.topic as Topic, wanted, request, context)
      })
      return { name, partitions: await Promise.all(answers) }
    })
    return answer<typeof listOffsets>({ topics: await Promise.all(topics) })
  },
})

function failure({ partitionIndex }: Wanted, errorCode: number) {
  return { ...nothing, partitionIndex, errorCode }
}

async function find(topic: Topic, wanted: Wanted, request: ListOffsetsRequest, context: RequestContext) {
  const { partitionIndex, timestamp } = wanted
  const isKnown = timestamp >= earliest || context.version >= (versionOf[timestamp] ?? 0)
  if (!isKnown || (timestamp < earliestLocal && timestamp >= tieredFrom)) {
    return failure(wanted, kafkaErrors.UNSUPPORTED_VERSION)
  }
  const log = logOf(context.node, topic, partitionIndex)
  if (!log) return failure(wanted, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  const epochError = leaderEpochError(wanted.currentLeaderEpoch)
  if (epochError) return failure(wanted, epochError)
  let found: Found
  try {
    found = await findOffset(log, timestamp, request)
  } catch (error) {
    context.node.log.error({ err: error, topic: topic.name, partition: partitionIndex }, 'No offset could be looked up')
    return failure(wanted, kafkaErrors.KAFKA_STORAGE_ERROR)
  }
  return { partitionIndex, errorCode: 0, ...(context.version < epochVersion ? withoutEpoch(found) : found) }
}

function withoutEpoch({ timestamp, offset }: Found) {
  return { timestamp, offset }
}

async function findOffset(log: PartitionLog, timestamp: number, request: ListOffsetsRequest): Promise<Found> {
  const visibleEnd = endOf(log, request)
  if (timestamp === latest) return { timestamp: -1, offset: visibleEnd, leaderEpoch }
  if (timestamp === earliest || timestamp === earliestLocal) {
    return { timestamp: -1, offset: log.bounds.logStartOffset, leaderEpoch }
  }
  const found = timestamp === largestTimestamp ? await log.findMaxTimestamp() : await log.findByTimestamp(timestamp)
  if (!found || found.offset >= visibleEnd) return nothing
  return { timestamp: found.timestampMs, offset: found.offset, leaderEpoch }
}

function endOf(log: PartitionLog, { replicaId, isolationLevel }: ListOffsetsRequest): number {
  if (replicaId !== consumer) return log.logEndOffset
  return isolationLevel === 1 ? log.bounds.lastStableOffset : log.bounds.highWatermark
}
