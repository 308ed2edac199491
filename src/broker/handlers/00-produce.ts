import { LinkspanError } from '../../base/errors.ts'
import { mirrorOfRawAppend } from '../../kafka/raw-append.ts'
import { codec, codecs, headerBytes, isTransactional } from '../../records/header.ts'
import { produce } from '../../wire/api/00-produce.ts'
import { kafkaErrorName, kafkaErrors } from '../../wire/errors.ts'
import type { RequestOf } from '../../wire/schema.ts'
import type { Topic } from '../catalog/types.ts'
import type { AppendOutcome } from '../log/types.ts'
import { answer, defineHandler, type HandlerAnswer, type RequestContext } from './handler.ts'
import { logOf, topicById, topicByName } from './partitions.ts'

type ProduceRequest = RequestOf<typeof produce>

interface PartitionAnswer {
  index: number
  errorCode: number
  baseOffset: number
  logAppendTimeMs: number
  logStartOffset: number
  recordErrors: { batchIndex: number; batchIndexErrorMessage: string }[]
  errorMessage: string | null
}

/** What of a request is under way: the answers that wait for the log, and what they wait for, side by side. */
interface Appends {
  readonly answers: PartitionAnswer[]
  readonly outcomes: Promise<AppendOutcome>[]
}

const topicIdVersion = 13
const zstdVersion = 7
const zstd = codecs.indexOf('zstd')

/**
 * Appends. Every acknowledgement means "on disk", also that of acks 1.
 *
 * What our own daemon mirrors comes over the internal session with `rawAppendId` in the place of a transactional id and
 * is stored as it is, at its own offsets (`PartitionLog.appendRaw`), as long as the topic is that mirror's. Everything
 * else is judged as a client's batch, and mirror topics take none from anybody but the daemon itself. There are no
 * transactions here: see `22-init-producer-id.ts`.
 */
export const produceHandler = defineHandler<typeof produce>({ api: produce, versions: produce.versions, handle })

async function handle(request: ProduceRequest, context: RequestContext): Promise<HandlerAnswer<typeof produce>> {
  const mirrorId = context.session.internal ? mirrorOfRawAppend(request.transactionalId) : undefined
  const whole = mirrorId === undefined ? wholeError(request) : 0
  const appends: Appends = { answers: [], outcomes: [] }
  const responses = request.topicData.map((data) => {
    const found = findTopic(data, context)
    const partitionResponses = data.partitionData.map(({ index, records }) => {
      const one = emptyAnswer(index, whole || found.code)
      if (one.errorCode === 0) begin(appends, one, found.topic as Topic, records, { request, context, mirrorId })
      return one
    })
    return { name: data.name, topicId: data.topicId, partitionResponses }
  })
  await finish(appends, context)
  if (request.acks !== 0) return answer<typeof produce>({ responses })
  const failed = responses.flatMap(({ partitionResponses }) => partitionResponses).find((one) => one.errorCode !== 0)
  if (failed) throw unheardFailure(failed.errorCode)
  return { kind: 'none' }
}

/** Judged before anything of the request is appended. */
function wholeError({ transactionalId, topicData }: ProduceRequest): number {
  const transactional = topicData.some(({ partitionData }) => {
    return partitionData.some(({ records }) => records !== null && claimsTransaction(records))
  })
  return transactionalId !== null || transactional ? kafkaErrors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED : 0
}

function claimsTransaction(records: Uint8Array): boolean {
  return records.length >= headerBytes && isTransactional(bufferOf(records), 0)
}

function findTopic({ name, topicId }: ProduceRequest['topicData'][number], { node, session, version }: RequestContext) {
  if (version >= topicIdVersion) return topicById(node, session, 'can_edit', topicId)
  return topicByName(node, session, 'can_edit', name)
}

function emptyAnswer(index: number, errorCode: number): PartitionAnswer {
  return {
    index,
    errorCode,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: [],
    errorMessage: null,
  }
}

/** Starts the append of one partition, or writes into its answer why there is none. */
function begin(
  { answers, outcomes }: Appends,
  one: PartitionAnswer,
  topic: Topic,
  records: Uint8Array | null,
  { request, context, mirrorId }: { request: ProduceRequest; context: RequestContext; mirrorId: string | undefined },
): void {
  const log = logOf(context.node, topic, one.index)
  if (!log) {
    one.errorCode = kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
  } else if (mirrorId !== undefined && topic.mirrorId !== mirrorId) {
    one.errorCode = kafkaErrors.PRODUCER_FENCED
    one.errorMessage = `Topic '${topic.name}' is not, or no longer, the mirror ${mirrorId}`
  } else if (topic.mirrorId !== null && !context.session.internal) {
    one.errorCode = kafkaErrors.INVALID_REQUEST
    one.errorMessage = `Cannot append records to read-only mirror topic '${topic.name}'`
  } else if (mirrorId !== undefined) {
    answers.push(one)
    outcomes.push(log.appendRaw(bufferOf(records ?? noRecords)))
  } else {
    const batch = bufferOf(records ?? noRecords)
    one.errorCode = codecError(batch, context.version) || acksError(request.acks)
    if (one.errorCode !== 0) return
    answers.push(one)
    outcomes.push(log.append(batch))
  }
}

const noRecords = new Uint8Array(0)

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Whether this version may carry the batch; everything else about it is for the log to judge. */
function codecError(batch: Buffer, version: number): number {
  const isTooNew = version < zstdVersion && batch.length >= headerBytes && codec(batch, 0) === zstd
  return isTooNew ? kafkaErrors.UNSUPPORTED_COMPRESSION_TYPE : 0
}

function acksError(acks: number): number {
  return acks >= -1 && acks <= 1 ? 0 : kafkaErrors.INVALID_REQUIRED_ACKS
}

/** Fills the answers in once everything is on disk. */
async function finish({ answers, outcomes }: Appends, context: RequestContext): Promise<void> {
  let settled: AppendOutcome[]
  try {
    settled = await Promise.all(outcomes)
  } catch {
    settled = (await Promise.allSettled(outcomes)).map((one) => {
      if (one.status === 'fulfilled') return one.value
      context.node.log.error({ err: one.reason }, 'An append failed')
      return { ok: false, error: 'KAFKA_STORAGE_ERROR' }
    })
  }
  for (let place = 0; place < settled.length; place += 1) fill(answers[place]!, settled[place]!)
}

function fill(one: PartitionAnswer, outcome: AppendOutcome): void {
  if (outcome.ok) {
    one.baseOffset = outcome.value.baseOffset
    one.logAppendTimeMs = outcome.value.logAppendTimeMs
    one.logStartOffset = outcome.value.logStartOffset
    return
  }
  one.errorCode = kafkaErrors[outcome.error]
  one.errorMessage = outcome.message ?? null
  for (const { batchIndex, message } of outcome.recordErrors ?? []) {
    one.recordErrors.push({ batchIndex, batchIndexErrorMessage: message })
  }
}

/** Who asks for no answer learns of a failure by the end of his connection, as at Apache's broker. */
function unheardFailure(code: number): LinkspanError {
  return new LinkspanError('closed', `A write without acknowledgement (acks 0) failed with ${kafkaErrorName(code)}`)
}
