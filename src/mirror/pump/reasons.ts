import type { ErrorCode } from '../../base/errors.ts'
import { type UnplainReason, unplainReasons } from '../../records/judge.ts'
import type { StopCause, StopReason } from './protocol.ts'

/** The error code of each cause: what the rest of the daemon acts on. */
const codes: Record<StopCause, ErrorCode> = {
  transactional: 'not-exact',
  control: 'not-exact',
  hole: 'not-exact',
  empty: 'not-exact',
  'log-append-time': 'not-exact',
  'old-format': 'not-exact',
  'unknown-codec': 'not-exact',
  'log-start': 'not-exact',
  'inside-batch': 'not-exact',
  corrupt: 'corrupt',
  'source-truncated': 'source-changed',
  'source-recreated': 'source-changed',
  'source-gone': 'source-changed',
  'source-cluster': 'source-changed',
  'destination-recreated': 'destination-changed',
  'destination-gone': 'destination-changed',
  'destination-cluster': 'destination-changed',
  'destination-tail': 'destination-changed',
  'destination-differs': 'foreign-write',
  'foreign-write': 'foreign-write',
  fenced: 'foreign-write',
  refused: 'kafka',
  'not-permitted': 'kafka-not-permitted',
  internal: 'internal',
}

export function stopReason(
  cause: StopCause,
  message: string,
  offset?: number,
  details: Record<string, unknown> = {},
): StopReason {
  return { code: codes[cause], cause, message, offset, details }
}

export function unplainStop(reason: UnplainReason, offset: number): StopReason {
  return stopReason(reason, `Offset ${offset} cannot pass as it is: ${unplainReasons[reason]}`, offset)
}
