import type { Entitlement, EntityRef } from '../contract/entities.ts'
import type { KafkaErrorName } from '../wire/errors.ts'

/** Who a connection speaks for, and what that one may do. Judged anew for each request. */
export interface BrokerSession {
  /** As Kafka writes it: `User:ANONYMOUS`, `User:alice`. */
  readonly principal: string
  /** As Kafka shows it in groups: `/127.0.0.1`. */
  readonly clientHost: string
  /** Our own daemon, over the internal Unix socket: raw appends, mirror topics, everything else too. */
  readonly internal: boolean
  /** Only where the listener takes logins. */
  readonly login?: SaslLogin | undefined
  /** True for everything, except where the connection is that of a Linkspan identity: then its permissions decide. */
  may(entitlement: Entitlement, entity: EntityRef): boolean
}

/** The server's side of SASL on one connection. */
export interface SaslLogin {
  /** Those that the listener takes. */
  readonly mechanisms: readonly string[]
  /** False when the mechanism is none of them. */
  begin(mechanism: string): boolean
  /** A refusal comes late on purpose, so that passwords are not tried in quick succession. */
  step(message: Uint8Array): Promise<SaslStep>
}

export type SaslStep = { ok: true; answer: Uint8Array } | { ok: false; error: KafkaErrorName; message: string }

/** The daemon itself. */
export const internalSession: BrokerSession = {
  principal: 'User:linkspan',
  clientHost: '/local',
  internal: true,
  may: () => true,
}
