import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Dialler } from '../transport/dialler.ts'
import type { SlabPool } from '../transport/slabs.ts'
import type { Api, ResponseOf } from '../wire/schema.ts'
import type { SaslSpec } from './spec.ts'

export interface ClusterOptions {
  clientId: string
  log: Log
  clock: Clock
  /** With a dialler of one's own; a spec brings it along. */
  sasl?: SaslSpec | undefined
  /** Kafka's cluster id as pinned before; another one ends every call with `precondition-failed`. */
  clusterId?: string | undefined
  /** How long a call may retry when it names no time of its own. */
  deadlineMs?: number | undefined
  /** How long one attempt may take: a broker that hangs must not use up the whole deadline. */
  attemptMs?: number | undefined
}

export interface DialledClusterOptions extends ClusterOptions {
  dialler: Dialler
}

/** Which broker a request goes to. */
export type Route =
  | { to: 'any' }
  | { to: 'controller' }
  | { to: 'node'; nodeId: number }
  | { to: 'leader'; topic: string; partition: number }
  | { to: 'coordinator'; group: string }

export interface CallOptions {
  deadlineMs?: number | undefined
  signal?: AbortSignal | undefined
}

export interface ClusterRequestOptions<A extends Api> extends CallOptions {
  version?: number | undefined
  versionMax?: number | undefined
  /** Kafka's code of the answer as a whole, judged for a retry; `errorCode` at the top when missing. */
  errorOf?: ((answer: ResponseOf<A>) => number) | undefined
}

export interface DedicatedOptions {
  pool?: SlabPool | undefined
  pendingMax?: number | undefined
  requestTimeoutMs?: number | undefined
  signal?: AbortSignal | undefined
}

export interface TopicPartition {
  topic: string
  partition: number
}

/** Where a partition is led, as far as we know. */
export interface Leader {
  nodeId: number
  /** -1 where the broker does not tell. */
  leaderEpoch: number
}

export const deadlineDefaultMs = 30_000
export const attemptDefaultMs = 15_000
