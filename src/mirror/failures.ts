import type { MirrorTopicError } from '../contract/kafka-v3.ts'
import type { MirrorFailure } from './lifecycle.ts'
import type { StopCause, StoppedNotice } from './pump/protocol.ts'

/** Confluent's word for each of the pump's causes; its list is closed, so the sentence beside it has to say more. */
const topicErrors: Readonly<Record<StopCause, MirrorTopicError>> = {
  transactional: 'UNSUPPORTED_MIRROR_STATE',
  control: 'UNSUPPORTED_MIRROR_STATE',
  hole: 'UNSUPPORTED_MIRROR_STATE',
  empty: 'UNSUPPORTED_MIRROR_STATE',
  'log-append-time': 'UNSUPPORTED_MESSAGE_FORMAT',
  'old-format': 'UNSUPPORTED_MESSAGE_FORMAT',
  'unknown-codec': 'UNSUPPORTED_MESSAGE_FORMAT',
  'log-start': 'UNEXPECTED_TRUNCATION',
  'inside-batch': 'ILLEGAL_STATE',
  corrupt: 'ILLEGAL_STATE',
  'source-truncated': 'UNEXPECTED_TRUNCATION',
  'source-recreated': 'SOURCE_TOPIC_ID_CHANGED',
  'source-gone': 'SOURCE_TOPIC_MAY_BE_DELETED',
  'source-cluster': 'ILLEGAL_STATE',
  'destination-recreated': 'ILLEGAL_STATE',
  'destination-gone': 'ILLEGAL_STATE',
  'destination-cluster': 'ILLEGAL_STATE',
  'destination-tail': 'ILLEGAL_STATE',
  'destination-differs': 'ILLEGAL_STATE',
  'foreign-write': 'ILLEGAL_STATE',
  fenced: 'ILLEGAL_STATE',
  refused: 'ILLEGAL_STATE',
  'not-permitted': 'ILLEGAL_STATE',
  internal: 'UNKNOWN',
}

export function failureOf({ partition, reason }: Pick<StoppedNotice, 'partition' | 'reason'>): MirrorFailure {
  const { cause, code, message, offset } = reason
  return {
    topicError: topicErrors[cause],
    code,
    message: `Partition ${partition}: ${message}`,
    partition,
    offset: offset ?? null,
  }
}

export function failureText(failure: Omit<MirrorFailure, 'partition' | 'offset'>): MirrorFailure {
  return { ...failure, partition: null, offset: null }
}
