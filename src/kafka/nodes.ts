import { Backoff } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { LinkspanError } from '../base/errors.ts'
import type { BrokerAddress, DialTarget } from '../transport/dialler.ts'
import type { KafkaConnection } from './connection.ts'
import type { Deadline } from './deadline.ts'

const nodesMax = 10_000
const redial = { initialMs: 50, maxMs: 5000 }
const bootstrapKey = -1

interface Entry {
  address: string
  connection?: KafkaConnection | undefined
  opening?: Promise<KafkaConnection> | undefined
  backoff: Backoff
  /** No dial before this monotonic time, and why. */
  restUntilMs: number
  lastError: Error | undefined
}

/** One shared connection per broker, opened when first needed and again, with growing delays, after it was lost. */
export class Nodes implements AsyncDisposable {
  readonly #open: (target: DialTarget) => Promise<KafkaConnection>
  readonly #clock: Clock
  readonly #entries = new Map<number, Entry>()
  #closed = false

  constructor(open: (target: DialTarget) => Promise<KafkaConnection>, clock: Clock) {
    this.#open = open
    this.#clock = clock
  }

  /** A live connection, if there is one. */
  live(target: DialTarget): KafkaConnection | undefined {
    const connection = this.#entries.get(keyOf(target))?.connection
    return connection?.failure ? undefined : connection
  }

  /** Whether a dial would have to wait because the last ones failed. */
  rests(target: DialTarget): boolean {
    const entry = this.#entries.get(keyOf(target))
    return entry !== undefined && entry.restUntilMs > this.#clock.monotonicMs()
  }

  /** Errors: those of opening; the last of them when the deadline leaves no time for another dial. */
  async get(target: DialTarget, deadline: Deadline): Promise<KafkaConnection> {
    for (;;) {
      if (this.#closed) throw new LinkspanError('closed', 'The Kafka client was closed')
      const entry = this.#entry(keyOf(target))
      const live = this.live(target)
      if (live) return live
      const restMs = entry.restUntilMs - this.#clock.monotonicMs()
      if (restMs <= 0 || entry.opening) return await deadline.of(this.#opening(entry, target))
      await deadline.pause(restMs, entry.lastError ?? new LinkspanError('unreachable', 'The broker was lost'))
    }
  }

  #opening(entry: Entry, target: DialTarget): Promise<KafkaConnection> {
    entry.opening ??= this.#openOnce(entry, target).finally(() => {
      entry.opening = undefined
    })
    return entry.opening
  }

  async #openOnce(entry: Entry, target: DialTarget): Promise<KafkaConnection> {
    try {
      const connection = await this.#open(target)
      if (this.#closed) {
        connection.close()
        throw new LinkspanError('closed', 'The Kafka client was closed')
      }
      entry.connection = connection
      entry.backoff.reset()
      return connection
    } catch (error) {
      entry.lastError = error as Error
      entry.restUntilMs = this.#clock.monotonicMs() + entry.backoff.nextMs()
      throw error
    }
  }

  #entry(key: number): Entry {
    let entry = this.#entries.get(key)
    if (!entry) {
      if (this.#entries.size >= nodesMax) throw new LinkspanError('too-large', `More than ${nodesMax} brokers`)
      entry = { address: '', backoff: new Backoff(redial), restUntilMs: 0, lastError: undefined }
      this.#entries.set(key, entry)
    }
    return entry
  }

  /** Brokers that are gone, or have moved, are no longer who we are connected to. */
  learn(brokers: readonly BrokerAddress[]): void {
    const addresses = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]))
    for (const [key, entry] of this.#entries) {
      if (key === bootstrapKey || entry.opening) continue
      const address = addresses.get(key)
      const moved = address !== undefined && entry.address !== '' && address !== entry.address
      if (address === undefined || moved) {
        entry.connection?.close(new LinkspanError('closed', `Kafka node ${key} left the cluster or moved`))
        this.#entries.delete(key)
      } else entry.address = address
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    const open = [...this.#entries.values()].flatMap(({ connection }) => connection ?? [])
    await Promise.all(open.map((connection) => connection[Symbol.asyncDispose]()))
    await Promise.allSettled([...this.#entries.values()].map(({ opening }) => opening))
  }
}

function keyOf(target: DialTarget): number {
  return target.kind === 'bootstrap' ? bootstrapKey : target.nodeId
}
