import type { Fingerprint } from '../../base/ids.ts'
import type { Entitlement, EntityRef } from '../../contract/entities.ts'
import type { BrokerSession } from '../session.ts'
import type { AccessView } from './access-view.ts'
import type { ServerLogin } from './sasl/login.ts'

export interface ClientSessionOptions {
  clientHost: string
  access: AccessView
  /** Of the presented certificate, whose key the client holds. */
  fingerprint: Fingerprint | undefined
  login: ServerLogin | undefined
  /** Whoever can connect may do everything: a listener on loopback, without TLS and without logins. */
  open: boolean
}

/** Who a client is: whom it has logged in as, else the identity of its certificate, else anybody where that will do. */
export class ClientSession implements BrokerSession {
  readonly internal = false
  readonly clientHost: string
  readonly login: ServerLogin | undefined
  readonly #options: ClientSessionOptions

  constructor(options: ClientSessionOptions) {
    this.clientHost = options.clientHost
    this.login = options.login
    this.#options = options
  }

  get principal(): string {
    const name = this.login?.user ?? this.#identityName()
    return `User:${name ?? 'ANONYMOUS'}`
  }

  /** Whether it may ask for more than a login at this moment. */
  get admitted(): boolean {
    if (this.login?.user !== undefined || this.#options.open) return true
    return this.#identityName() !== undefined
  }

  may(entitlement: Entitlement, entity: EntityRef): boolean {
    const { open, fingerprint, access } = this.#options
    if (this.login?.user !== undefined || open) return true
    return fingerprint !== undefined && access.may(fingerprint, entitlement, entity)
  }

  #identityName(): string | undefined {
    const { fingerprint, access } = this.#options
    return fingerprint === undefined ? undefined : access.identity(fingerprint)?.name
  }
}
