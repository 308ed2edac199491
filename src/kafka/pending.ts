import { assert, type LinkspanError } from '../base/errors.ts'
import type { Frame } from '../transport/frame-reader.ts'

/** Exactly one of both arguments is given; the frame is the receiver's to release. */
export type OnAnswer = (frame: Frame | undefined, error: LinkspanError | undefined) => void

/** A request that waits for its answer. A class, for one shape of all: the produce path makes thousands. */
export class PendingRequest {
  readonly correlationId: number
  /** For the error's sentence: the API's name. */
  readonly what: string
  readonly onAnswer: OnAnswer
  /** Monotonic. A throttled connection moves it. */
  deadlineMs: number

  constructor(correlationId: number, what: string, deadlineMs: number, onAnswer: OnAnswer) {
    this.correlationId = correlationId
    this.what = what
    this.deadlineMs = deadlineMs
    this.onAnswer = onAnswer
  }
}

/** Requests in the order in which their answers must come: Kafka answers each connection strictly in turn. */
export class PendingRequests {
  readonly #itemsMax: number
  readonly #items: (PendingRequest | undefined)[] = []
  #head = 0

  constructor(itemsMax: number) {
    this.#itemsMax = itemsMax
  }

  get length(): number {
    return this.#items.length - this.#head
  }

  push(request: PendingRequest): void {
    assert(this.length < this.#itemsMax, 'the connection counts its requests before it sends one')
    this.#items.push(request)
  }

  shift(): PendingRequest | undefined {
    if (this.length === 0) return undefined
    const request = this.#items[this.#head] as PendingRequest
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
    return request
  }

  /** The request whose deadline comes first. */
  earliest(): PendingRequest | undefined {
    let found: PendingRequest | undefined
    for (let index = this.#head; index < this.#items.length; index += 1) {
      const request = this.#items[index] as PendingRequest
      if (!found || request.deadlineMs < found.deadlineMs) found = request
    }
    return found
  }

  /** The broker holds its answers back on purpose: that time does not count. */
  postpone(byMs: number): void {
    for (let index = this.#head; index < this.#items.length; index += 1) {
      ;(this.#items[index] as PendingRequest).deadlineMs += byMs
    }
  }
}
