/** A transaction whose outcome is in the log, though perhaps not on disk yet. */
export interface DecidedTransaction {
  producerId: bigint
  firstOffset: number
  /** Offset of the marker. */
  lastOffset: number
}

/**
 * Where transactions of one partition began, so that readers of committed data stop before the first that is open: a
 * transaction is open for them until its marker is on disk.
 */
export class Transactions {
  /** By producer, in the order in which they began. */
  readonly #open = new Map<bigint, number>()
  /** In the order of their markers; gone once the marker is on disk. */
  #decided: DecidedTransaction[] = []

  begin(producerId: bigint, firstOffset: number): void {
    this.#open.set(producerId, firstOffset)
  }

  /** Returns the last stable offset after this, which the index of aborted transactions keeps. */
  decide(transaction: DecidedTransaction): number {
    this.#open.delete(transaction.producerId)
    this.#decided.push(transaction)
    return this.#firstOpen() ?? transaction.lastOffset + 1
  }

  /** Where readers of committed data stop when everything before `highWatermark` is on disk. */
  lastStableOffset(highWatermark: number): number {
    if (this.#decided.length > 0) this.#forgetBefore(highWatermark)
    let first = Math.min(highWatermark, this.#firstOpen() ?? highWatermark)
    for (const { firstOffset } of this.#decided) first = Math.min(first, firstOffset)
    return first
  }

  #firstOpen(): number | undefined {
    return this.#open.values().next().value
  }

  #forgetBefore(highWatermark: number): void {
    const index = this.#decided.findIndex(({ lastOffset }) => lastOffset >= highWatermark)
    this.#decided = index === -1 ? [] : this.#decided.slice(index)
  }
}
