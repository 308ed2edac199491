import { isLinkspanError } from '../base/errors.ts'
import { isRetriable, kafkaErrors } from '../wire/errors.ts'

/**
 * What has to happen before the same request is sent again.
 * `leaders`: ask for metadata; `coordinator`: find it again; `wait`: only time; `none`: never.
 */
export type RetryStep = 'leaders' | 'coordinator' | 'wait' | 'none'

/**
 * Errors whose cause we know. Other retriable ones wait; those that are not retriable end the request. Two rules of
 * Kafka's own clients are kept: an epoch newer than the broker's (75) clears up within some 100 ms, an older one (74)
 * means that our metadata is old.
 */
const steps: ReadonlyMap<number, RetryStep> = new Map([
  [kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, 'leaders'],
  [kafkaErrors.LEADER_NOT_AVAILABLE, 'leaders'],
  [kafkaErrors.NOT_LEADER_OR_FOLLOWER, 'leaders'],
  [kafkaErrors.REPLICA_NOT_AVAILABLE, 'leaders'],
  [kafkaErrors.NETWORK_EXCEPTION, 'leaders'],
  [kafkaErrors.NOT_CONTROLLER, 'leaders'],
  [kafkaErrors.KAFKA_STORAGE_ERROR, 'leaders'],
  [kafkaErrors.LISTENER_NOT_FOUND, 'leaders'],
  [kafkaErrors.FENCED_LEADER_EPOCH, 'leaders'],
  [kafkaErrors.UNKNOWN_LEADER_EPOCH, 'leaders'],
  [kafkaErrors.OFFSET_NOT_AVAILABLE, 'wait'],
  [kafkaErrors.UNKNOWN_TOPIC_ID, 'leaders'],
  [kafkaErrors.COORDINATOR_LOAD_IN_PROGRESS, 'wait'],
  [kafkaErrors.COORDINATOR_NOT_AVAILABLE, 'coordinator'],
  [kafkaErrors.NOT_COORDINATOR, 'coordinator'],
  [kafkaErrors.REBOOTSTRAP_REQUIRED, 'leaders'],
  // Retriable for Kafka, but the same bytes and ids give the same answer: these are the caller's to judge.
  [kafkaErrors.CORRUPT_MESSAGE, 'none'],
  [kafkaErrors.INCONSISTENT_TOPIC_ID, 'none'],
  [kafkaErrors.INVALID_FETCH_SESSION_EPOCH, 'none'],
  [kafkaErrors.FETCH_SESSION_ID_NOT_FOUND, 'none'],
])

export function retryStep(code: number): RetryStep {
  return steps.get(code) ?? (isRetriable(code) ? 'wait' : 'none')
}

/** Whether the way to the broker failed, rather than what was asked: another connection or broker may do. */
export function isConnectionFailure(error: unknown): boolean {
  return isLinkspanError(error, 'unreachable', 'timeout', 'closed')
}
