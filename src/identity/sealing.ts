import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { LinkspanError } from '../base/errors.ts'
import { readTextIfThere, writeFileAtomically } from './files.ts'

const cipher = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const keyIdCharacters = 8
/** sealed:VERSION:KEY ID:base64url of nonce, cipher text and tag. */
const sealedForm = /^sealed:1:([0-9a-f]{8}):([A-Za-z0-9_-]+)$/

/** Hides sensitive values where they are stored. A value opens only in the place (`context`) that it was sealed for. */
export interface Sealer {
  seal(plain: string, context: string): string
  /** Throws `corrupt` when the text was sealed under another key, for another place, or was changed since. */
  unseal(sealed: string, context: string): string
}

/** The sealer of a state directory; its key file is made at first start. */
export async function openSealer(directory: string): Promise<Sealer> {
  const path = join(directory, 'seal.key')
  const text = await readTextIfThere(path)
  if (text !== undefined) return createSealer(parseKey(text, path), path)
  const key = randomBytes(keyBytes)
  await writeFileAtomically(path, `${key.toString('hex')}\n`)
  return createSealer(key, path)
}

function parseKey(text: string, path: string): Buffer {
  const key = Buffer.from(text.trim(), 'hex')
  if (/^[0-9a-f]+$/i.test(text.trim()) && key.length === keyBytes) return key
  const expected = `${keyBytes * 2} hex digits`
  throw new LinkspanError('corrupt', `${path} is damaged, it must hold ${expected}: restore it from a backup`)
}

/** `origin` tells whoever reads an error which key file is meant. */
export function createSealer(key: Uint8Array, origin: string): Sealer {
  const keyId = createHash('sha256').update('linkspan seal key id').update(key).digest('hex').slice(0, keyIdCharacters)
  return {
    seal(plain, context) {
      const nonce = randomBytes(nonceBytes)
      const encryption = createCipheriv(cipher, key, nonce).setAAD(Buffer.from(context, 'utf8'))
      const parts = [nonce, encryption.update(plain, 'utf8'), encryption.final(), encryption.getAuthTag()]
      return `sealed:1:${keyId}:${Buffer.concat(parts).toString('base64url')}`
    },
    unseal(sealed, context) {
      const match = sealedForm.exec(sealed)
      const bytes = Buffer.from(match?.[2] ?? '', 'base64url')
      if (!match || bytes.length < nonceBytes + tagBytes) throw unopened(context, 'is not in a form that we know')
      if (match[1] !== keyId) throw unopened(context, `was sealed under another key than that of ${origin}`)
      const tag = bytes.subarray(bytes.length - tagBytes)
      const decryption = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes)).setAAD(
        Buffer.from(context, 'utf8'),
      )
      decryption.setAuthTag(tag)
      try {
        const body = bytes.subarray(nonceBytes, bytes.length - tagBytes)
        return Buffer.concat([decryption.update(body), decryption.final()]).toString('utf8')
      } catch {
        throw unopened(context, 'was changed or moved since it was sealed')
      }
    },
  }
}

/** Whether a stored text is a sealed one; a plain value that looks like one is sealed all the same. */
export function isSealed(text: string): boolean {
  return sealedForm.test(text)
}

function unopened(context: string, problem: string): LinkspanError {
  const wayOut = 'restore seal.key together with the state from one backup, or set the value again'
  return new LinkspanError('corrupt', `The sealed value of ${context} ${problem}: ${wayOut}`)
}
