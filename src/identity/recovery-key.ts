import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { LinkspanError } from '../base/errors.ts'

/**
 * Sealing for whoever holds an offline key: X25519 with a key pair of the moment, HKDF-SHA-256 (RFC 5869) and
 * AES-256-GCM, as HPKE (RFC 9180) puts them together. Each sealed text has a key of its own, so its nonce may be zero.
 */
export interface SealedForRecovery {
  /** The public key of the moment: 43 characters of base64url. */
  ephemeral: string
  /** Cipher text and tag. */
  body: Buffer
}

/** The server's config key that holds the public part. */
export const recoveryKeySetting = 'linkspan.backup.recovery_key'

const cipher = 'aes-256-gcm'
const keyBytes = 32
const tagBytes = 16
const nonce = Buffer.alloc(12)
const info = 'linkspan recovery 1'
const publicForm = /^x25519:([A-Za-z0-9_-]{43})$/

/** `publicText` is what the server is told, `secretPem` (PKCS #8) what is kept offline. */
export function createRecoveryKey(): { publicText: string; secretPem: string } {
  const { privateKey } = generateKeyPairSync('x25519')
  const secretPem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  return { publicText: recoveryKeyOf(privateKey), secretPem }
}

/** The public text of a secret. */
export function recoveryKeyOf(secret: KeyObject): string {
  return `x25519:${rawPublic(secret)}`
}

/** Throws `invalid-config` for a text that is no public recovery key. */
export function parseRecoveryKey(text: string): KeyObject {
  const raw = publicForm.exec(text.trim())?.[1]
  if (raw !== undefined) {
    try {
      const key = publicKeyOf(raw)
      // A point of small order is refused only when it is used: better now than at the first backup.
      sealForRecovery(key, new Uint8Array(), new Uint8Array())
      return key
    } catch {
      // Told below.
    }
  }
  const expected = 'the public part that "linkspan backup key create" prints, x25519:…'
  throw new LinkspanError('invalid-config', `This is no recovery key: give ${expected}`)
}

/** Throws `invalid-request` for a text that is no secret one. */
export function parseRecoverySecret(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'x25519') return key
  } catch {
    // Told below; the parser's own words say nothing to an operator.
  }
  const expected = 'the file that "linkspan backup key create" wrote'
  throw new LinkspanError('invalid-request', `This is not the secret part of a recovery key: give ${expected}`)
}

/** `aad` is not hidden, but cannot be changed either. */
export function sealForRecovery(recipient: KeyObject, plain: Uint8Array, aad: Uint8Array): SealedForRecovery {
  const { privateKey } = generateKeyPairSync('x25519')
  const ephemeral = rawPublic(privateKey)
  const key = sharedKey(privateKey, recipient, ephemeral, rawPublic(recipient))
  const encryption = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes })
  encryption.setAAD(withEphemeral(aad, ephemeral))
  const body = Buffer.concat([encryption.update(plain), encryption.final(), encryption.getAuthTag()])
  return { ephemeral, body }
}

/** Throws `corrupt` when it was sealed for another key, or when it or `aad` was changed since. */
export function openWithRecovery(secret: KeyObject, sealed: SealedForRecovery, aad: Uint8Array): Buffer {
  const { ephemeral, body } = sealed
  try {
    const key = sharedKey(secret, publicKeyOf(ephemeral), ephemeral, rawPublic(secret))
    const decryption = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes }).setAAD(
      withEphemeral(aad, ephemeral),
    )
    decryption.setAuthTag(body.subarray(body.length - tagBytes))
    return Buffer.concat([decryption.update(body.subarray(0, body.length - tagBytes)), decryption.final()])
  } catch {
    const problem = 'It cannot be opened: it was sealed for another recovery key, or changed since'
    throw new LinkspanError('corrupt', problem)
  }
}

function sharedKey(own: KeyObject, other: KeyObject, ephemeral: string, recipient: string): Uint8Array {
  const secret = diffieHellman({ privateKey: own, publicKey: other })
  return new Uint8Array(hkdfSync('sha256', secret, `${ephemeral}.${recipient}`, info, keyBytes))
}

function withEphemeral(aad: Uint8Array, ephemeral: string): Buffer {
  return Buffer.concat([aad, Buffer.from(ephemeral, 'ascii')])
}

function rawPublic(key: KeyObject): string {
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  return x as string
}

function publicKeyOf(raw: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: raw }, format: 'jwk' })
}
