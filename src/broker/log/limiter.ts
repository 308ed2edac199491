/** At most so many tasks at a time; the others wait in the order in which they came. */
export class Limiter {
  readonly #tasksMax: number
  /** One per log that waits: each log has at most one task here. */
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(tasksMax: number) {
    this.#tasksMax = tasksMax
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#tasksMax) await new Promise<void>((resume) => this.#waiting.push(resume))
    else this.#running += 1
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running -= 1
    }
  }
}

/** One task after the other, in the order in which they came; a task that fails stops none of those behind it. */
export class Sequence {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task)
    this.#last = result.catch(() => {})
    return result
  }

  /** Resolves when all that was asked for so far has ended. */
  async idle(): Promise<void> {
    await this.#last
  }
}
