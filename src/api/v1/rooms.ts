import type { Access } from '../../access/access.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { EntityType } from '../../contract/entities.ts'
import type { EventBus } from '../../events/bus.ts'
import type { Operations } from '../../events/operations.ts'
import type { Warnings } from '../../events/warnings.ts'
import type { TrustToken } from '../../identity/trust-token.ts'
import { Audit } from './audit.ts'

/** What the daemon is, for `GET /1.0` and for tokens. */
export interface ServerFacts {
  /** Of this host. */
  name: string
  version: string
  /** PEM and fingerprint of what the port serves now. */
  certificatePem: () => string
  fingerprint: () => string
  /** `host:port` under which others reach the port, now; empty while there is none. */
  addresses: () => string[]
  clusterId: string
  kafkaClusterId: () => string | null
  /** A linked cluster says that a restored host of this generation took our place. */
  supersededBy?: () => number | undefined
  /** Settings that a flag or the daemon itself fixes, shown with those of the API. */
  pinnedConfig: () => Record<string, string>
}

/** What the handlers of `/1.0` work with; handlers of further resources get it too. */
export interface V1Rooms {
  access: Access
  bus: EventBus
  operations: Operations
  warnings: Warnings
  clock: Clock
  log: Log
  server: ServerFacts
  /** Names of the entities of a type, for the list of what can be granted; types that are not here list none. */
  entityNames?: Partial<Record<EntityType, () => Promise<string[]> | string[]>>
}

export function auditOf(rooms: Pick<V1Rooms, 'bus'>): Audit {
  return new Audit(rooms.bus)
}

/** The token that hands out a pending identity's secret. */
export function tokenFor(
  server: ServerFacts,
  parts: { name: string; secret: string; expiresAt: string; type: string },
): TrustToken {
  return {
    client_name: parts.name,
    fingerprint: server.fingerprint(),
    addresses: server.addresses(),
    secret: parts.secret,
    expires_at: parts.expiresAt,
    type: parts.type,
  }
}
