import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { LinkspanError } from '../base/errors.ts'

const derive = promisify(pbkdf2)

/** RFC 7677 asks for at least 4096, as Kafka does; the upper bound keeps a hostile server from using up our time. */
export const scramIterationsMin = 4096
export const scramIterationsMax = 1_000_000
const messageCharactersMax = 8192
const saltBytesMax = 1024

export interface ScramLogin {
  hash: 'sha256' | 'sha512'
  username: string
  password: string
  /** For test vectors; random otherwise. */
  nonce?: string
}

/**
 * SCRAM without channel binding (RFC 5802, 7677), client side: `step` sends one message and gives the server's answer.
 * Names and passwords go as UTF-8 without SASLprep, as Kafka's own clients send them.
 * Errors: `not-trusted` when the server cannot prove that it knows the password, `malformed`.
 */
export async function scramLogin(login: ScramLogin, step: (message: Buffer) => Promise<Uint8Array>): Promise<void> {
  const nonce = login.nonce ?? randomBytes(24).toString('base64')
  const clientFirst = `n=${escapeName(login.username)},r=${nonce}`
  const serverFirst = messageText(await step(Buffer.from(`n,,${clientFirst}`)))
  const { salt, iterations, nonce: wholeNonce } = readServerFirst(serverFirst, nonce)

  const keyBytes = login.hash === 'sha256' ? 32 : 64
  const salted = await derive(Buffer.from(login.password), salt, iterations, keyBytes, login.hash)
  const clientKey = hmac(login.hash, salted, 'Client Key')
  const storedKey = createHash(login.hash).update(clientKey).digest()
  const withoutProof = `c=biws,r=${wholeNonce}`
  const signed = `${clientFirst},${serverFirst},${withoutProof}`
  const proof = exclusiveOr(clientKey, hmac(login.hash, storedKey, signed))
  const serverFinal = messageText(await step(Buffer.from(`${withoutProof},p=${proof.toString('base64')}`)))
  checkServerFinal(serverFinal, hmac(login.hash, hmac(login.hash, salted, 'Server Key'), signed))
}

function readServerFirst(message: string, ownNonce: string): { salt: Buffer; iterations: number; nonce: string } {
  const match = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9]\d{0,9})(?:,.*)?$/s.exec(message)
  if (!match) throw malformed('its first message cannot be read')
  const [, nonce = '', salt64 = '', iterationText = ''] = match
  if (!nonce.startsWith(ownNonce) || nonce.length === ownNonce.length) throw malformed('it did not extend our nonce')
  const iterations = Number(iterationText)
  if (iterations < scramIterationsMin || iterations > scramIterationsMax) {
    throw malformed(`${iterations} iterations are outside ${scramIterationsMin} to ${scramIterationsMax}`)
  }
  const salt = Buffer.from(salt64, 'base64')
  if (salt.length > saltBytesMax) throw malformed(`a salt of ${salt.length} bytes is too long`)
  return { salt, iterations, nonce }
}

function checkServerFinal(message: string, expected: Buffer): void {
  const match = /^v=([A-Za-z0-9+/]+={0,2})(?:,.*)?$/s.exec(message)
  if (!match) throw malformed('it sent no signature')
  const signature = Buffer.from(match[1] as string, 'base64')
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
    throw new LinkspanError(
      'not-trusted',
      'The Kafka server did not prove that it knows the password: it is not the server that it claims to be',
    )
  }
}

/** RFC 5802 §5.1: comma and equals sign structure the message. */
function escapeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}

function messageText(bytes: Uint8Array): string {
  if (bytes.length > messageCharactersMax) throw malformed(`a message of ${bytes.length} bytes is too long`)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}

function hmac(hash: string, key: Uint8Array, text: string): Buffer {
  return createHmac(hash, key).update(text).digest()
}

function exclusiveOr(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] as number)))
}

function malformed(reason: string): LinkspanError {
  return new LinkspanError('malformed', `The Kafka server broke the SCRAM login: ${reason}`)
}
