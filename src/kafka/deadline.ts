import { type Clock, sleep } from '../base/clock.ts'
import { LinkspanError } from '../base/errors.ts'

/** How long one call may go on retrying, and the signal that ends it sooner. */
export class Deadline {
  readonly signal: AbortSignal | undefined
  readonly #clock: Clock
  readonly #endMs: number

  constructor(clock: Clock, timeoutMs: number, signal?: AbortSignal) {
    this.#clock = clock
    this.#endMs = clock.monotonicMs() + timeoutMs
    this.signal = signal
  }

  get remainingMs(): number {
    return this.#endMs - this.#clock.monotonicMs()
  }

  /** Waits before the next attempt; when there is no time left for one, throws `failure`, the reason of the last. */
  async pause(ms: number, failure: Error): Promise<void> {
    if (this.remainingMs <= ms) throw failure
    await sleep(ms, this.signal)
  }

  /** Waits for `shared`, which goes on for others after that. Errors: `timeout`, the signal's, those of `shared`. */
  async of<T>(shared: Promise<T>): Promise<T> {
    shared.catch(() => {})
    const { signal } = this
    signal?.throwIfAborted()
    const { promise: over, reject } = Promise.withResolvers<never>()
    const stop = () => reject(signal?.reason)
    const end = () => reject(new LinkspanError('timeout', 'Kafka did not answer in the time given'))
    const timer = setTimeout(end, Math.max(0, this.remainingMs))
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await Promise.race([shared, over])
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }
}
