import type { Clock } from '../../base/clock.ts'
import { LinkspanError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { KafkaConnection } from '../../kafka/connection.ts'
import type { ConnectionOptions } from '../../kafka/connection-options.ts'
import { openConnection } from '../../kafka/open-connection.ts'
import { createDialler } from '../../transport/create-dialler.ts'
import type { Dialler, DialTarget } from '../../transport/dialler.ts'
import type { DirectSpec } from '../../transport/spec.ts'
import { metadata } from '../../wire/api/03-metadata.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import { TopicIds } from './topic-ids.ts'

export type SourceConnectionOptions = Pick<ConnectionOptions, 'clientId' | 'pool' | 'pendingMax' | 'signal'>

/** A link that asks for what is not there must not make us ask the brokers each time. */
const refreshIntervalMs = 2000

/** The Kafka that this daemon fronts, as tunnels reach it: with the gateway's own credentials, brokers by id only. */
export class TunnelSource implements AsyncDisposable {
  readonly topicIds = new TopicIds()
  readonly #spec: DirectSpec
  readonly #dialler: Dialler
  readonly #clock: Clock
  readonly #log: Log
  #nodeIds = new Set<number>()
  #own: KafkaConnection | undefined
  #refreshing: Promise<void> | undefined
  #refreshedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: { spec: DirectSpec; clock: Clock; log: Log }) {
    this.#spec = options.spec
    this.#dialler = createDialler(options.spec)
    this.#clock = options.clock
    this.#log = options.log
  }

  /**
   * Opens a connection to a broker of the source's own metadata, which lists neither controllers nor fenced brokers.
   * Throws what dialling and login throw; its messages name hosts and are not for the link.
   */
  async open(target: DialTarget, options: SourceConnectionOptions): Promise<KafkaConnection> {
    if (target.kind === 'node' && !this.#nodeIds.has(target.nodeId)) {
      await this.refresh()
      if (!this.#nodeIds.has(target.nodeId)) {
        throw new LinkspanError('unreachable', `Broker ${target.nodeId} is not in the metadata of the source`)
      }
    }
    try {
      return await this.#open(target, options)
    } catch (error) {
      if (target.kind === 'node') this.#nodeIds.delete(target.nodeId) // it may have moved: ask before the next try
      throw error
    }
  }

  /** Asks for brokers and topics, unless that was done just now. */
  async refresh(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#refreshedAtMs < refreshIntervalMs) return
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    await this.#refreshing
  }

  /** Takes what an answer to one of our own Metadata requests says. */
  learn(answer: ResponseOf<typeof metadata>): void {
    this.#dialler.learn(answer.brokers)
    this.#nodeIds = new Set(answer.brokers.map(({ nodeId }) => nodeId))
    this.topicIds.learn(answer.topics)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#own?.close()
    await this.#dialler[Symbol.asyncDispose]()
  }

  async #refresh(): Promise<void> {
    if (!this.#own || this.#own.failure) {
      this.#own = await this.#open({ kind: 'bootstrap' }, { clientId: this.#spec.clientId })
    }
    this.learn(await this.#own.request(metadata, { topics: null, allowAutoTopicCreation: false }))
    this.#refreshedAtMs = this.#clock.monotonicMs()
  }

  #open(target: DialTarget, options: SourceConnectionOptions): Promise<KafkaConnection> {
    const { sasl } = this.#spec
    return openConnection(this.#dialler, target, { ...options, sasl, log: this.#log, clock: this.#clock })
  }
}
