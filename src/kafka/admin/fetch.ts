import { fetch } from '../../wire/api/01-fetch.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { CallOptions, TopicPartition } from '../cluster-options.ts'
import { kafkaFailure } from '../failure.ts'

export interface FetchOptions extends CallOptions {
  /** As much as the broker should send, within 1 byte and 64 MiB; a larger first batch comes whole all the same. */
  bytesMax?: number
  /** How long the broker may wait for a first record, up to 5 s: what else goes to this broker waits behind. */
  waitMs?: number
  /** Only up to where no transaction is open, and with the aborted ones told. */
  committed?: boolean
}

export interface FetchedBatches {
  /** Batches as stored, the last one perhaps cut off; the first may begin below the offset asked for. A copy. */
  records: Buffer
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
  abortedTransactions: { producerId: bigint; firstOffset: number }[]
}

const bytesDefault = 1024 * 1024
const waitMsMax = 5000
const bytesLimit = 64 * 1024 * 1024
/** The last version that knows topics by name. */
const namedFetchMax = 12

/**
 * One read of one partition at its leader, for checks and single look-ups: a mirror's data path has its own.
 * Errors: `kafka` with OFFSET_OUT_OF_RANGE in `details.kafkaName` when the offset is outside of the log.
 */
export async function fetchBatches(
  cluster: KafkaCluster,
  from: TopicPartition & { offset: number },
  options: FetchOptions = {},
): Promise<FetchedBatches> {
  const { topic, partition, offset } = from
  const bytes = Math.min(Math.max(1, options.bytesMax ?? bytesDefault), bytesLimit)
  const waitMs = Math.min(options.waitMs ?? 0, waitMsMax)
  const body = {
    maxWaitMs: waitMs,
    minBytes: waitMs > 0 ? 1 : 0,
    maxBytes: bytes,
    isolationLevel: options.committed ? 1 : 0,
    topics: [{ topic, partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: bytes }] }],
  }
  const answer = await cluster.request({ to: 'leader', topic, partition }, fetch, body, {
    ...options,
    versionMax: namedFetchMax,
    errorOf,
  })
  const found = answer.responses[0]?.partitions[0]
  const code = errorOf(answer)
  if (!found || code !== 0) {
    throw kafkaFailure(code, { operation: `read offset ${offset} of`, resource: `partition ${topic}-${partition}` })
  }
  const records = found.records ?? new Uint8Array(0)
  return {
    records: Buffer.from(records.buffer, records.byteOffset, records.length),
    highWatermark: found.highWatermark,
    lastStableOffset: found.lastStableOffset,
    logStartOffset: found.logStartOffset,
    abortedTransactions: found.abortedTransactions ?? [],
  }
}

function errorOf(answer: ResponseOf<typeof fetch>): number {
  const found = answer.responses[0]?.partitions[0]
  return answer.errorCode || (found?.errorCode ?? kafkaErrors.UNKNOWN_SERVER_ERROR)
}
