import { explainError, isLinkspanError } from '../../base/errors.ts'
import type { TaskErrorCode } from '../../contract/kafka-v3.ts'

/** One thing that a task could not do, in Confluent's words and in ours. */
export interface TaskError {
  code: TaskErrorCode
  message: string
}

/** Of one round that are shown; the rest is counted. */
const errorsMax = 20

export function taskError(error: unknown, about = ''): TaskError {
  const message = `${about}${about ? ': ' : ''}${explainError(error)}`
  if (isLinkspanError(error, 'kafka-not-permitted', 'not-permitted')) return { code: 'AUTHORIZATION_ERROR', message }
  if (isLinkspanError(error, 'not-trusted')) return { code: 'AUTHENTICATION_ERROR', message }
  if (isLinkspanError(error, 'kafka-unknown-topic')) return { code: 'UNKNOWN_TOPIC_OR_PARTITION_ERROR', message }
  if (isLinkspanError(error, 'invalid-config')) return { code: 'MISCONFIGURATION_ERROR', message }
  return { code: 'INTERNAL_ERROR', message }
}

export function shortened(errors: readonly TaskError[]): TaskError[] {
  if (errors.length <= errorsMax) return [...errors]
  const more = errors.length - errorsMax
  return [...errors.slice(0, errorsMax), { code: 'SUPPRESSED_ERRORS', message: `${more} more errors are not shown` }]
}
