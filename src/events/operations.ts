import type { Clock } from '../base/clock.ts'
import { LinkspanError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { EventBus } from './bus.ts'
import type { OperationView } from './event.ts'
import { Operation, type OperationBody, type OperationRequest } from './operation.ts'

export interface OperationsOptions {
  clock: Clock
  log: Log
  bus: EventBus
  /** The HTTP status of an error for `err_code`, which only the dialect that shows operations knows. */
  statusOf?: (error: unknown) => number
}

/** Work that is going on. */
const runningMax = 1000
/** Work that has ended and is still shown. */
const finishedMax = 1000
/** So long can whoever started it see how it ended: LXD's time. */
const finishedVisibleMs = 5000

/** Work in the background that clients can watch, wait for and cancel. It ends with the daemon. */
export class Operations implements AsyncDisposable {
  readonly #options: OperationsOptions
  readonly #running = new Map<string, Operation>()
  readonly #finished = new Map<string, { operation: Operation; timer: NodeJS.Timeout }>()
  #closed = false

  constructor(options: OperationsOptions) {
    this.#options = options
  }

  /** Starts at once; how it ends is the operation's to tell, this throws only if it cannot start. */
  run(request: OperationRequest, body: OperationBody): Operation {
    if (this.#closed)
      throw new LinkspanError('closed', `"${request.description}" was not started: the daemon is stopping`)
    if (this.#running.size >= runningMax) {
      const problem = `"${request.description}" was not started, ${runningMax} operations are running`
      throw new LinkspanError('rate-limited', `${problem}: wait for some to end, or cancel them`)
    }
    const { clock, log, statusOf = () => 500 } = this.#options
    const operation = new Operation(request, {
      clock,
      log,
      statusOf,
      changed: (view) => this.#options.bus.operation(view, request.project),
      ended: () => this.#keepFinished(operation),
    })
    this.#running.set(operation.id, operation)
    operation.start(body)
    return operation
  }

  /** Running ones and those that ended in the last five seconds, oldest first. */
  list(): Operation[] {
    return [...[...this.#finished.values()].map(({ operation }) => operation), ...this.#running.values()].sort(
      (one, other) => (one.createdAt < other.createdAt ? -1 : Number(one.createdAt > other.createdAt)),
    )
  }

  /** Throws `not-found`. */
  get(id: string): Operation {
    const operation = this.#running.get(id) ?? this.#finished.get(id)?.operation
    if (!operation) throw new LinkspanError('not-found', `There is no operation ${id}, or it ended a while ago`)
    return operation
  }

  /** Throws `not-found`, or `invalid-request` when it has ended or may not be cancelled. */
  cancel(id: string): void {
    this.get(id).cancel()
  }

  /** Resolves once it has ended, however it ended; `timeout` after `timeoutMs`, null waits for ever. */
  wait(id: string, timeoutMs: number | null, signal?: AbortSignal): Promise<OperationView> {
    return this.get(id).wait(timeoutMs, signal)
  }

  /** Aborts all work and waits until it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    const running = [...this.#running.values()]
    for (const operation of running) operation.abort('The daemon is stopping')
    await Promise.all(running.map((operation) => operation.wait(null)))
    for (const { timer } of this.#finished.values()) clearTimeout(timer)
    this.#finished.clear()
  }

  #keepFinished(operation: Operation): void {
    this.#running.delete(operation.id)
    const timer = setTimeout(() => this.#finished.delete(operation.id), finishedVisibleMs)
    timer.unref()
    this.#finished.set(operation.id, { operation, timer })
    if (this.#finished.size <= finishedMax) return
    const [oldest, kept] = this.#finished.entries().next().value!
    clearTimeout(kept.timer)
    this.#finished.delete(oldest)
  }
}
