import { LinkspanError } from '../base/errors.ts'
import { BoundedQueue } from '../base/queue.ts'
import type { EventType, LinkspanEvent } from './event.ts'

export interface SubscriptionOptions {
  types: readonly EventType[]
  visible: (event: LinkspanEvent) => boolean
  queuedEventsMax: number
  signal: AbortSignal | undefined
  ended: () => void
}

/**
 * One watcher's events, to be read by one `for await`. Reading ends when it is closed; when it fell too far behind, the
 * reader gets what was queued and then a `closed` error that says so.
 */
export class Subscription implements AsyncIterableIterator<LinkspanEvent>, AsyncDisposable {
  readonly #options: SubscriptionOptions
  readonly #queue: BoundedQueue<LinkspanEvent>
  #waiting: PromiseWithResolvers<void> | undefined
  #closed = false
  #reason: LinkspanError | undefined

  constructor(options: SubscriptionOptions) {
    this.#options = options
    this.#queue = new BoundedQueue(options.queuedEventsMax)
    if (options.signal?.aborted) this.#closed = true
    else options.signal?.addEventListener('abort', this.#abort, { once: true })
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Takes an event if the subscriber wants it and may see it. */
  offer(event: LinkspanEvent): void {
    const { types, visible, queuedEventsMax } = this.#options
    if (this.#closed || (types.length > 0 && !types.includes(event.type)) || !visible(event)) return
    if (this.#queue.push(event)) this.#wake()
    else this.close(new LinkspanError('closed', `${queuedEventsMax} events behind: connect again and read faster`))
  }

  /** Without a reason the reader ends at once, as if there were no more events: what is queued is not shown. */
  close(reason?: LinkspanError): void {
    if (this.#closed) return
    this.#closed = true
    this.#reason = reason
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#options.ended()
    this.#wake()
  }

  async next(): Promise<IteratorResult<LinkspanEvent>> {
    for (;;) {
      const event = this.#closed && !this.#reason ? undefined : this.#queue.shift()
      if (event) return { done: false, value: event }
      if (this.#closed) return this.#end()
      this.#waiting ??= Promise.withResolvers<void>()
      await this.#waiting.promise
    }
  }

  async return(): Promise<IteratorResult<LinkspanEvent>> {
    this.close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  #end(): IteratorResult<LinkspanEvent> {
    const reason = this.#reason
    this.#reason = undefined
    if (reason) throw reason
    return { done: true, value: undefined }
  }

  #wake(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  readonly #abort = (): void => this.close()
}
