import { explainError, LinkspanError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'

/** Fetches that wait on one partition. */
const listenersMax = 20_000

/** Who waits for the high watermark or the start of a log to move. */
export class AdvanceListeners {
  readonly #listeners = new Set<() => void>()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  /** Returns what ends it. */
  add(listener: () => void): () => void {
    if (this.#listeners.size >= listenersMax) {
      throw new LinkspanError('rate-limited', `${listenersMax} readers wait on this partition already`)
    }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  notify(): void {
    for (const listener of this.#listeners) {
      try {
        listener()
      } catch (error) {
        this.#log.error({ error: explainError(error) }, 'A reader of a log failed: a bug')
      }
    }
  }
}
