import { explainError, isLinkspanError } from '../../base/errors.ts'
import type { LinkError } from '../../contract/kafka-v3.ts'
import type { LinkRunner } from '../link-runner.ts'

export type Reachability = 'reachable' | 'unreachable' | 'refused'

export interface LinkHealth {
  /** `unreachable` only after as many failures as the link's threshold says. */
  state: Reachability
  error: LinkError
  message: string
  /** Probes in a row that failed. */
  failures: number
}

export const unknownHealth: LinkHealth = { state: 'reachable', error: 'NO_ERROR', message: '', failures: 0 }

const probeMs = 10_000

/** Asks the source who it is, and says how the link is from now on. */
export async function probeSource(runner: LinkRunner, before: LinkHealth, signal: AbortSignal): Promise<LinkHealth> {
  const { config, link } = runner
  try {
    const source = await runner.source()
    await source.refresh([], { deadlineMs: Math.min(probeMs, config.number('availability.check.ms')), signal })
    const found = await source.clusterId({ signal })
    const pinned = link.remoteKafkaClusterId
    if (pinned === undefined || found === pinned) return unknownHealth
    const message = `The Kafka behind the link is cluster ${found} now, it was ${pinned}`
    return { state: 'refused', error: 'UNKNOWN', message, failures: before.failures + 1 }
  } catch (error) {
    if (signal.aborted) return before
    return judge(error, before, config.number('availability.check.consecutive.failure.threshold'))
  }
}

function judge(error: unknown, before: LinkHealth, failuresMax: number): LinkHealth {
  const failures = before.failures + 1
  const message = explainError(error)
  if (isLinkspanError(error, 'kafka-not-permitted', 'not-trusted', 'not-permitted')) {
    return { state: 'refused', error: 'AUTHENTICATION_ERROR', message, failures }
  }
  if (isLinkspanError(error, 'invalid-config', 'precondition-failed', 'wrong-fingerprint')) {
    return { state: 'refused', error: 'UNKNOWN', message, failures }
  }
  const state = failures >= failuresMax ? 'unreachable' : before.state
  return { state, error: state === 'unreachable' ? reasonOf(error, message) : before.error, message, failures }
}

function reasonOf(error: unknown, message: string): LinkError {
  if (/ENOTFOUND|EAI_AGAIN|getaddrinfo/.test(message)) return 'UNRESOLVABLE_BOOTSTRAP_ERROR'
  return isLinkspanError(error, 'timeout') ? 'TIMEOUT_ERROR' : 'BOOTSTRAP_TCP_CONNECTION_FAILED_ERROR'
}
