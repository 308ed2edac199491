import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.ts'
import { explainError, LinkspanError } from '../base/errors.ts'
import { BoundedQueue } from '../base/queue.ts'
import type { Frame } from '../transport/frame-reader.ts'
import { type OnAnswer, PendingRequest, PendingRequests } from './pending.ts'

/** Brokers hold a client back for at most a few quota windows; a longer claim is not believed. */
const throttleMsMax = 60_000
const timerMsMax = 2 ** 31 - 1
const drainWaitersMax = 64

/** One encoded request: its frame, size included, as the pieces of a vectored write. */
export interface Outgoing {
  what: string
  chunks: readonly Uint8Array[]
  correlationId: number
  timeoutMs: number
  /** Runs exactly once. */
  onAnswer: OnAnswer
  /** Runs exactly once, also when the connection ends first: the chunks' memory is free then. */
  onWritten?: (() => void) | undefined
  /** A login goes past the gate that it keeps shut for the others. */
  passesGate?: boolean
}

interface Held {
  request: PendingRequest
  outgoing: Outgoing
}

/**
 * Frames out, frames in, in step: Kafka answers the requests of one connection strictly in turn. Any doubt (a deadline
 * that passed, an answer out of order, a lost socket) ends the connection; all that wait fail with the same error.
 */
export class Pipeline {
  /** What errors call the other end. */
  readonly peer: string
  /** Resolves when the connection has ended, with the reason. */
  readonly closed: Promise<LinkspanError>
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #requestsMax: number
  readonly #pending: PendingRequests
  readonly #held: BoundedQueue<Held>
  readonly #drainWaiters: (() => void)[] = []
  #resolveClosed: (error: LinkspanError) => void = () => {}
  #failure: LinkspanError | undefined
  #correlationId = 0
  #shut = false
  #throttledUntilMs = 0
  #throttleTimer: NodeJS.Timeout | undefined
  #deadlineTimer: NodeJS.Timeout | undefined
  #watchedMs = Number.POSITIVE_INFINITY

