import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { SaslMechanism } from '../../config.ts'
import { type ExchangeStep, type SaslExchange, saslText } from './exchange.ts'
import type { SaslUsers, ScramHash, ScramSecret } from './users.ts'

interface Begun {
  user: string
  secret: ScramSecret
  /** What the client's proof and our signature cover: `client-first-bare,server-first`. */
  signedStart: string
  nonce: string
  /** Base64 of the header that the client began with, which it has to repeat. */
  channel: string
}

/**
 * SCRAM without channel binding (RFC 5802, 7677), server side, without SASLprep, as Kafka's clients send it. For a name
 * that nobody has the exchange goes on to the end, with a salt that is always the same.
 */
export class ScramExchange implements SaslExchange {
  readonly #users: SaslUsers
  readonly #hash: ScramHash
  readonly #failure: ExchangeStep
  readonly #ownNonce: string
  #begun: Begun | undefined

  /** `ownNonce`: for test vectors. */
  constructor(
    users: SaslUsers,
    mechanism: SaslMechanism,
    hash: ScramHash,
    ownNonce = randomBytes(24).toString('base64'),
  ) {
    this.#users = users
    this.#hash = hash
    this.#ownNonce = ownNonce
    const problem = 'Authentication failed during authentication due to invalid credentials'
    this.#failure = { kind: 'failed', message: `${problem} with SASL mechanism ${mechanism}` }
  }

  step(message: Uint8Array): ExchangeStep {
    const text = saslText(message)
    if (text === undefined) return this.#failure
    return this.#begun ? this.#final(text, this.#begun) : this.#first(text)
  }

  #first(text: string): ExchangeStep {
    const match = /^(n,(?:a=([^,]*))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/s.exec(text)
    if (!match) return this.#failure
    const [, header = '', actsFor, bare = '', name = '', clientNonce = ''] = match
    const user = plainName(name)
    if (user === undefined || (actsFor !== undefined && actsFor !== '' && plainName(actsFor) !== user)) {
      return this.#failure
    }
    const secret = this.#users.scramSecret(user, this.#hash)
    const nonce = clientNonce + this.#ownNonce
    const serverFirst = `r=${nonce},s=${secret.salt.toString('base64')},i=${secret.iterations}`
    const channel = Buffer.from(header).toString('base64')
    this.#begun = { user, secret, signedStart: `${bare},${serverFirst}`, nonce, channel }
    return { kind: 'more', answer: Buffer.from(serverFirst) }
  }

  #final(text: string, { user, secret, signedStart, nonce, channel }: Begun): ExchangeStep {
    const match = /^(c=([A-Za-z0-9+/=]+),r=([^,]+)(?:,.*)?),p=([A-Za-z0-9+/]+={0,2})$/s.exec(text)
    if (!match) return this.#failure
    const [, withoutProof = '', sentChannel, sentNonce, proof64 = ''] = match
    const signed = `${signedStart},${withoutProof}`
    const proven = this.#isProven(secret, signed, Buffer.from(proof64, 'base64'))
    if (!proven || !secret.known || sentChannel !== channel || sentNonce !== nonce) return this.#failure
    const signature = createHmac(this.#hash, secret.serverKey).update(signed).digest('base64')
    return { kind: 'done', user, answer: Buffer.from(`v=${signature}`) }
  }

  #isProven({ storedKey }: ScramSecret, signed: string, proof: Buffer): boolean {
    const signature = createHmac(this.#hash, storedKey).update(signed).digest()
    if (proof.length !== signature.length) return false
    const clientKey = Buffer.from(signature.map((byte, index) => byte ^ (proof[index] as number)))
    return timingSafeEqual(createHash(this.#hash).update(clientKey).digest(), storedKey)
  }
}

/** RFC 5802 §5.1: commas and equals signs are escaped; any other `=` is a mistake. */
function plainName(escaped: string): string | undefined {
  if (/=(?!2C|3D)/.test(escaped)) return undefined
  return escaped.replaceAll('=2C', ',').replaceAll('=3D', '=')
}
