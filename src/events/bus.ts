import type { Clock } from '../base/clock.ts'
import { explainError, LinkspanError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { AuditTrail } from './audit.ts'
import type {
  EventType,
  LifecycleMetadata,
  LinkspanEvent,
  LoggingMetadata,
  OperationView,
  SecurityEvent,
  SecurityMetadata,
} from './event.ts'
import { Subscription } from './subscription.ts'

export interface BusOptions {
  clock: Clock
  log: Log
}

export interface SubscribeOptions {
  /** None given: all. */
  types?: readonly EventType[]
  /** Judged for every event when it happens, so that lost rights count at once. */
  visible?: (event: LinkspanEvent) => boolean
  /** Events that may wait for the subscriber before it is dropped. */
  queuedEventsMax?: number
  signal?: AbortSignal
}

const subscribersMax = 256
const queuedEventsMax = 1024
const auditedEventsMax = 1000

/**
 * What happens here, for those who watch: API clients and our own page. It is no record (a crash forgets it, a slow
 * watcher misses it); whoever needs every change of state listens to the store.
 */
export class EventBus implements AsyncDisposable {
  readonly #clock: Clock
  readonly #log: Log
  readonly #subscriptions = new Set<Subscription>()
  /** The latest security events; whoever needs them for longer keeps the log. */
  readonly audit = new AuditTrail(auditedEventsMax)
  #lastNs = 0n
  #closed = false

  constructor(options: BusOptions) {
    this.#clock = options.clock
    this.#log = options.log
  }

  get subscribers(): number {
    return this.#subscriptions.size
  }

  /** `project` is left out of events about what belongs to none: identities and groups. */
  lifecycle(metadata: LifecycleMetadata, project?: string): void {
    this.#log.info({ action: metadata.action, source: metadata.source, requestor: metadata.requestor }, 'Lifecycle')
    this.#publish({ type: 'lifecycle', metadata, ...this.#envelope(project) })
  }

  security(metadata: SecurityMetadata, project?: string): void {
    const { name, description, requestor } = metadata
    if (metadata.level === 'warning') this.#log.warn({ event: name, requestor }, description)
    else this.#log.info({ event: name, requestor }, description)
    const event: SecurityEvent = { type: 'security', metadata, ...this.#envelope(project) }
    this.audit.record(event)
    this.#publish(event)
  }

  operation(metadata: OperationView, project?: string): void {
    this.#publish({ type: 'operation', metadata, ...this.#envelope(project) })
  }

  /** For the log itself, so nothing is logged here. */
  logging(metadata: LoggingMetadata): void {
    this.#publish({ type: 'logging', metadata, ...this.#envelope(undefined) })
  }

  /** Throws `rate-limited` when too many watch already, `closed` when the daemon stops. */
  subscribe(options: SubscribeOptions = {}): Subscription {
    if (this.#closed) throw new LinkspanError('closed', 'The daemon is stopping: watch its events again later')
    if (this.#subscriptions.size >= subscribersMax) {
      throw new LinkspanError('rate-limited', `${subscribersMax} clients watch events already: try again later`)
    }
    const subscription = new Subscription({
      types: options.types ?? [],
      visible: options.visible ?? (() => true),
      queuedEventsMax: options.queuedEventsMax ?? queuedEventsMax,
      signal: options.signal,
      ended: () => this.#subscriptions.delete(subscription),
    })
    if (!subscription.closed) this.#subscriptions.add(subscription)
    return subscription
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const subscription of this.#subscriptions) subscription.close()
  }

  #envelope(project: string | undefined): { timestamp: string; location: 'none'; project?: string } {
    const timestamp = this.#nextTimestamp()
    return project === undefined ? { timestamp, location: 'none' } : { timestamp, location: 'none', project }
  }

  #publish(event: LinkspanEvent): void {
    for (const subscription of this.#subscriptions) {
      try {
        subscription.offer(event)
      } catch (error) {
        subscription.close(new LinkspanError('internal', 'The events could not be filtered', { cause: error }))
        this.#log.error({ reason: explainError(error) }, 'A filter of events failed, its subscriber is dropped')
      }
    }
  }

  /** Clients put events in order by their times, because delivery promises none (LXD sends from many threads). */
  #nextTimestamp(): string {
    const nowNs = BigInt(Math.floor(this.#clock.wallMs())) * 1_000_000n
    this.#lastNs = nowNs > this.#lastNs ? nowNs : this.#lastNs + 1n
    const seconds = new Date(Number(this.#lastNs / 1_000_000n)).toISOString().slice(0, 19)
    return `${seconds}.${(this.#lastNs % 1_000_000_000n).toString().padStart(9, '0')}Z`
  }
}
