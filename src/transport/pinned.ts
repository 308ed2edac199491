import { isIP, type OnReadOpts } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import type { Fingerprint } from '../base/ids.ts'
import { fingerprintOf } from '../identity/certificate.ts'
import { parseAddress } from './address.ts'
import { socketOpened } from './opening.ts'

/** What a peer must present: one certificate, or while it changes its own either of two. */
export type Pin = Fingerprint | readonly Fingerprint[]

export interface PinnedDialOptions {
  /** `host:port`, tried in turn. */
  addresses: readonly string[]
  /** SHA-256 of the DER of the certificate that the peer must present; names and roots do not matter. */
  fingerprint: Pin
  /** What we present, PEM, when the peer is to know us. */
  certificatePem?: string
  privateKeyPem?: string
  alpn?: string
  onread?: OnReadOpts
  /** For each address: connection and handshake together. */
  timeoutMs?: number
  signal?: AbortSignal
}

export interface PeerCertificate {
  certificatePem: string
  fingerprint: Fingerprint
}

const dialTimeoutMs = 10_000
/** Of our own default listener (DESIGN §9), as LXD's. */
const defaultPort = 8443

/**
 * Opens TLS 1.3 to the first address that presents the pinned certificate. The pin is compared before a byte of ours is
 * sent. Throws `wrong-fingerprint`, `timeout`, `unreachable`, `unsupported` (the protocol of `alpn` is not spoken
 * there).
 */
export async function dialPinned(options: PinnedDialOptions): Promise<TLSSocket> {
  let worst: LinkspanError | undefined
  for (const address of options.addresses) {
    try {
      return await dialPinnedAddress(address, options)
    } catch (error) {
      if (!isLinkspanError(error)) throw error
      // A wrong certificate tells more than an address that does not answer.
      if (worst?.code !== 'wrong-fingerprint') worst = error
    }
  }
  throw worst ?? new LinkspanError('unreachable', 'The peer has no address that we could dial')
}

async function dialPinnedAddress(address: string, options: PinnedDialOptions): Promise<TLSSocket> {
  const { fingerprint, certificatePem, privateKeyPem, alpn, onread, timeoutMs = dialTimeoutMs, signal } = options
  const socket = connect({
    ...endpointOf(address),
    ...(certificatePem === undefined ? {} : { cert: certificatePem }),
    ...(privateKeyPem === undefined ? {} : { key: privateKeyPem }),
    ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
    // Node's own types forget that a TLS socket takes it too.
    ...(onread === undefined ? {} : ({ onread } as object)),
  })
  const check = () => {
    checkPin(socket, fingerprint, address)
    if (alpn !== undefined && socket.alpnProtocol !== alpn) {
      throw new LinkspanError('unsupported', `${address} does not speak ${alpn}: a newer Linkspan is needed there`)
    }
  }
  socket.setNoDelay(true)
  return socketOpened(socket, { event: 'secureConnect', address, timeoutMs, signal, check })
}

export function isPinned(pin: Pin, fingerprint: Fingerprint): boolean {
  return typeof pin === 'string' ? pin === fingerprint : pin.includes(fingerprint)
}

function checkPin(socket: TLSSocket, pin: Pin, address: string): void {
  const certificate = socket.getPeerX509Certificate()
  const got = certificate ? fingerprintOf(certificate) : undefined
  if (got !== undefined && isPinned(pin, got)) return
  const expected = typeof pin === 'string' ? pin : pin[0]!
  const facts = `expected ${shortFingerprint(expected)}, got ${got ? shortFingerprint(got) : 'none'}`
  const causes = 'it is not the peer, or has a new certificate'
  const sentence = `${address} presented another certificate than the pinned one (${facts}): ${causes}`
  throw new LinkspanError('wrong-fingerprint', sentence, { details: { address, expected, got } })
}

/** Enough of it for people to compare. */
export function shortFingerprint(fingerprint: Fingerprint): string {
  return fingerprint.slice(0, 12)
}

/**
 * The certificate that an address presents, with no judgement at all, and nothing is sent but the handshake: for
 * showing a fingerprint to a person. Throws `timeout`, `unreachable`.
 */
export async function peekCertificate(
  address: string,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<PeerCertificate> {
  const { timeoutMs = dialTimeoutMs, signal } = options
  const socket = connect(endpointOf(address))
  try {
    await socketOpened(socket, { event: 'secureConnect', address, timeoutMs, signal })
    const certificate = socket.getPeerX509Certificate()
    if (!certificate) throw new LinkspanError('unreachable', `${address} presented no certificate`)
    return { certificatePem: certificate.toString(), fingerprint: fingerprintOf(certificate) }
  } finally {
    // What we owe the handshake goes out first: the other side would take us for somebody who broke it off.
    socket.destroySoon()
  }
}

/** Verification is off because pins decide, never names or roots; whoever dials compares the pin himself. */
function endpointOf(address: string): ConnectionOptions {
  const endpoint = parseAddress(address, defaultPort)
  const servername = isIP(endpoint.host) === 0 ? { servername: endpoint.host } : {}
  return { ...endpoint, ...servername, minVersion: 'TLSv1.3', rejectUnauthorized: false }
}
