import type { KafkaAddress } from '../../kafka/tools.ts'
import { Refusal } from '../client.ts'

export function platformaticOptions({ bootstrap }: KafkaAddress) {
  return { clientId: 'test', bootstrapBrokers: bootstrap.split(','), retries: 3, retryDelay: 50 }
}

/** What Kafka refused, wherever in an error of this client it stands. */
export async function refusals<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw refusalOf(error) ?? error
  }
}

interface PlatformaticFailure {
  code?: string
  message: string
  apiId?: string
  serverErrorMessage?: string
  errors?: unknown[]
  cause?: unknown
}

function refusalOf(error: unknown): Refusal | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { code, message, apiId, serverErrorMessage, errors = [], cause } = error as PlatformaticFailure
  if (apiId) return new Refusal(apiId, serverErrorMessage ?? '')
  if (code === 'PLT_KFK_USER' && /^Unknown topic/.test(message)) return new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
  if (code === 'PLT_KFK_UNSUPPORTED_API') return new Refusal('UNSUPPORTED_VERSION', message)
  const found = [...errors, cause].map(refusalOf).filter((refusal) => refusal !== undefined)
  // Beside the error of a partition it tells of those of single records, which have no code.
  return found.find((refusal) => refusal.error !== 'UNKNOWN_SERVER_ERROR') ?? found[0]
}
