import { type Outcome, refused } from './outcome.ts'

/** More changes that wait mean that the disk hangs. */
const waitingMax = 1000

/** Changes one after another, in the order in which they are asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** The outcomes of `work` for `count` things; all of them refused when too many wait already. */
  run<T>(work: () => Promise<Outcome<T>[]>, count: number): Promise<Outcome<T>[]> {
    if (this.#waiting >= waitingMax) {
      const busy = refused('REQUEST_TIMED_OUT', 'Too many changes of topics wait for the disk: try again later')
      return Promise.resolve(Array.from({ length: count }, () => busy))
    }
    this.#waiting += 1
    const turn = this.#last.then(work).finally(() => {
      this.#waiting -= 1
    })
    this.#last = turn.catch(() => undefined)
    return turn
  }
}
