import { sleep } from '../../../base/clock.ts'
import type { SaslMechanism } from '../../config.ts'
import type { SaslLogin, SaslStep } from '../../session.ts'
import type { SaslExchange } from './exchange.ts'
import { PlainExchange } from './plain.ts'
import { ScramExchange } from './scram.ts'
import { type SaslUsers, scramHashOf } from './users.ts'

export interface ServerLoginOptions {
  mechanisms: readonly SaslMechanism[]
  users: SaslUsers
  failureDelayMs: number
}

/** Logging in on one connection, once or again: never as somebody else. */
export class ServerLogin implements SaslLogin {
  readonly mechanisms: readonly SaslMechanism[]
  readonly #options: ServerLoginOptions
  #exchange: SaslExchange | undefined
  #user: string | undefined
  #failed = false

  constructor(options: ServerLoginOptions) {
    this.mechanisms = options.mechanisms
    this.#options = options
  }

  /** Who has logged in. */
  get user(): string | undefined {
    return this.#user
  }

  /** Nothing more is to be taken from this connection. */
  get failed(): boolean {
    return this.#failed
  }

  begin(mechanism: string): boolean {
    const known = this.mechanisms.find((one) => one === mechanism)
    this.#exchange = undefined
    if (known) this.#exchange = createExchange(this.#options.users, known)
    else this.#failed = true
    return known !== undefined
  }

  async step(message: Uint8Array): Promise<SaslStep> {
    const exchange = this.#exchange
    if (!exchange) {
      this.#failed = true
      return { ok: false, error: 'ILLEGAL_SASL_STATE', message: 'SaslHandshake has to name a mechanism first' }
    }
    const step = exchange.step(message)
    if (step.kind === 'more') return { ok: true, answer: step.answer }
    this.#exchange = undefined
    if (step.kind === 'failed') return await this.#refuse(step.message)
    const before = this.#user
    if (before !== undefined && before !== step.user) {
      return await this.#refuse('Cannot change principals during re-authentication')
    }
    this.#user = step.user
    return { ok: true, answer: step.answer }
  }

  async #refuse(message: string): Promise<SaslStep> {
    this.#failed = true
    await sleep(this.#options.failureDelayMs)
    return { ok: false, error: 'SASL_AUTHENTICATION_FAILED', message }
  }
}

function createExchange(users: SaslUsers, mechanism: SaslMechanism): SaslExchange {
  const hash = scramHashOf(mechanism)
  return hash === undefined ? new PlainExchange(users) : new ScramExchange(users, mechanism, hash)
}
