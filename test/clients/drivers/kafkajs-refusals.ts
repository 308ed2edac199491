import { errorName, Refusal } from '../client.ts'

/** What Kafka refused, wherever in an error of kafkajs it stands. */
export async function refusals<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw refusalOf(error) ?? error
  }
}

interface KafkajsFailure {
  name?: string
  code?: unknown
  errors?: KafkajsFailure[]
  groups?: { errorCode: number }[]
  partitions?: { error: KafkajsFailure }[]
  cause?: KafkajsFailure
}

/** Kafka's error is in it, or in one that it is about. */
function refusalOf(error: unknown): Refusal | undefined {
  if (typeof error !== 'object' || error === null || error instanceof Refusal) return undefined
  const { name, code, errors = [], groups = [], partitions = [], cause } = error as KafkajsFailure
  if (typeof code === 'number') return new Refusal(errorName(code))
  if (name === 'KafkaJSServerDoesNotSupportApiKey') return new Refusal('UNSUPPORTED_VERSION')
  if (name === 'KafkaJSGroupCoordinatorNotFound') return new Refusal('COORDINATOR_NOT_AVAILABLE')
  const [group] = groups
  if (group) return new Refusal(errorName(group.errorCode))
  const inner = [...errors, ...partitions.map((partition) => partition.error), ...(cause ? [cause] : [])]
  return inner.map(refusalOf).find((refusal) => refusal !== undefined)
}
