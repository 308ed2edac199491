import type { Api, RequestOf, ResponseInput } from '../../wire/schema.ts'
import type { BrokerNode } from '../node.ts'
import type { BrokerSession } from '../session.ts'

export interface RequestContext {
  readonly node: BrokerNode
  readonly session: BrokerSession
  readonly version: number
  /** Empty when the client gave none. */
  readonly clientId: string
  /** Aborted when the connection is gone: whoever waits for its sake stops. */
  readonly signal: AbortSignal
}

/** `none`: the client wants no answer (acks 0). */
export type HandlerAnswer<A extends Api> =
  | { kind: 'none' }
  | {
      kind: 'answer'
      body: ResponseInput<A>
      /** Views in the body are valid until this is called, once the answer is written or the connection gone. */
      release?: () => void
    }

/**
 * One API of the broker. `handle` is called in the order of a connection's requests, and what it changes takes effect
 * in that order before its first await; answers are written in that order too. `request` holds views into the frame:
 * they are valid until the promise settles. What it throws ends the connection and is logged as a bug of ours.
 */
export interface Handler<A extends Api = Api> {
  readonly api: A
  /** What ApiVersions tells; both inclusive. */
  readonly versions: readonly [min: number, max: number]
  readonly handle: (request: RequestOf<A>, context: RequestContext) => Promise<HandlerAnswer<A>> | HandlerAnswer<A>
}

/** For the table, which holds handlers of many APIs: a handler only ever meets its own requests. */
export function defineHandler<A extends Api>(handler: Handler<A>): Handler {
  return handler as unknown as Handler
}

export function answer<A extends Api>(body: ResponseInput<A>, release?: () => void): HandlerAnswer<A> {
  return { kind: 'answer', body, ...(release ? { release } : {}) }
}
