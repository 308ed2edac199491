import type { ErrorCode } from '../base/errors.ts'
import type { Fingerprint } from '../base/ids.ts'
import type { LogLevel } from '../base/log.ts'
import type { HostPort } from '../transport/address.ts'
import type { FrontLimits } from '../transport/listener.ts'
import type { DirectSpec } from '../transport/spec.ts'
import type { GatewaySnapshot } from './tunnel/access-rights.ts'
import type { TunnelLimits } from './tunnel/limits.ts'

/**
 * What happened at the port that an administrator may ask about later. Names and texts of peers are not yet escaped.
 */
export interface GatewayAuditEvent {
  name: 'connection-refused' | 'tunnel-opened' | 'tunnel-refused' | 'tunnel-violation'
  /** `ip:port` of the peer. */
  address: string
  fingerprint?: Fingerprint
  detail: string
  /** Events before this one that were left out, because there were too many. */
  left?: number
}

export interface GatewayStats {
  connections: number
  tunnels: number
  /** Bytes of Kafka answers that went out through tunnels. */
  tunnelBytes: number
  tunnelRequests: number
}

export interface GatewayWorkerData {
  listen: HostPort
  certificatePem: string
  privateKeyPem: string
  internalSocketPath: string
  snapshot: GatewaySnapshot
  kafkaSpec?: DirectSpec
  limits: { front: Partial<FrontLimits>; tunnel: Partial<TunnelLimits> }
  log: { level: LogLevel; format: 'text' | 'json' }
}

/** Calls carry an id and are answered by `done` or `failed` with the same id. */
export type GatewayCall =
  | { kind: 'access'; snapshot: GatewaySnapshot }
  | { kind: 'revoke'; fingerprints: Fingerprint[] }
  | { kind: 'kafka'; spec: DirectSpec | undefined }
  | { kind: 'certificate'; certificatePem: string; privateKeyPem: string }
  | { kind: 'stats' }
  | { kind: 'close'; graceMs: number }

export type ToWorker = GatewayCall & { id: number }

export type FromWorker =
  | { kind: 'listening'; address: HostPort }
  | { kind: 'not-listening'; code: ErrorCode; message: string }
  | { kind: 'done'; id: number; stats?: GatewayStats }
  | { kind: 'failed'; id: number; code: ErrorCode; message: string }
  | { kind: 'audit'; event: GatewayAuditEvent }
