import { type ErrorCode, errorTable, explainError, LinkspanError } from '../base/errors.ts'
import { escapeControl } from '../base/log.ts'
import { isPinned, type Pin, peekCertificate } from '../transport/pinned.ts'
import { type HttpAnswer, type HttpCall, socketHttp } from '../transport/pinned-fetch.ts'
import { addressTimeoutMs, dialPeer, type PeerDial } from './dial-peer.ts'

/** How the other side's addresses answered. */
export interface AddressCheck {
  /** All that were asked. */
  addresses: readonly string[]
  /** Presented the certificate that was expected. */
  matching: string[]
  /** PEM of it, from one of those. */
  certificatePem: string | undefined
  /** Presented another one. */
  other: string[]
  /** Did not answer, or not soon enough. */
  silent: string[]
  /** Why, for the first of the silent ones. */
  reason: string
}

/** Where somebody waits: once one address has answered, the others have so long. */
const othersGraceMs = 300
const peerTextCharactersMax = 500

/** Looks at the certificates that addresses present, all at the same time; nothing is sent but handshakes. */
export async function checkAddresses(
  addresses: readonly string[],
  pin: Pin,
  signal: AbortSignal,
  graceMs = othersGraceMs,
): Promise<AddressCheck> {
  const check: AddressCheck = { addresses, matching: [], certificatePem: undefined, other: [], silent: [], reason: '' }
  const found = new Map<string, 'matching' | 'other' | 'silent'>()
  const enough = Promise.withResolvers<void>()
  let timer: NodeJS.Timeout | undefined
  const peeks = addresses.map(async (address) => {
    try {
      const peer = await peekCertificate(address, { timeoutMs: addressTimeoutMs, signal })
      const matches = isPinned(pin, peer.fingerprint)
      found.set(address, matches ? 'matching' : 'other')
      if (!matches) return
      check.certificatePem ??= peer.certificatePem
      timer ??= setTimeout(() => enough.resolve(), graceMs)
    } catch (error) {
      found.set(address, 'silent')
      if (check.reason === '') check.reason = explainError(error)
    }
  })
  await Promise.race([Promise.all(peeks), enough.promise])
  clearTimeout(timer)
  for (const address of addresses) check[found.get(address) ?? 'silent'].push(address)
  return check
}

/** Those that present the certificate, and those that may do so later; in the order in which they were given. */
export function addressesToKeep({ addresses, other }: AddressCheck): string[] {
  return addresses.filter((address) => !other.includes(address))
}

/** Asked once, over the first address that is reached: a peer never gets the same request twice. */
export async function callPeer(
  call: PeerDial,
  request: { method: string; path: string; body?: object },
): Promise<{ answer: HttpAnswer; address: string }> {
  const { socket, address } = await dialPeer(call)
  await using http = socketHttp(socket, address)
  const { method, path, body } = request
  const json = body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}
  return { answer: await http({ method, path, ...json }, call.signal), address }
}

/** What `GET /1.0` tells. */
export interface PeerServer {
  trusted: boolean
  apiExtensions: string[]
  serverName: string
  /** Those that it says of itself; only to whom it trusts. */
  addresses: string[]
  /** We are not trusted because a restored host took our place; its generation. */
  supersededBy?: number
}

/** Throws the errors of the dial, and `unsupported` when something else answers there. */
export async function readPeerServer(call: PeerDial): Promise<PeerServer & { address: string }> {
  const { socket, address } = await dialPeer(call)
  await using http = socketHttp(socket, address)
  return { ...(await readServer(http, address, call.signal)), address }
}

export async function readServer(http: HttpCall, address: string, signal: AbortSignal): Promise<PeerServer> {
  const answer = await http({ method: 'GET', path: '/1.0' }, signal)
  const metadata = metadataOf(answer)
  const { api_extensions: extensions, auth, environment, superseded_by } = metadata as Record<string, unknown>
  if (answer.status !== 200 || typeof auth !== 'string' || !isTexts(extensions)) {
    throw new LinkspanError('unsupported', `What answers at ${address} is neither Linkspan nor LXD`)
  }
  const { server_name: name, addresses } = (environment ?? {}) as Record<string, unknown>
  return {
    trusted: auth === 'trusted',
    apiExtensions: extensions,
    serverName: typeof name === 'string' ? name : '',
    addresses: isTexts(addresses) ? addresses : [],
    ...(typeof superseded_by === 'number' ? { supersededBy: superseded_by } : {}),
  }
}

/** Undefined for an answer that is no envelope. */
export function metadataOf(answer: HttpAnswer): unknown {
  return parseBody(answer).metadata ?? {}
}

function parseBody(answer: HttpAnswer): { metadata?: unknown; error?: unknown } {
  try {
    return (JSON.parse(answer.body) ?? {}) as object
  } catch {
    return {}
  }
}

export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}

/** What the other side said no with: its own code, or the one that its status stands for, and its own words. */
export function peerRefusal(answer: HttpAnswer, address: string): LinkspanError {
  const { error } = parseBody(answer)
  const code = codeOf(answer)
  const text = typeof error === 'string' && error !== '' ? error : `status ${answer.status}`
  const shown = escapeControl(text.slice(0, peerTextCharactersMax))
  const details = { status: answer.status, peer: address }
  return new LinkspanError(code, `The cluster at ${address} refused: ${shown}`, { details })
}

function codeOf(answer: HttpAnswer): ErrorCode {
  const told = answer.headers['linkspan-error'] ?? ''
  // Its inner failure is none of ours, whose text would be kept from the operator.
  if (Object.hasOwn(errorTable, told) && told !== 'internal') return told as ErrorCode
  const byStatus: Record<number, ErrorCode> = {
    400: 'invalid-request',
    403: 'not-permitted',
    404: 'not-found',
    409: 'already-exists',
    429: 'rate-limited',
    501: 'unsupported',
    503: 'closed',
  }
  return byStatus[answer.status] ?? (answer.status >= 500 ? 'closed' : 'unsupported')
}
