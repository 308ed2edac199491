import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { LinkspanError } from '../base/errors.ts'
import type { Fingerprint } from '../base/ids.ts'
import { neverExpires, parseExpiry } from './expiry.ts'

/** LXD's token, in its own field names and order: it is shown as an object by the API and as base64 by the CLI. */
export interface TrustToken {
  /** What the minter calls the link or the client. */
  client_name: string
  /** Of the certificate that the minter's port serves. */
  fingerprint: Fingerprint
  /** `host:port` of the minter. */
  addresses: string[]
  secret: string
  /** RFC 3339; a hint, the minter's stored copy decides. */
  expires_at: string
  /** The type of identity that it makes; empty in a token for the old trust store. */
  type: string
}

const secretBytes = 32
const tokenCharactersMax = 16 * 1024
const addressesMax = 64
const textCharactersMax = 1024

/** One line of standard base64 with padding, which any LXD client decodes. */
export function encodeToken(token: TrustToken): string {
  const { client_name, fingerprint, addresses, secret, expires_at, type } = token
  const ordered = { client_name, fingerprint, addresses, secret, expires_at, type }
  return Buffer.from(JSON.stringify(ordered), 'utf8').toString('base64')
}

/**
 * Reads a pasted token: white space anywhere, missing padding, unknown fields and any order are forgiven. Everything
 * else throws `token-undecodable`. What it says of expiry and type is the minter's to judge, not the reader's.
 */
export function decodeToken(text: string): TrustToken {
  const fields = parseFields(text)
  const { client_name, fingerprint, addresses, secret } = fields
  const expires_at = fields.expires_at ?? neverExpires
  const type = fields.type ?? ''
  if (!isText(client_name)) throw undecodable('it names no client')
  if (typeof fingerprint !== 'string' || !/^[0-9a-f]{64}$/i.test(fingerprint)) {
    throw undecodable('it has no certificate fingerprint of 64 hex digits')
  }
  if (!Array.isArray(addresses) || addresses.length === 0 || addresses.length > addressesMax) {
    throw undecodable(`it has no list of 1 to ${addressesMax} addresses`)
  }
  if (!addresses.every(isText)) throw undecodable('one of its addresses is empty or no text')
  if (!isText(secret)) throw undecodable('it has no secret')
  if (typeof expires_at !== 'string' || parseExpiry(expires_at) === undefined) {
    throw undecodable('its expiry is not a time')
  }
  if (type !== '' && !isText(type)) throw undecodable('its type is no text')
  return { client_name, fingerprint: fingerprint.toLowerCase(), addresses, secret, expires_at, type }
}

function parseFields(text: string): Record<string, unknown> {
  const base64 = text.replace(/\s+/g, '').replaceAll('-', '+').replaceAll('_', '/')
  if (base64 === '') throw undecodable('it is empty')
  if (base64.length > tokenCharactersMax) throw undecodable(`it is longer than ${tokenCharactersMax} characters`)
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw undecodable('it holds characters that are not base64')
  try {
    const json = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'))
    const fields: unknown = JSON.parse(json)
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) return { ...fields }
  } catch {
    // The parser's own message would quote the token, and with it the secret.
  }
  throw undecodable('it is cut off or changed')
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= textCharactersMax
}

function undecodable(problem: string): LinkspanError {
  const wayOut = 'copy it again whole, from its first to its last character, or ask for a new one'
  return new LinkspanError('token-undecodable', `This is not a usable token, ${problem}: ${wayOut}`)
}

/** 64 hex digits of randomness: too many to guess, so that a plain hash is enough to store. */
export function mintSecret(): string {
  return randomBytes(secretBytes).toString('hex')
}

/** What is stored in the secret's place. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex')
}

/** For many stored hashes: each takes the same time whether or not, and wherever, it differs. */
export function secretMatcher(secret: string): (hash: string) => boolean {
  const actual = Buffer.from(hashSecret(secret), 'hex')
  return (hash) => {
    const expected = Buffer.from(hash, 'hex')
    return expected.length === actual.length && timingSafeEqual(expected, actual)
  }
}
