import type { Clock } from '../base/clock.ts'
import { explainError, isLinkspanError, LinkspanError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import {
  type OperationClass,
  type OperationStatus,
  type OperationView,
  operationStatuses,
  type Requestor,
} from './event.ts'

export interface OperationRequest {
  class: OperationClass
  description: string
  resources?: Record<string, string[]>
  metadata?: Record<string, unknown> | null
  /** Whether a client may end it; false unless told, except for tokens. */
  mayCancel?: boolean
  requestor?: Requestor
  project?: string
  /** Of a token: in no view and in no event, but for those whom the dialect shows it. */
  secret?: string
}

/** The work itself. What it returns replaces the metadata; it has to end soon after `signal` is aborted. */
export type OperationBody = (
  operation: Operation,
  signal: AbortSignal,
) => Promise<Record<string, unknown> | null | undefined> | Promise<void>

export interface OperationSurroundings {
  clock: Clock
  log: Log
  statusOf: (error: unknown) => number
  changed: (view: OperationView) => void
  ended: () => void
}

/** Node fires longer timers at once. */
const timerMsMax = 2 ** 31 - 1

/**
 * One piece of work in the background.
 *
 *     Running ──body ends──▶ Success | Failure
 *     Running ──cancel or abort──▶ Cancelling ──body ends──▶ Cancelled
 *     (a body that ends well although it was cancelled did its work: Success)
 */
export class Operation {
  readonly id = crypto.randomUUID()
  readonly createdAt: string
  readonly #request: OperationRequest
  readonly #surroundings: OperationSurroundings
  readonly #controller = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  #updatedAt: string
  #status: OperationStatus = 'Running'
  #metadata: Record<string, unknown> | null
  #error: unknown

  constructor(request: OperationRequest, surroundings: OperationSurroundings) {
    this.#request = request
    this.#surroundings = surroundings
    this.#metadata = request.metadata ?? null
    this.createdAt = this.#now()
    this.#updatedAt = this.createdAt
  }

  get status(): OperationStatus {
    return this.#status
  }

  get finished(): boolean {
    return operationStatuses[this.#status] >= operationStatuses.Success
  }

  get project(): string | undefined {
    return this.#request.project
  }

  get secret(): string | undefined {
    return this.#request.secret
  }

  /** Why it failed or was cancelled; undefined otherwise. */
  get error(): unknown {
    return this.#error
  }

  get view(): OperationView {
    const { class: kind, description, resources, requestor } = this.#request
    return {
      id: this.id,
      class: kind,
      description,
      created_at: this.createdAt,
      updated_at: this.#updatedAt,
      status: this.#status,
      status_code: operationStatuses[this.#status],
      resources: resources ?? {},
      metadata: this.#metadata,
      may_cancel: this.#mayCancel,
      err: this.#error === undefined ? '' : explainError(this.#error),
      err_code: this.#error === undefined ? 0 : this.#surroundings.statusOf(this.#error),
      child_count: 0,
      location: 'none',
      ...(requestor && { requestor }),
    }
  }

  start(body: OperationBody): void {
    this.#surroundings.changed(this.view)
    // Not in this turn, so that the body can use what its caller does with the operation.
    queueMicrotask(() => void this.#work(body))
  }

  /** Progress: replaces the metadata and tells watchers. After the end it does nothing. */
  update(metadata: Record<string, unknown>): void {
    if (this.finished) return
    this.#metadata = metadata
    this.#change()
  }

  /** A client's wish to end it. Throws `invalid-request` when it cannot be fulfilled. */
  cancel(): void {
    const refused = (reason: string) => new LinkspanError('invalid-request', `Operation ${this.id} ${reason}`)
    if (this.finished) throw refused('has ended already')
    if (this.#status === 'Cancelling') throw refused('is being cancelled already')
    if (!this.#mayCancel) throw refused('cannot be cancelled')
    this.abort('The operation was cancelled')
  }

  /** Our own wish to end it, which needs no permission. */
  abort(reason: string): void {
    if (this.finished || this.#status === 'Cancelling') return
    this.#status = 'Cancelling'
    this.#change()
    this.#controller.abort(new LinkspanError('closed', reason))
  }

  /** Resolves once it has ended, however it ended; throws `timeout` after `timeoutMs`, null waits for ever. */
  async wait(timeoutMs: number | null, signal?: AbortSignal): Promise<OperationView> {
    signal?.throwIfAborted()
    const stopped = Promise.withResolvers<never>()
    const stop = () => stopped.reject(signal?.reason)
    const late = () => stopped.reject(new LinkspanError('timeout', `Operation ${this.id} is still running`))
    const timer = timeoutMs === null ? undefined : setTimeout(late, Math.min(Math.max(timeoutMs, 0), timerMsMax))
    signal?.addEventListener('abort', stop, { once: true })
    try {
      await Promise.race([this.#ended.promise, stopped.promise])
      return this.view
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }

  get #mayCancel(): boolean {
    return this.#request.mayCancel ?? this.#request.class === 'token'
  }

  async #work(body: OperationBody): Promise<void> {
    const { signal } = this.#controller
    try {
      const metadata = await body(this, signal)
      if (metadata !== undefined) this.#metadata = metadata as Record<string, unknown> | null
      this.#status = 'Success'
    } catch (error) {
      this.#error = signal.aborted ? signal.reason : error
      this.#status = signal.aborted ? 'Cancelled' : 'Failure'
      this.#logFailure(error)
    }
    this.#change()
    this.#surroundings.ended()
    this.#ended.resolve()
  }

  #logFailure(error: unknown): void {
    const { description } = this.#request
    const fields = { operation: this.id, description, reason: explainError(error) }
    if (this.#status === 'Cancelled') this.#surroundings.log.info(fields, 'Operation cancelled')
    else if (isLinkspanError(error)) this.#surroundings.log.warn(fields, 'Operation failed')
    else this.#surroundings.log.error({ ...fields, err: error }, 'Operation failed for a reason of ours')
  }

  #change(): void {
    this.#updatedAt = this.#now()
    this.#surroundings.changed(this.view)
  }

  #now(): string {
    return new Date(this.#surroundings.clock.wallMs()).toISOString()
  }
}
