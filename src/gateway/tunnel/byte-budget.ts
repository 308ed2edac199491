/** So many bytes at a time. Whoever wants more than all of it gets it when nobody else has any. */
export class ByteBudget {
  readonly #bytesMax: number
  readonly #waiting: { bytes: number; start: () => void }[] = []
  #used = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get used(): number {
    return this.#used
  }

  /** True when the bytes were taken at once; else `start` is called when they are, in the order of asking. */
  take(bytes: number, start: () => void): boolean {
    if (this.#waiting.length === 0 && this.#fits(bytes)) {
      this.#used += bytes
      return true
    }
    this.#waiting.push({ bytes, start })
    return false
  }

  /** Something turned out larger or smaller than it was taken for. */
  adjust(byBytes: number): void {
    this.#used += byBytes
    if (byBytes < 0) this.#serve()
  }

  giveBack(bytes: number): void {
    this.adjust(-bytes)
  }

  #fits(bytes: number): boolean {
    return this.#used === 0 || this.#used + bytes <= this.#bytesMax
  }

  #serve(): void {
    for (let first = this.#waiting[0]; first && this.#fits(first.bytes); first = this.#waiting[0]) {
      this.#waiting.shift()
      this.#used += first.bytes
      first.start()
    }
  }
}

/** Waits for its part of several budgets, one after the other. Returns the function that gives it back. */
export async function takeBytes(budgets: readonly ByteBudget[], bytes: number): Promise<Taken> {
  for (const budget of budgets) {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (!budget.take(bytes, resolve)) await promise
  }
  return new Taken(budgets, bytes)
}

/** Must be given back, once. */
export class Taken {
  readonly #budgets: readonly ByteBudget[]
  #bytes: number

  constructor(budgets: readonly ByteBudget[], bytes: number) {
    this.#budgets = budgets
    this.#bytes = bytes
  }

  become(bytes: number): void {
    for (const budget of this.#budgets) budget.adjust(bytes - this.#bytes)
    this.#bytes = bytes
  }

  giveBack(): void {
    this.become(0)
  }
}
