import { explainError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'

/** Work that is due now and then. It never runs twice at the same time; what goes wrong is logged. */
export class Schedule implements AsyncDisposable {
  readonly #log: Log
  readonly #timers: NodeJS.Timeout[] = []
  readonly #running = new Set<Promise<void>>()

  constructor(log: Log) {
    this.#log = log
  }

  every(intervalMs: number, name: string, work: () => Promise<unknown>): void {
    let busy = false
    const timer = setInterval(() => {
      if (busy) return
      busy = true
      const running = work()
        .then(() => {})
        .catch((error: unknown) => this.#log.warn({ work: name, reason: explainError(error) }, 'Regular work failed'))
        .finally(() => {
          busy = false
          this.#running.delete(running)
        })
      this.#running.add(running)
    }, intervalMs)
    timer.unref()
    this.#timers.push(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all(this.#running)
  }
}
