import type { AccessSnapshot } from '../access/snapshot.ts'
import type { ErrorCode } from '../base/errors.ts'
import type { LogLevel } from '../base/log.ts'
import type { HostPort } from '../transport/address.ts'
import type { BrokerConfig, ListenerSecurity, ServerCertificate, TopicDefaults } from './config.ts'

export interface BrokerWorkerData {
  folder: string
  /** Of a broker that is made now. */
  clusterId: string | undefined
  listen: HostPort
  /** Where it listens, unless told; port 0 is the port that it got. */
  advertise: HostPort | undefined
  security: ListenerSecurity
  config: BrokerConfig
  topicDefaults: TopicDefaults
  socketPath: string
  snapshot: AccessSnapshot
  log: { level: LogLevel; format: 'text' | 'json' }
}

/** Calls carry an id and are answered by `done` or `failed` with the same id. */
export type BrokerCall =
  | { kind: 'access'; snapshot: AccessSnapshot }
  | { kind: 'certificate'; certificate: ServerCertificate }
  | { kind: 'close'; graceMs: number }

export type ToWorker = BrokerCall & { id: number }

export type FromWorker =
  | { kind: 'listening'; address: HostPort; advertised: HostPort; clusterId: string }
  | { kind: 'not-listening'; code: ErrorCode; message: string }
  | { kind: 'done'; id: number }
  | { kind: 'failed'; id: number; code: ErrorCode; message: string }
