type Names = readonly string[] | 'all'

/** Makes one request of many wishes: what is wished while one is under way goes together into the next. */
export class Refresher {
  readonly #fetch: (names: Names) => Promise<void>
  #wanted = new Set<string>()
  #wantsAll = false
  #running: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(fetch: (names: Names) => Promise<void>) {
    this.#fetch = fetch
  }

  /** Resolves after an answer to a request that was sent after this call. */
  refresh(names: Names): Promise<void> {
    if (names === 'all') this.#wantsAll = true
    else for (const name of names) this.#wanted.add(name)
    this.#next ??= this.#afterRunning()
    return this.#next
  }

  async #afterRunning(): Promise<void> {
    await this.#running.catch(() => {})
    const names = this.#wantsAll ? 'all' : [...this.#wanted]
    this.#wanted = new Set()
    this.#wantsAll = false
    this.#next = undefined
    this.#running = this.#fetch(names)
    await this.#running
  }
}
