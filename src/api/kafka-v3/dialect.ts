import { LinkspanError } from '../../base/errors.ts'
import type { Dialect } from '../dialect.ts'
import type { Answer, Route } from '../route.ts'
import { describeAnswers } from './describe.ts'
import { v3Errors } from './errors.ts'

/** Confluent's dialect; `/v3` is written into `/kafka/v3` before it gets here, and a trailing slash is forgiven. */
export function v3Dialect(routes: readonly Route[]): Dialect {
  return {
    name: 'confluent',
    prefixes: ['/kafka/v3', '/v3'],
    bodies: 'json',
    routes,
    describeAnswers,
    onError: (error) => v3Failure(error),
    onUnknownRoute: () => ({ status: 404, body: { error_code: 404, message: 'HTTP 404 Not Found' } }),
    onUnknownMethod: () => ({ status: 405, body: { error_code: 405, message: 'HTTP 405 Method Not Allowed' } }),
  }
}

/** `details.errorCode` overrides the table's code where one of ours has several of theirs. */
export function v3Failure(error: LinkspanError): Answer {
  const { status, error_code } = v3Errors[error.code]
  const special = error.details.errorCode
  if (typeof special !== 'number') return { status, body: { error_code, message: error.message } }
  return { status: Number(String(special).slice(0, 3)), body: { error_code: special, message: error.message } }
}

/** A topic that is not there, or that the caller may not see. */
export function unknownTopic(name: string): LinkspanError {
  const sentence = `This server does not host this topic-partition: there is no topic "${name}".`
  return new LinkspanError('kafka-unknown-topic', sentence)
}
