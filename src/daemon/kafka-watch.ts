import { Backoff } from '../base/backoff.ts'
import { sleep } from '../base/clock.ts'
import { explainError, isLinkspanError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Warnings } from '../events/warnings.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import { pinKafkaCluster } from '../link/cluster-facts.ts'
import type { Store } from '../store/store.ts'

export interface KafkaWatchOptions {
  cluster: KafkaCluster
  store: Store
  warnings: Warnings
  log: Log
  /** Pinned before, if the Kafka ever answered. */
  kafkaClusterId: string | undefined
}

/** Long enough for a Kafka that is there: scripts then find its id in the very first ready.json. */
const firstAttemptMs = 700
const attemptMs = 10_000
const notReached = { type: 'Kafka is not reached' }

/** Finds out which Kafka cluster is fronted, however long that takes: the daemon runs without it meanwhile. */
export class KafkaWatch implements AsyncDisposable {
  readonly #options: KafkaWatchOptions
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  #kafkaClusterId: string | null
  #onKnown: () => void = () => {}
  #told = ''

  constructor(options: KafkaWatchOptions) {
    this.#options = options
    this.#kafkaClusterId = options.kafkaClusterId ?? null
  }

  /** Null until it has answered for the first time. */
  get kafkaClusterId(): string | null {
    return this.#kafkaClusterId
  }

  /** Called when the id becomes known, or known to be another one, from now on. */
  whenKnown(listener: () => void): void {
    this.#onKnown = listener
  }

  /** Asks once, shortly, and goes on in the background when there is no answer. */
  async start(): Promise<void> {
    if (await this.#ask(firstAttemptMs)) return
    this.#running = this.#keepAsking()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #keepAsking(): Promise<void> {
    const backoff = new Backoff({ initialMs: 500, maxMs: 10_000 })
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await sleep(backoff.nextMs(), signal).catch(() => {})
      if (signal.aborted) return
      if (await this.#ask(attemptMs)) return
    }
  }

  /** True once the Kafka that is meant has answered. */
  async #ask(deadlineMs: number): Promise<boolean> {
    const { cluster, store, warnings, log } = this.#options
    try {
      const found = await cluster.clusterId({ deadlineMs, signal: this.#stopping.signal })
      await pinKafkaCluster(store, found)
      const isNew = this.#kafkaClusterId !== found
      this.#kafkaClusterId = found
      log.info({ kafkaClusterId: found }, 'Kafka is reached')
      await warnings.resolve(notReached)
      if (isNew) this.#onKnown()
      return true
    } catch (error) {
      if (!this.#stopping.signal.aborted) await this.#tell(error)
      return false
    }
  }

  /** Each reason once, however often it is met. */
  async #tell(error: unknown): Promise<void> {
    const reason = explainError(error)
    await this.#options.warnings.raise({ ...notReached, message: reason, severity: 'high' })
    if (reason === this.#told) return
    this.#told = reason
    const { log } = this.#options
    if (isLinkspanError(error, 'destination-changed', 'precondition-failed')) {
      log.error({ reason }, 'This is another Kafka than the one that this state belongs to')
    } else {
      log.warn({ reason }, 'Kafka is not reached yet; it is tried until it is')
    }
  }
}
