import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { SlabPool } from '../transport/slabs.ts'
import type { SaslSpec } from './spec.ts'

export interface ConnectionOptions {
  clientId: string
  sasl?: SaslSpec | undefined
  log: Log
  clock: Clock
  /** Where answers are read into. A pump gives its own pool; without one the connection has a small one of its own. */
  pool?: SlabPool | undefined
  /** Requests without an answer, at most. */
  pendingMax?: number | undefined
  /** For dial, version exchange and login together. */
  openTimeoutMs?: number | undefined
  /** For every request that names no time of its own. */
  requestTimeoutMs?: number | undefined
  signal?: AbortSignal | undefined
}

export interface RequestOptions {
  /** Exactly this version; the highest that both sides speak when missing. */
  version?: number | undefined
  /** The highest that both sides speak, but none above this. */
  versionMax?: number | undefined
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
}

export const pendingDefault = 1024
export const openTimeoutDefaultMs = 10_000
export const requestTimeoutDefaultMs = 30_000
/** What §4a of the design allows for a frame, in both directions. */
export const answerBytesMax = 128 * 1024 * 1024
/** An admin connection reads small answers one after another; larger ones get a buffer of their own. */
export const ownSlabBytes = 64 * 1024
export const ownSlabsMax = 4
