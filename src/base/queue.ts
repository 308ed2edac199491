import { assert } from './errors.ts'

/** A first-in-first-out queue with a named maximum; a full queue says so and takes nothing. */
export class BoundedQueue<T> {
  readonly #items: T[] = []
  readonly #itemsMax: number
  #head = 0

  constructor(itemsMax: number) {
    assert(itemsMax > 0, 'a queue needs room for one item')
    this.#itemsMax = itemsMax
  }

  get length(): number {
    return this.#items.length - this.#head
  }

  get full(): boolean {
    return this.length >= this.#itemsMax
  }

  /** False when the queue is full: the caller has to stop its own source. */
  push(item: T): boolean {
    if (this.full) return false
    this.#items.push(item)
    return true
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.#items[this.#head] as T
    this.#items[this.#head] = undefined as T
    this.#head += 1
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
    return item
  }
}
