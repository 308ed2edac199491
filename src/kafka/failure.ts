import { LinkspanError } from '../base/errors.ts'
import { escapeControl } from '../base/log.ts'
import { isRetriable, kafkaErrorDescription, kafkaErrorName, kafkaErrors } from '../wire/errors.ts'

export interface FailureContext {
  /** What was asked for, to stand before the resource: `create`, `read the log end of`. */
  operation: string
  /** What it was asked of: `topic orders`, `group billing`, `cluster`. */
  resource: string
  /** The broker's own words, if it sent any. */
  message?: string | null
}

const notPermitted: ReadonlySet<number> = new Set([
  kafkaErrors.TOPIC_AUTHORIZATION_FAILED,
  kafkaErrors.GROUP_AUTHORIZATION_FAILED,
  kafkaErrors.CLUSTER_AUTHORIZATION_FAILED,
  kafkaErrors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  kafkaErrors.SASL_AUTHENTICATION_FAILED,
])

const unknownTopic: ReadonlySet<number> = new Set([
  kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION,
  kafkaErrors.UNKNOWN_TOPIC_ID,
])

/** A broker's messages are for people; longer ones are cut. */
const messageCharactersMax = 500

/** One error of Kafka as one of ours; its code and Kafka's name for it are in `details`. */
export function kafkaFailure(code: number, context: FailureContext): LinkspanError {
  const name = kafkaErrorName(code)
  const { operation } = context
  const resource = escapeControl(context.resource)
  const details = { kafkaCode: code, kafkaName: name, operation, resource }
  if (notPermitted.has(code)) {
    const text = `Kafka does not permit us to ${operation} ${resource} (${name}): grant that right to our user`
    return new LinkspanError('kafka-not-permitted', text, { details })
  }
  if (unknownTopic.has(code)) {
    const text = `Cannot ${operation} ${resource}: Kafka knows none of that name, or hides it from us (${name})`
    return new LinkspanError('kafka-unknown-topic', text, { details })
  }
  const said = context.message ? escapeControl(context.message.slice(0, messageCharactersMax)) : ''
  const reason = said || kafkaErrorDescription(code)
  const text = `Cannot ${operation} ${resource}: ${reason} (${name})`
  return new LinkspanError(isRetriable(code) ? 'kafka-retriable' : 'kafka', text, { details })
}

/** Kafka's error code, for errors that came from a broker's answer. */
export function kafkaCodeOf(error: unknown): number | undefined {
  if (!(error instanceof LinkspanError)) return undefined
  const code = error.details.kafkaCode
  return typeof code === 'number' ? code : undefined
}
