import { escapeControl } from '../../base/log.ts'
import { kafkaErrorName, kafkaErrors } from '../../wire/errors.ts'
import type { StopCause, StopReason } from './protocol.ts'
import { stopReason } from './reasons.ts'

/**
 * What an error in an answer means for its partition.
 * `reopen`: find leader and log end anew, then go on from there. `retry`: the same request after a pause.
 * `range`: ask where the log starts and ends. `topic`: ask whether the topic is still the same. `stop`: for good.
 */
export type Verdict =
  | { act: 'reopen' | 'retry' | 'range' | 'topic' }
  | { act: 'stop'; cause: StopCause; wayOut: string }

const reopen: Verdict = { act: 'reopen' }
const topic: Verdict = { act: 'topic' }

function stop(cause: StopCause, wayOut: string): Verdict {
  return { act: 'stop', cause, wayOut }
}

const produceVerdicts: ReadonlyMap<number, Verdict> = new Map<number, Verdict>([
  [kafkaErrors.CORRUPT_MESSAGE, stop('corrupt', 'the batch is damaged at the source or was damaged on its way')],
  [kafkaErrors.MESSAGE_TOO_LARGE, stop('refused', "raise the mirror topic's max.message.bytes, then resume")],
  [kafkaErrors.RECORD_LIST_TOO_LARGE, stop('refused', "raise the mirror topic's segment.bytes, then resume")],
  [
    kafkaErrors.INVALID_TIMESTAMP,
    stop('refused', "set the mirror topic's message.timestamp.before.max.ms and .after.max.ms to their maximum"),
  ],
  [
    kafkaErrors.INVALID_RECORD,
    stop('refused', 'a compacted mirror topic takes no record without a key: compare cleanup.policy on both sides'),
  ],
  [kafkaErrors.POLICY_VIOLATION, stop('refused', 'a policy of the destination forbids the write')],
  [kafkaErrors.INVALID_TOPIC_EXCEPTION, stop('refused', 'the destination takes no client writes to this topic')],
  [kafkaErrors.TOPIC_AUTHORIZATION_FAILED, stop('not-permitted', 'grant WRITE on the mirror topic to our principal')],
  [kafkaErrors.CLUSTER_AUTHORIZATION_FAILED, stop('not-permitted', 'grant WRITE on the mirror topic to our principal')],
  [
    kafkaErrors.INVALID_PRODUCER_EPOCH,
    stop('fenced', 'another process writes as the producer of this mirror with a newer epoch: find and end it'),
  ],
  [kafkaErrors.PRODUCER_FENCED, stop('fenced', 'another process writes as the producer of this mirror')],
  [kafkaErrors.INVALID_TXN_STATE, stop('fenced', "somebody has opened a transaction as this mirror's producer")],
  [kafkaErrors.UNSUPPORTED_COMPRESSION_TYPE, stop('refused', 'the destination is too old for this codec')],
  [kafkaErrors.UNSUPPORTED_FOR_MESSAGE_FORMAT, stop('refused', 'the destination topic has an old message format')],
  [kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, topic],
  [kafkaErrors.UNKNOWN_TOPIC_ID, topic],
  [kafkaErrors.INCONSISTENT_TOPIC_ID, topic],
])

const fetchVerdicts: ReadonlyMap<number, Verdict> = new Map<number, Verdict>([
  [kafkaErrors.OFFSET_OUT_OF_RANGE, { act: 'range' }],
  [kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, topic],
  [kafkaErrors.UNKNOWN_TOPIC_ID, topic],
  [kafkaErrors.INCONSISTENT_TOPIC_ID, topic],
  [kafkaErrors.NOT_LEADER_OR_FOLLOWER, reopen],
  [kafkaErrors.LEADER_NOT_AVAILABLE, reopen],
  [kafkaErrors.REPLICA_NOT_AVAILABLE, reopen],
  [kafkaErrors.KAFKA_STORAGE_ERROR, reopen],
  [kafkaErrors.FENCED_LEADER_EPOCH, reopen],
  [kafkaErrors.UNKNOWN_LEADER_EPOCH, reopen],
  [kafkaErrors.TOPIC_AUTHORIZATION_FAILED, stop('not-permitted', 'grant READ on the source topic to our principal')],
  [kafkaErrors.UNSUPPORTED_COMPRESSION_TYPE, stop('refused', 'the source serves this codec to newer clients only')],
])

/**
 * Appends are never repeated as they are: where it is not plain that nothing was written, the partition is opened anew.
 * Errors without an entry are taken as passing, too; the partition shows them as its trouble.
 */
export function produceVerdict(code: number): Verdict {
  return produceVerdicts.get(code) ?? reopen
}

export function fetchVerdict(code: number): Verdict {
  return fetchVerdicts.get(code) ?? { act: 'retry' }
}

/** The reason of a `stop` verdict. `said`: the broker's own words. */
export function verdictStop(
  verdict: Verdict & { act: 'stop' },
  code: number,
  what: { did: string; offset: number; said?: string | null },
): StopReason {
  const said = what.said ? ` (${escapeControl(what.said.slice(0, 300))})` : ''
  const text = `${what.did} at offset ${what.offset} was refused with ${kafkaErrorName(code)}${said}: ${verdict.wayOut}`
  return stopReason(verdict.cause, text, what.offset, { kafkaCode: code, kafkaName: kafkaErrorName(code) })
}
