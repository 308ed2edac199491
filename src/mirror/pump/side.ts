import type { Clock } from '../../base/clock.ts'
import { isLinkspanError, LinkspanError } from '../../base/errors.ts'
import type { KafkaCluster } from '../../kafka/cluster.ts'
import type { Leader } from '../../kafka/cluster-options.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { zeroUuid } from '../../wire/schema.ts'
import type { StopReason } from './protocol.ts'
import { stopReason } from './reasons.ts'

/** More topics than that are not missing at once; beyond it the count starts over. */
const missingMax = 10_000

export type SideName = 'source' | 'destination'

export type Located =
  | { kind: 'leader'; leader: Leader }
  | { kind: 'stop'; reason: StopReason }
  | { kind: 'retry'; error: LinkspanError }

/** One of the two Kafka clusters of a link, with its topics pinned by id. */
export class Side {
  readonly name: SideName
  readonly cluster: KafkaCluster
  /** Our embedded broker, which takes batches as they are. */
  readonly raw: boolean
  readonly #clock: Clock
  readonly #goneGraceMs: number
  /** Since when (monotonic) a topic has been missing from the metadata. */
  readonly #missingMs = new Map<string, number>()

  constructor(options: { name: SideName; cluster: KafkaCluster; clock: Clock; goneGraceMs: number; raw?: boolean }) {
    this.name = options.name
    this.cluster = options.cluster
    this.raw = options.raw ?? false
    this.#clock = options.clock
    this.#goneGraceMs = options.goneGraceMs
  }

  /** As metadata said last. */
  leader(topic: string, partition: number): Leader | undefined {
    const found = this.cluster.cache.topic(topic)?.partitions[partition]
    if (!found || found.leader < 0) return undefined
    return { nodeId: found.leader, leaderEpoch: found.leaderEpoch }
  }

  /** Asks anew who leads a partition, and whether the topic is still the one that was pinned. */
  async locate(topic: string, topicId: string, partition: number, signal: AbortSignal): Promise<Located> {
    try {
      await this.cluster.refresh([topic], { signal, deadlineMs: 10_000 })
    } catch (error) {
      if (isLinkspanError(error, 'precondition-failed')) {
        return { kind: 'stop', reason: stopReason(`${this.name}-cluster`, error.message, undefined, error.details) }
      }
      if (isLinkspanError(error)) return { kind: 'retry', error }
      throw error
    }
    const found = this.cluster.cache.topic(topic)
    if (!found) return this.#missing(topic)
    this.#missingMs.delete(topic)
    if (found.topicId !== topicId && found.topicId !== zeroUuid) return this.#recreated(topic, topicId, found.topicId)
    const leader = this.leader(topic, partition)
    if (leader) return { kind: 'leader', leader }
    const text = `Partition ${topic}-${partition} has no leader at the ${this.name} now`
    return { kind: 'retry', error: new LinkspanError('kafka-retriable', text) }
  }

  #missing(topic: string): Located {
    const code = this.cluster.cache.topicError(topic)
    if (code === kafkaErrors.TOPIC_AUTHORIZATION_FAILED) {
      const text = `The ${this.name} does not let us see topic "${topic}": grant DESCRIBE on it to our principal`
      return { kind: 'stop', reason: stopReason('not-permitted', text) }
    }
    const nowMs = this.#clock.monotonicMs()
    if (this.#missingMs.size >= missingMax) this.#missingMs.clear()
    const sinceMs = this.#missingMs.get(topic) ?? nowMs
    this.#missingMs.set(topic, sinceMs)
    const text = `Topic "${topic}" is gone from the ${this.name}, or we may not see it any more`
    if (nowMs - sinceMs >= this.#goneGraceMs) {
      return { kind: 'stop', reason: stopReason(`${this.name}-gone`, text) }
    }
    return { kind: 'retry', error: new LinkspanError('kafka-unknown-topic', text) }
  }

  #recreated(topic: string, pinned: string, found: string): Located {
    const text =
      `Topic "${topic}" at the ${this.name} has been deleted and made anew (id ${found} instead of ${pinned}): ` +
      'its offsets mean other records now, so nothing was written'
    return { kind: 'stop', reason: stopReason(`${this.name}-recreated`, text, undefined, { pinned, found }) }
  }
}
