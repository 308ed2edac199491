import { createHash, createSign, createVerify, type KeyObject, X509Certificate } from 'node:crypto'
import { LinkspanError } from '../base/errors.ts'
import type { Fingerprint } from '../base/ids.ts'
import { fingerprintOf } from '../identity/certificate.ts'
import type { KeyPair } from '../identity/keys.ts'
import { openWithRecovery, parseRecoveryKey, sealForRecovery } from '../identity/recovery-key.ts'

/** What everybody who has a backup may read of it, and nobody can change. */
export interface BackupFacts {
  cluster_id: string
  /** The host whose state it is. */
  instance: string
  /** How often the cluster had been restored, from 1. */
  generation: number
  /** Of the cluster's certificate, whose key signed it. */
  fingerprint: Fingerprint
  created_at: string
  /** LXD's zero time: never. */
  expires_at: string
  /** Of the Linkspan that made it. */
  version: string
  /** Whose secret opens it. */
  recovery_key: string
}

/**
 * A backup as a file:
 *
 *     "LSPNBAK1" · length of the front (4 bytes) · front (JSON) · body · length of the seal (4 bytes) · seal (JSON)
 *
 * The front holds the facts, the public key of the moment and the body's length. The body is the state, sealed for the
 * recovery key, with all that stands before it as additional data. The seal holds the digest of everything before it,
 * signed by the cluster's key: so a cluster that can open nothing can still tell whether it is whole, and whose it is.
 */
export interface BackupFile {
  facts: BackupFacts
  /** SHA-256 of everything before the seal. */
  digest: string
  /** PEM of the certificate whose key signed it. */
  certificatePem: string
}

interface Front extends BackupFacts {
  ephemeral: string
  body_bytes: number
}

interface Seal {
  digest: string
  signature: string
  certificate: string
}

const magic = Buffer.from('LSPNBAK1', 'ascii')
const lengthBytes = 4
const frontBytesMax = 16 * 1024
const sealBytesMax = 64 * 1024
/** More state than one daemon has; a file that says more of itself is none of ours. */
export const backupBytesMax = 512 * 1024 * 1024

/** How much of a file `readFacts` needs. */
export const frontReachBytes = magic.length + lengthBytes + frontBytesMax

export function encodeBackup(facts: BackupFacts, plain: Uint8Array, signer: KeyPair): Buffer {
  const recipient = parseRecoveryKey(facts.recovery_key)
  // What the body is bound to cannot hold what sealing it yields: the facts stand for the front.
  const { ephemeral, body } = sealForRecovery(recipient, plain, additionalData(facts))
  const front = JSON.stringify({ ...facts, ephemeral, body_bytes: body.length } satisfies Front)
  const signed = Buffer.concat([magic, withLength(front), body])
  const signature = createSign('sha384').update(signed).sign(signer.privateKeyPem, 'hex')
  const digest = digestOf(signed)
  const seal: Seal = { digest, signature, certificate: signer.certificatePem }
  return Buffer.concat([signed, withLength(JSON.stringify(seal))])
}

/** The facts at the beginning of a file, unproven. Throws `corrupt`. */
export function readFacts(beginning: Buffer): BackupFacts {
  const { ephemeral: _, body_bytes: __, ...facts } = readFront(beginning).front
  return facts
}

/** Proves that a backup is whole and signed by the certificate that it names. Throws `corrupt`. */
export function verifyBackup(bytes: Buffer): BackupFile {
  const { front, bodyAt } = readFront(bytes)
  const sealAt = bodyAt + front.body_bytes
  const signed = bytes.subarray(0, sealAt)
  const seal = readSeal(bytes.subarray(sealAt))
  const digest = digestOf(signed)
  if (signed.length !== sealAt || seal.digest !== digest) throw damaged('its content is not what was written')
  const certificate = readCertificate(seal.certificate)
  const isNamed = fingerprintOf(certificate) === front.fingerprint
  if (!isNamed || !isSigned(signed, seal.signature, certificate)) {
    throw damaged('it is not signed by the cluster that it names')
  }
  return { facts: readFacts(bytes), digest, certificatePem: seal.certificate }
}

/** The state in a backup that was verified. Throws `corrupt` for another recovery key. */
export function openBackup(bytes: Buffer, secret: KeyObject): Buffer {
  const { front, bodyAt } = readFront(bytes)
  const { ephemeral, body_bytes: bodyBytes } = front
  const body = bytes.subarray(bodyAt, bodyAt + bodyBytes)
  return openWithRecovery(secret, { ephemeral, body }, additionalData(readFacts(bytes)))
}

function readFront(bytes: Buffer): { front: Front; bodyAt: number } {
  const at = magic.length + lengthBytes
  if (bytes.length < at || !bytes.subarray(0, magic.length).equals(magic)) {
    throw new LinkspanError('corrupt', 'This is no backup of a Linkspan, or one of a newer version: give another file')
  }
  const length = bytes.readUInt32BE(magic.length)
  const bodyAt = at + length
  if (length > frontBytesMax || bytes.length < bodyAt) throw damaged('its beginning is cut off')
  const front = parseObject(bytes.subarray(at, bodyAt)) as Partial<Front> | undefined
  const texts = ['cluster_id', 'instance', 'fingerprint', 'created_at', 'expires_at', 'recovery_key', 'ephemeral']
  const isFront =
    front !== undefined &&
    texts.every((name) => typeof (front as Record<string, unknown>)[name] === 'string') &&
    Number.isInteger(front.generation) &&
    Number.isInteger(front.body_bytes) &&
    front.body_bytes! >= 0 &&
    front.body_bytes! <= backupBytesMax
  if (!isFront) throw damaged('its beginning cannot be read')
  return { front: front as Front, bodyAt }
}

/** One form only, so that no byte of a file can be changed unseen. */
function readSeal(bytes: Buffer): Seal {
  if (bytes.length < lengthBytes || bytes.length > sealBytesMax) throw damaged('its end is cut off')
  const text = bytes.subarray(lengthBytes)
  const { digest, signature, certificate } = (parseObject(text) ?? {}) as Partial<Seal>
  const seal = { digest: String(digest), signature: String(signature), certificate: String(certificate) }
  const isWhole = bytes.readUInt32BE(0) === text.length && withLength(JSON.stringify(seal)).equals(bytes)
  if (!isWhole || !/^[0-9a-f]+$/.test(seal.signature)) throw damaged('its end cannot be read')
  return seal
}

function readCertificate(pem: string): X509Certificate {
  try {
    const certificate = new X509Certificate(pem)
    if (certificate.toString() === pem) return certificate
  } catch {
    // Told below.
  }
  throw damaged('the certificate in it cannot be read')
}

function isSigned(signed: Buffer, signature: string, certificate: X509Certificate): boolean {
  try {
    return createVerify('sha384').update(signed).verify(certificate.publicKey, signature, 'hex')
  } catch {
    return false
  }
}

function parseObject(bytes: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function additionalData(facts: BackupFacts): Buffer {
  return Buffer.concat([magic, Buffer.from(JSON.stringify(Object.entries(facts).sort()), 'utf8')])
}

function withLength(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  const length = Buffer.alloc(lengthBytes)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function damaged(problem: string): LinkspanError {
  return new LinkspanError('corrupt', `This backup is damaged, ${problem}: take another one`)
}
