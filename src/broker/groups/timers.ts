import { type Clock, systemClock } from '../../base/clock.ts'
import { explainError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'

/** Rings once after a while; returns what prevents that. */
export type Alarm = (delayMs: number, ring: () => void) => () => void

const alarmDelayMsMax = 2 ** 31 - 1

export const systemAlarm: Alarm = (delayMs, ring) => {
  const timeout = setTimeout(ring, Math.min(delayMs, alarmDelayMsMax))
  return () => clearTimeout(timeout)
}

/** Something that is due at a time, or at none. Started again, it is due at the new time only. */
export class Timer {
  readonly #timers: Timers
  fire: () => void = () => {}
  dueMs = 0
  /** Its place in the heap; −1: not started. */
  index = -1

  constructor(timers: Timers) {
    this.#timers = timers
  }

  start(delayMs: number, fire: () => void): void {
    this.fire = fire
    this.#timers.schedule(this, delayMs)
  }

  stop(): void {
    this.#timers.cancel(this)
  }
}

/**
 * All timers of the room in one heap, soonest first, with one alarm for all of them. Each heartbeat moves one, mostly
 * later: the alarm stays where it is then, rings too early once, and is set anew.
 */
export class Timers implements Disposable {
  readonly #clock: Clock
  readonly #alarm: Alarm
  readonly #log: Log
  readonly #heap: Timer[] = []
  #silence: (() => void) | undefined
  #ringsMs = Number.POSITIVE_INFINITY

  constructor(options: { clock?: Clock; alarm?: Alarm; log: Log }) {
    this.#clock = options.clock ?? systemClock
    this.#alarm = options.alarm ?? systemAlarm
    this.#log = options.log
  }

  create(): Timer {
    return new Timer(this)
  }

  /** Never due within the turn that started it: what restarts itself without a delay must not hold the thread. */
  schedule(timer: Timer, delayMs: number): void {
    timer.dueMs = this.#clock.monotonicMs() + Math.max(delayMs, 1)
    if (timer.index < 0) {
      timer.index = this.#heap.length
      this.#heap.push(timer)
    }
    this.#settle(timer)
    this.#setAlarm()
  }

  cancel(timer: Timer): void {
    const { index } = timer
    if (index < 0) return
    timer.index = -1
    const last = this.#heap.pop()!
    if (last === timer) return
    this.#place(last, index)
    this.#settle(last)
  }

  [Symbol.dispose](): void {
    for (const timer of this.#heap.splice(0)) timer.index = -1
    this.#silence?.()
    this.#ringsMs = Number.POSITIVE_INFINITY
  }

  #ring(): void {
    this.#ringsMs = Number.POSITIVE_INFINITY
    const nowMs = this.#clock.monotonicMs()
    for (let first = this.#heap[0]; first && first.dueMs <= nowMs; first = this.#heap[0]) {
      this.cancel(first)
      try {
        first.fire()
      } catch (error) {
        this.#log.error({ err: error, reason: explainError(error) }, 'A timer of a consumer group failed')
      }
    }
    this.#setAlarm()
  }

  #setAlarm(): void {
    const first = this.#heap[0]
    if (!first || first.dueMs >= this.#ringsMs) return
    this.#silence?.()
    this.#ringsMs = first.dueMs
    this.#silence = this.#alarm(Math.max(0, Math.ceil(first.dueMs - this.#clock.monotonicMs())), () => this.#ring())
  }

  /** Moves a timer to where its time belongs. */
  #settle(timer: Timer): void {
    for (let parent = this.#parentOf(timer); parent && parent.dueMs > timer.dueMs; parent = this.#parentOf(timer)) {
      this.#swap(timer, parent)
    }
    for (let child = this.#soonerChildOf(timer); child && child.dueMs < timer.dueMs; ) {
      this.#swap(timer, child)
      child = this.#soonerChildOf(timer)
    }
  }

  #parentOf({ index }: Timer): Timer | undefined {
    return index === 0 ? undefined : this.#heap[(index - 1) >> 1]
  }

  #soonerChildOf({ index }: Timer): Timer | undefined {
    const left = this.#heap[2 * index + 1]
    const right = this.#heap[2 * index + 2]
    return right && right.dueMs < left!.dueMs ? right : left
  }

  #swap(one: Timer, other: Timer): void {
    const { index } = one
    this.#place(one, other.index)
    this.#place(other, index)
  }

  #place(timer: Timer, index: number): void {
    timer.index = index
    this.#heap[index] = timer
  }
}
