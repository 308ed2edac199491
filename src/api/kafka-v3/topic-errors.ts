import { LinkspanError } from '../../base/errors.ts'
import { kafkaCodeOf } from '../../kafka/failure.ts'
import { unknownTopic } from './dialect.ts'

/** Answers of Kafka that the caller can mend: bad requests, since clients repeat what looks like a fault of ours. */
const mendable: ReadonlySet<unknown> = new Set([
  'INVALID_CONFIG',
  'INVALID_PARTITIONS',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_REPLICA_ASSIGNMENT',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REQUEST',
  'POLICY_VIOLATION',
  'TOPIC_DELETION_DISABLED',
])

/** What Kafka said of a topic, as Confluent's clients know it. */
export function explainTopicError(topic: string, error: LinkspanError): LinkspanError {
  const { kafkaName } = error.details
  if (error.code === 'kafka-unknown-topic') return unknownTopic(topic)
  if (kafkaName === 'TOPIC_ALREADY_EXISTS') {
    const text = `Topic '${topic}' already exists.`
    return new LinkspanError('already-exists', text, { details: { errorCode: 40002 } })
  }
  if (kafkaCodeOf(error) === undefined || !mendable.has(kafkaName)) return error
  return new LinkspanError('invalid-config', error.message, { cause: error })
}
