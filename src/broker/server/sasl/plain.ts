import { type ExchangeStep, type SaslExchange, saslText } from './exchange.ts'
import type { SaslUsers } from './users.ts'

/** As Apache's broker says it. */
const failure = 'Authentication failed: Invalid username or password'

/** RFC 4616: `[authzid] NUL name NUL password`; nobody acts for another. */
export class PlainExchange implements SaslExchange {
  readonly #users: SaslUsers

  constructor(users: SaslUsers) {
    this.#users = users
  }

  step(message: Uint8Array): ExchangeStep {
    const parts = saslText(message)?.split('\0') ?? []
    const [actsFor = '', user = '', password = ''] = parts
    if (parts.length !== 3 || user === '') return { kind: 'failed', message: failure }
    const accepted = this.#users.checkPassword(user, password)
    if (!accepted || (actsFor !== '' && actsFor !== user)) return { kind: 'failed', message: failure }
    return { kind: 'done', user, answer: Buffer.alloc(0) }
  }
}
