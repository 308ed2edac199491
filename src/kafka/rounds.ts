import { Backoff } from '../base/backoff.ts'
import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import { kafkaErrors } from '../wire/errors.ts'
import type { KafkaCluster } from './cluster.ts'
import type { CallOptions, Route } from './cluster-options.ts'
import type { KafkaConnection } from './connection.ts'
import type { Deadline } from './deadline.ts'
import { kafkaFailure } from './failure.ts'
import { isConnectionFailure, retryStep } from './retry.ts'

const pauses = { initialMs: 50, maxMs: 1000 }
const itemsPerRequest = 2000
/** In place of a node id: whoever is the controller, or passes things on to it. */
export const controllerNode = -1

/** What became of one item: a value, or why there is none. */
export type Outcome<T> = { value: T; error?: undefined } | { value?: undefined; error: LinkspanError }

/** One item's part of a broker's answer. `value` counts when the code is 0. */
export interface Reply<T> {
  key: string
  errorCode: number
  message?: string | null
  value?: T
}

export interface Located<I> {
  nodes: Map<number, I[]>
  /** `final`: asking again would give the same. */
  failed: { item: I; errorCode: number; message?: string | null; final?: boolean }[]
}

export interface Rounds<I, T> {
  /** For errors: `read the log end of`. */
  operation: string
  keyOf: (item: I) => string
  /** For errors: `partition orders-3`. */
  describe: (item: I) => string
  /** Codes that are not worth another round here although others retry them. */
  finalCodes?: ReadonlySet<number>
  /** Which broker each item belongs to (or `controllerNode`); `again` holds those whose broker turned out wrong. */
  locate: (items: I[], deadline: Deadline, again: I[]) => Promise<Located<I>>
  ask: (connection: KafkaConnection, items: I[]) => Promise<Reply<T>[]>
}

/**
 * Asks for many items, all those of one broker in one request, in rounds: what failed for a reason that passes is
 * located and asked for again until the deadline. Never throws for one item; outcomes are in the order of `items`.
 */
export async function askInRounds<I, T>(
  cluster: KafkaCluster,
  items: readonly I[],
  rounds: Rounds<I, T>,
  options: CallOptions,
): Promise<Outcome<T>[]> {
  const deadline = cluster.deadline(options)
  const backoff = new Backoff(pauses)
  const outcomes = new Map<string, Outcome<T>>()
  let open = uniqueItems(items, rounds)
  let again: I[] = []
  while (open.length > 0) {
    const round = new Round(cluster, rounds, outcomes, deadline)
    await round.run(open, again)
    open = round.open
    again = round.moved
    if (open.length === 0) break
    const last = outcomes.get(rounds.keyOf(open[0] as I))?.error as LinkspanError
    try {
      await deadline.pause(backoff.nextMs(), last)
    } catch (error) {
      if (error !== last) throw error
      break
    }
  }
  return items.map((item) => outcomes.get(rounds.keyOf(item)) as Outcome<T>)
}

class Round<I, T> {
  /** What is to be asked for again. */
  open: I[] = []
  /** Of these, what has to be located anew. */
  moved: I[] = []
  readonly #cluster: KafkaCluster
  readonly #rounds: Rounds<I, T>
  readonly #outcomes: Map<string, Outcome<T>>
  readonly #deadline: Deadline

  constructor(cluster: KafkaCluster, rounds: Rounds<I, T>, outcomes: Map<string, Outcome<T>>, deadline: Deadline) {
    this.#cluster = cluster
    this.#rounds = rounds
    this.#outcomes = outcomes
    this.#deadline = deadline
  }

  async run(items: I[], again: I[]): Promise<void> {
    let located: Located<I>
    try {
      located = await this.#rounds.locate(items, this.#deadline, again)
    } catch (error) {
      this.#failed(items, error)
      return
    }
    for (const { item, errorCode, message, final } of located.failed) this.#judge(item, errorCode, message, final)
    const requests = [...located.nodes].flatMap(([nodeId, all]) => {
      const parts: { nodeId: number; part: I[] }[] = []
      for (let start = 0; start < all.length; start += itemsPerRequest) {
        parts.push({ nodeId, part: all.slice(start, start + itemsPerRequest) })
      }
      return parts
    })
    await Promise.all(requests.map(({ nodeId, part }) => this.#ask(nodeId, part)))
  }

  async #ask(nodeId: number, items: I[]): Promise<void> {
    try {
      const route: Route = nodeId === controllerNode ? { to: 'controller' } : { to: 'node', nodeId }
      const connection = await this.#cluster.connection(route, this.#deadline)
      const replies = await this.#deadline.of(this.#rounds.ask(connection, items))
      const byKey = new Map(replies.map((reply) => [reply.key, reply]))
      for (const item of items) {
        const reply = byKey.get(this.#rounds.keyOf(item))
        if (reply?.errorCode === 0 && reply.value !== undefined) {
          this.#outcomes.set(reply.key, { value: reply.value })
        } else this.#judge(item, reply?.errorCode || kafkaErrors.UNKNOWN_SERVER_ERROR, reply?.message)
      }
    } catch (error) {
      this.#failed(items, error)
    }
  }

  #judge(item: I, errorCode: number, message: string | null | undefined, final = false): void {
    const { operation, describe, keyOf, finalCodes } = this.#rounds
    const context = { operation, resource: describe(item), message: message ?? null }
    this.#outcomes.set(keyOf(item), { error: kafkaFailure(errorCode, context) })
    const step = retryStep(errorCode)
    if (step === 'none' || final || finalCodes?.has(errorCode)) return
    this.open.push(item)
    if (step !== 'wait') this.moved.push(item)
  }

  /** A lost connection concerns all items of the request; what is no LinkspanError is the caller's signal, or a bug. */
  #failed(items: I[], error: unknown): void {
    if (this.#deadline.signal?.aborted) throw error
    if (!isLinkspanError(error)) throw error
    for (const item of items) this.#outcomes.set(this.#rounds.keyOf(item), { error })
    if (!isConnectionFailure(error)) return
    this.open.push(...items)
    this.moved.push(...items)
  }
}

function uniqueItems<I, T>(items: readonly I[], rounds: Rounds<I, T>): I[] {
  return [...new Map(items.map((item) => [rounds.keyOf(item), item])).values()]
}

/** The value, or the error thrown. */
export function unwrap<T>(outcome: Outcome<T> | undefined): T {
  if (!outcome) throw new LinkspanError('internal', 'A broker answered with fewer parts than were asked for')
  if (outcome.error) throw outcome.error
  return outcome.value as T
}
