export interface BackoffOptions {
  initialMs: number
  maxMs: number
}

/** Exponential delays with full jitter upward of one half, so that many retriers spread out. */
export class Backoff {
  readonly #options: BackoffOptions
  #attempts = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  get attempts(): number {
    return this.#attempts
  }

  /** The delay before the next attempt, in milliseconds. */
  nextMs(): number {
    const ceilingMs = Math.min(this.#options.maxMs, this.#options.initialMs * 2 ** Math.min(this.#attempts, 30))
    this.#attempts += 1
    return ceilingMs * (0.5 + Math.random() / 2)
  }

  reset(): void {
    this.#attempts = 0
  }
}
