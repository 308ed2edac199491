import { LinkspanError } from './errors.ts'

/** Lower-case dashed UUIDs. A link id names the one object that both dialects show. */
export type LinkId = string & { readonly kind?: 'link' }
/** Minted whenever a topic becomes a mirror: create, adopt, reverse, restore. */
export type MirrorId = string & { readonly kind?: 'mirror' }
/** UUID of a Linkspan cluster, made at first start; not the id of the Kafka that it fronts. */
export type ClusterId = string & { readonly kind?: 'cluster' }
/** 64 lower-case hex digits: SHA-256 of a certificate's DER. The host id is that of the host's own certificate. */
export type Fingerprint = string & { readonly kind?: 'fingerprint' }

export function newLinkId(): LinkId {
  return crypto.randomUUID()
}

export function newMirrorId(): MirrorId {
  return crypto.randomUUID()
}

export function newClusterId(): ClusterId {
  return crypto.randomUUID()
}

/** 22 characters of URL-safe base64: how Kafka and Confluent's API write a UUID (`cluster_link_id`). */
export function shortId(uuid: string): string {
  const pairs = uuid.replaceAll('-', '').match(/../g) ?? []
  const binary = String.fromCharCode(...pairs.map((pair) => Number.parseInt(pair, 16)))
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** The dashed form of a 22-character id; throws `invalid-request` when it is none. */
export function longId(short: string): string {
  const standard = short.replaceAll('-', '+').replaceAll('_', '/')
  const binary = /^[A-Za-z0-9+/]{22}$/.test(standard) ? atob(`${standard}==`) : ''
  const hex = [...binary].map((character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('')
  if (hex.length !== 32) throw new LinkspanError('invalid-request', `"${short}" is not an id of 22 base64 characters`)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
