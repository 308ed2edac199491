import { LinkspanError } from '../../base/errors.ts'
import { kafkaErrorDescription, kafkaErrorName } from '../../wire/errors.ts'
import { truncated } from './opening.ts'
import type { PumpPartition } from './partition.ts'
import type { Append, AppendAnswer } from './produce-codec.ts'
import type { StopReason } from './protocol.ts'
import { stopReason } from './reasons.ts'
import type { FetchAnswer } from './source-lane.ts'
import { fetchVerdict, produceVerdict, type Verdict, verdictStop } from './verdicts.ts'

/**
 * What an answer that is not as it should be means for its partition. `late`: it belongs to what was given up before.
 */
export type Judgement =
  | { kind: 'foreign'; offset: number; found: number }
  | { kind: 'stop'; reason: StopReason }
  | { kind: 'doubt'; error: LinkspanError }
  | { kind: 'late' }

/**
 * An append that was refused, or that the leader put where it does not belong. A duplicate is no case here: the broker
 * answers it with its first base offset, which is where it belongs.
 */
export function judgeAppend(partition: PumpPartition, append: Append, answer: AppendAnswer): Judgement {
  const { offset } = append.batch
  if (answer.errorCode === 0) {
    if (answer.baseOffset > offset) return { kind: 'foreign', offset, found: answer.baseOffset }
    const text =
      `The batch of offset ${offset} was put at ${answer.baseOffset}: the destination had lost its log's end. ` +
      'Rebuild the partition'
    const details = { expected: offset, found: answer.baseOffset }
    return { kind: 'stop', reason: stopReason('destination-tail', text, answer.baseOffset, details) }
  }
  if (append.generation !== partition.generation) return { kind: 'late' }
  const did = `The append to ${partition.start.topic}-${partition.start.partition}`
  const what = { did, offset, said: answer.errorMessage }
  return judgeCode(produceVerdict(answer.errorCode), answer.errorCode, what)
}

export function judgeFetch(partition: PumpPartition, answer: FetchAnswer): Judgement {
  const { sourceTopic: topic, sourceTopicId: topicId, partition: index } = partition.start
  if (answer.errorCode === 0) {
    const part = { topic, topicId, partition: index }
    return { kind: 'stop', reason: truncated(part, partition.nextOffset, answer.divergingEpoch.endOffset) }
  }
  const what = { did: `The fetch of ${topic}-${index}`, offset: partition.nextOffset }
  return judgeCode(fetchVerdict(answer.errorCode), answer.errorCode, what)
}

function judgeCode(
  verdict: Verdict,
  code: number,
  what: { did: string; offset: number; said?: string | null },
): Judgement {
  if (verdict.act === 'stop') return { kind: 'stop', reason: verdictStop(verdict, code, what) }
  const text = `${what.did} at offset ${what.offset} failed: ${kafkaErrorDescription(code)} (${kafkaErrorName(code)})`
  return { kind: 'doubt', error: new LinkspanError('kafka-retriable', text, { details: { kafkaCode: code } }) }
}
