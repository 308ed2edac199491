import { type Clock, sleep } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { shortened, type TaskError, taskError } from './task-error.ts'

export interface TaskLoopOptions {
  name: string
  /** Time between the end of a round and the next; undefined while the task is switched off. */
  intervalMs: () => number | undefined
  /** One round; what it returns or throws is shown until the next. */
  run: (signal: AbortSignal) => Promise<TaskError[]>
  clock: Clock
  log: Log
}

export type LoopState = 'NOT_CONFIGURED' | 'ACTIVE' | 'IN_ERROR'

/** How soon a task that was switched off looks again whether it still is; `kick` is faster. */
const idleMs = 5000

/** Something that is done again and again, one round at a time. */
export class TaskLoop implements AsyncDisposable {
  readonly #options: TaskLoopOptions
  readonly #closing = new AbortController()
  readonly #loop: Promise<void>
  #wake = new AbortController()
  #round: Promise<TaskError[]> | undefined
  #errors: TaskError[] = []
  #kicked = false

  constructor(options: TaskLoopOptions) {
    this.#options = options
    this.#loop = this.#run()
  }

  get state(): LoopState {
    if (this.#intervalMs() === undefined) return 'NOT_CONFIGURED'
    return this.#errors.length > 0 ? 'IN_ERROR' : 'ACTIVE'
  }

  get errors(): readonly TaskError[] {
    return this.state === 'IN_ERROR' ? this.#errors : []
  }

  /** The next round begins now. */
  kick(): void {
    this.#kicked = true
    this.#wake.abort()
  }

  /** A round that begins after this call, and its errors. */
  async runNow(): Promise<TaskError[]> {
    await this.#round?.catch(() => {})
    return await this.#once()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('The task was closed'))
    this.#wake.abort()
    await this.#loop
    await this.#round?.catch(() => {})
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      this.#kicked = false
      const intervalMs = this.#intervalMs()
      if (intervalMs !== undefined) await this.#once()
      if (signal.aborted) return
      if (this.#kicked) continue
      this.#wake = new AbortController()
      await sleep(intervalMs ?? idleMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => {})
    }
  }

  /** Joins a round that is under way. */
  #once(): Promise<TaskError[]> {
    this.#round ??= this.#attempt().finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  async #attempt(): Promise<TaskError[]> {
    const { run, name, log } = this.#options
    const { signal } = this.#closing
    try {
      this.#errors = shortened(await run(signal))
    } catch (error) {
      if (signal.aborted) return []
      this.#errors = [taskError(error)]
      log.debug({ task: name, err: error }, 'A round of a task failed')
    }
    return this.#errors
  }

  /** A link that is gone has no interval any more. */
  #intervalMs(): number | undefined {
    try {
      return this.#options.intervalMs()
    } catch {
      return undefined
    }
  }
}
