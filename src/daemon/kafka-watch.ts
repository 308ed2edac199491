import { Backoff } from '../base/backoff.ts'
import { sleep } from '../base/clock.ts'
import { explainError, isLinkspanError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import type { Store } from '../store/store.ts'
import { pinKafkaCluster } from './cluster-facts.ts'

export interface KafkaWatchOptions {
  cluster: KafkaCluster
  store: Store
  log: Log
  /** Pinned before, if the Kafka ever answered. */
  kafkaClusterId: string | undefined
}

/** Long enough for a Kafka that is there: scripts then find its id in the very first ready.json. */
const firstAttemptMs = 700
const attemptMs = 10_000

/** Finds out which Kafka cluster is fronted, however long that takes: the daemon runs without it meanwhile. */
export class KafkaWatch implements AsyncDisposable {
  readonly #options: KafkaWatchOptions
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  #kafkaClusterId: string | null
  #onKnown: () => void = () => {}

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
    const problem = await this.#ask(firstAttemptMs)
    if (problem === undefined) return
    this.#options.log.warn({ reason: problem }, 'Kafka is not reached yet; it is tried until it is')
    this.#running = this.#keepAsking()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #keepAsking(): Promise<void> {
    const backoff = new Backoff({ initialMs: 500, maxMs: 10_000 })
    const { signal } = this.#stopping
    let told = ''
    while (!signal.aborted) {
      await sleep(backoff.nextMs(), signal).catch(() => {})
      if (signal.aborted) return
      const problem = await this.#ask(attemptMs)
      if (problem === undefined || signal.aborted) return
      if (problem !== told) this.#options.log.warn({ reason: problem }, 'Kafka is still not reached')
      told = problem
    }
  }

  /** What is in the way, or undefined when the Kafka has answered. */
  async #ask(deadlineMs: number): Promise<string | undefined> {
    const { cluster, store, log } = this.#options
    try {
      const found = await cluster.clusterId({ deadlineMs, signal: this.#stopping.signal })
      await pinKafkaCluster(store, found)
      const isNew = this.#kafkaClusterId !== found
      this.#kafkaClusterId = found
      log.info({ kafkaClusterId: found }, 'Kafka is reached')
      if (isNew) this.#onKnown()
      return undefined
    } catch (error) {
      if (isLinkspanError(error, 'destination-changed', 'precondition-failed')) {
        log.error({ reason: explainError(error) }, 'This is another Kafka than the one that this state belongs to')
      }
      return explainError(error)
    }
  }
}
