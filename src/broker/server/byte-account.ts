/** Bytes that all connections together hold of one kind. It only counts: who has to wait asks `full`. */
export class ByteAccount {
  readonly bytesMax: number
  readonly #waiting = new Set<() => void>()
  #used = 0
  #waking = false

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get used(): number {
    return this.#used
  }

  get full(): boolean {
    return this.#used >= this.bytesMax
  }

  add(bytes: number): void {
    this.#used += bytes
  }

  remove(bytes: number): void {
    this.#used -= bytes
    if (this.#waiting.size > 0 && !this.full) this.#wakeSoon()
  }

  /** Calls `wake` once when there is room again; the same function waits only once. */
  whenFree(wake: () => void): void {
    this.#waiting.add(wake)
  }

  forget(wake: () => void): void {
    this.#waiting.delete(wake)
  }

  /** Later, because whoever gives back is in the middle of its own work. */
  #wakeSoon(): void {
    if (this.#waking) return
    this.#waking = true
    setImmediate(() => {
      this.#waking = false
      for (const wake of [...this.#waiting]) {
        if (this.full) return
        this.#waiting.delete(wake)
        wake()
      }
    })
  }
}
