import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { SaslMechanism } from '../../config.ts'

export type ScramHash = 'sha256' | 'sha512'

/** What SCRAM's server side keeps of a password (RFC 5802 §3). */
export interface ScramSecret {
  salt: Buffer
  iterations: number
  storedKey: Buffer
  serverKey: Buffer
  /** False: nobody has this name, and no proof will do. */
  known: boolean
}

interface User {
  passwordDigest: Buffer
  scram: Map<ScramHash, ScramSecret>
}

const derive = promisify(pbkdf2)

/** As Kafka's own tools make them; RFC 7677 asks for at least as many. */
export const scramIterations = 4096

/**
 * Users and their passwords, ready to be compared. Everything is derived at the start, and a name that nobody has is
 * put through the same work as one that somebody has: neither the time nor the answers tell them apart.
 */
export class SaslUsers {
  readonly #users = new Map<string, User>()
  /** Salts come from it, so that those of unknown names stay the same too; gone with the process. */
  readonly #secret = randomBytes(32)
  readonly #nobody = randomBytes(64)

  static async derive(
    users: readonly { name: string; password: string }[],
    mechanisms: readonly SaslMechanism[],
  ): Promise<SaslUsers> {
    const made = new SaslUsers()
    const hashes = mechanisms.flatMap((mechanism) => scramHashOf(mechanism) ?? [])
    for (const { name, password } of users) await made.#add(name, password, hashes)
    return made
  }

  checkPassword(name: string, password: string): boolean {
    const user = this.#users.get(name)
    const matches = timingSafeEqual(this.#digest(password), user?.passwordDigest ?? this.#nobody.subarray(0, 32))
    return matches && user !== undefined
  }

  scramSecret(name: string, hash: ScramHash): ScramSecret {
    const found = this.#users.get(name)?.scram.get(hash)
    const salt = this.#saltOf(name, hash)
    if (found) return found
    const key = this.#nobody.subarray(0, hash === 'sha256' ? 32 : 64)
    return { salt, iterations: scramIterations, storedKey: key, serverKey: key, known: false }
  }

  async #add(name: string, password: string, hashes: readonly ScramHash[]): Promise<void> {
    const scram = new Map<ScramHash, ScramSecret>()
    for (const hash of hashes) {
      const salt = this.#saltOf(name, hash)
      const salted = await derive(Buffer.from(password), salt, scramIterations, hash === 'sha256' ? 32 : 64, hash)
      const clientKey = createHmac(hash, salted).update('Client Key').digest()
      scram.set(hash, {
        salt,
        iterations: scramIterations,
        storedKey: createHash(hash).update(clientKey).digest(),
        serverKey: createHmac(hash, salted).update('Server Key').digest(),
        known: true,
      })
    }
    this.#users.set(name, { passwordDigest: this.#digest(password), scram })
  }

  #digest(password: string): Buffer {
    return createHmac('sha256', this.#secret).update(password).digest()
  }

  #saltOf(name: string, hash: ScramHash): Buffer {
    return createHmac('sha256', this.#secret).update(`${hash} ${name}`).digest().subarray(0, 16)
  }
}

export function scramHashOf(mechanism: SaslMechanism): ScramHash | undefined {
  if (mechanism === 'PLAIN') return undefined
  return mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
}
