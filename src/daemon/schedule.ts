import { explainError, LinkspanError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'

/** Work that is due now and then. It never runs twice at the same time; what goes wrong is logged. */
export class Schedule implements AsyncDisposable {
  readonly #log: Log
  readonly #stopping = new AbortController()
  readonly #timers: NodeJS.Timeout[] = []
  readonly #running = new Set<Promise<void>>()

  constructor(log: Log) {
    this.#log = log
  }

  every(intervalMs: number, name: string, work: (stopping: AbortSignal) => Promise<unknown>): void {
    const run = this.#once(name, work)
    const timer = setInterval(run, intervalMs)
    timer.unref()
    this.#timers.push(timer)
  }

  /** For the first time now, in the background. */
  soonAndEvery(intervalMs: number, name: string, work: (stopping: AbortSignal) => Promise<unknown>): void {
    this.#once(name, work)()
    this.every(intervalMs, name, work)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#stopping.abort(new LinkspanError('closed', 'The daemon is stopping'))
    await Promise.all(this.#running)
  }

  #once(name: string, work: (stopping: AbortSignal) => Promise<unknown>): () => void {
    let busy = false
    return () => {
      if (busy) return
      busy = true
      const running = work(this.#stopping.signal)
        .then(() => {})
        .catch((error: unknown) => this.#log.warn({ work: name, reason: explainError(error) }, 'Regular work failed'))
        .finally(() => {
          busy = false
          this.#running.delete(running)
        })
      this.#running.add(running)
    }
  }
}
