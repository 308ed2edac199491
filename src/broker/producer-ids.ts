import type { Store } from '../store/store.ts'
import { producerIdKey, producerIdTable } from './catalog/rows.ts'

/** As many as Apache's controller gives a broker at a time. What a stop leaves of a block is never given. */
const blockIds = 1000n

/** Hands out producer ids, each once in the life of the broker. */
export class ProducerIds {
  readonly #store: Store
  #next = 0n
  #end = 0n
  #reserving: Promise<void> | undefined

  constructor(store: Store) {
    this.#store = store
  }

  /** Never the same again, even after a crash. Throws what the store throws. */
  async next(): Promise<bigint> {
    while (this.#next === this.#end) {
      this.#reserving ??= this.#reserve().finally(() => {
        this.#reserving = undefined
      })
      await this.#reserving
    }
    this.#next += 1n
    return this.#next - 1n
  }

  async #reserve(): Promise<void> {
    const first = await this.#store.execute('reserve producer ids', (rows) => {
      const next = BigInt(rows.get(producerIdTable, producerIdKey)?.next ?? '0')
      const row = { next: String(next + blockIds) }
      return { changes: [producerIdTable.put(producerIdKey, row)], result: next }
    })
    this.#next = first
    this.#end = first + blockIds
  }
}