  constructor(socket: Socket, options: { peer: string; clock: Clock; requestsMax: number }) {
    this.#socket = socket
    this.peer = options.peer
    this.#clock = options.clock
    this.#requestsMax = options.requestsMax
    this.#pending = new PendingRequests(options.requestsMax)
    this.#held = new BoundedQueue(options.requestsMax)
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    socket.on('error', (error) => this.fail(this.#lost(explainError(error))))
    socket.on('end', () => this.fail(this.#lost('the other side closed it')))
    socket.on('close', () => this.fail(this.#lost('it was closed')))
    socket.on('drain', () => this.#wakeWriters())
  }

  /** Why the connection ended; undefined while it lives. */
  get failure(): LinkspanError | undefined {
    return this.#failure
  }

  /** Requests without an answer. */
  get length(): number {
    return this.#pending.length + this.#held.length
  }

  get writableNeedDrain(): boolean {
    return this.#gated || this.#socket.writableNeedDrain
  }

  get #gated(): boolean {
    return this.#shut || this.#throttledUntilMs > 0
  }

  nextCorrelationId(): number {
    this.#correlationId = (this.#correlationId + 1) & 0x7fffffff
    return this.#correlationId
  }

  /** Errors: `rate-limited` when too many requests wait; why the connection ended. Then no callback runs. */
  send(outgoing: Outgoing): void {
    if (this.#failure) throw this.#failure
    if (this.length >= this.#requestsMax) {
      throw new LinkspanError('rate-limited', `${this.#requestsMax} requests already wait for ${this.peer}`)
    }
    const startMs = Math.max(this.#clock.monotonicMs(), this.#throttledUntilMs)
    const { correlationId, what, timeoutMs, onAnswer } = outgoing
    const request = new PendingRequest(correlationId, what, startMs + timeoutMs, onAnswer)
    if (this.#gated && !outgoing.passesGate) this.#held.push({ request, outgoing })
    else this.#write(request, outgoing)
  }

  #write(request: PendingRequest, { chunks, onWritten }: Outgoing): void {
    this.#pending.push(request)
    this.#watchDeadline(request.deadlineMs)
    const last = chunks.length - 1
    if (last > 0) this.#socket.cork()
    for (let index = 0; index < last; index += 1) this.#socket.write(chunks[index] as Uint8Array)
    if (onWritten) this.#socket.write(chunks[last] as Uint8Array, () => onWritten())
    else this.#socket.write(chunks[last] as Uint8Array)
    if (last > 0) this.#socket.uncork()
  }

  /** Takes the next answer from the reader. */
  receive(frame: Frame): void {
    const request = this.#pending.shift()
    if (request && frame.bytes.length >= 4 && frame.bytes.readInt32BE(0) === request.correlationId) {
      request.onAnswer(frame, undefined)
      return
    }
    frame.release()
    const error = new LinkspanError('malformed', `${this.peer} sent an answer out of order; the connection was closed`)
    request?.onAnswer(undefined, error)
    this.fail(error)
  }

  /** What is sent from now on waits until `openGate`. */
  shutGate(): void {
    this.#shut = true
  }

  openGate(): void {
    this.#shut = false
    this.#sendHeld()
  }

  /** Obeys a quota: nothing is sent for so long. What was sent before is answered that much later. */
  throttle(throttleTimeMs: number): void {
    if (throttleTimeMs <= 0 || this.#failure) return
    const nowMs = this.#clock.monotonicMs()
    const untilMs = nowMs + Math.min(throttleTimeMs, throttleMsMax)
    if (untilMs <= this.#throttledUntilMs) return
    this.#pending.postpone(untilMs - Math.max(nowMs, this.#throttledUntilMs))
    this.#throttledUntilMs = untilMs
    clearTimeout(this.#throttleTimer)
    this.#throttleTimer = setTimeout(() => {
      this.#throttledUntilMs = 0
      this.#sendHeld()
    }, untilMs - nowMs)
  }

  #sendHeld(): void {
    while (!this.#gated && !this.#failure) {
      const held = this.#held.shift()
      if (!held) break
      this.#write(held.request, held.outgoing)
    }
    this.#wakeWriters()
  }

  onDrain(wake: () => void): void {
    if (this.#failure || !this.writableNeedDrain) {
      queueMicrotask(wake)
      return
    }
    if (this.#drainWaiters.length >= drainWaitersMax) {
      throw new LinkspanError('internal', `More than ${drainWaitersMax} wait to write to ${this.peer}`)
    }
    this.#drainWaiters.push(wake)
  }

  #wakeWriters(): void {
    if (!this.#failure && this.writableNeedDrain) return
    for (const wake of this.#drainWaiters.splice(0)) wake()
  }

  /** One timer for all requests, set to the earliest deadline; it is set anew only when it fires. */
  #watchDeadline(deadlineMs: number): void {
    if (deadlineMs >= this.#watchedMs) return
    clearTimeout(this.#deadlineTimer)
    this.#watchedMs = deadlineMs
    const delayMs = Math.max(1, deadlineMs - this.#clock.monotonicMs())
    this.#deadlineTimer = setTimeout(() => this.#checkDeadlines(), Math.min(delayMs, timerMsMax))
    this.#deadlineTimer.unref()
  }

  #checkDeadlines(): void {
    this.#watchedMs = Number.POSITIVE_INFINITY
    const request = this.#pending.earliest()
    if (!request) return
    if (request.deadlineMs > this.#clock.monotonicMs()) this.#watchDeadline(request.deadlineMs)
    else {
      const text = `${this.peer} did not answer ${request.what} in time; the connection was closed`
      this.fail(new LinkspanError('timeout', text))
    }
  }

  #lost(reason: string): LinkspanError {
    return new LinkspanError('closed', `The connection to ${this.peer} was lost: ${reason}`)
  }

  /** Ends the connection at once: every request without an answer fails with `error`. */
  fail(error: LinkspanError): void {
    if (this.#failure) return
    this.#failure = error
    clearTimeout(this.#throttleTimer)
    clearTimeout(this.#deadlineTimer)
    this.#socket.destroy()
    for (let request = this.#pending.shift(); request; request = this.#pending.shift()) {
      request.onAnswer(undefined, error)
    }
    for (let held = this.#held.shift(); held; held = this.#held.shift()) {
      held.outgoing.onWritten?.()
      held.request.onAnswer(undefined, error)
    }
    this.#wakeWriters()
    this.#resolveClosed(error)
  }
}
