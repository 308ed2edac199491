import { isLinkspanError, LinkspanError } from '../../base/errors.ts'
import type { Fingerprint } from '../../base/ids.ts'
import { formatAddress, parseAddress } from '../../transport/address.ts'
import { type PeerCertificate, peekCertificate, shortFingerprint } from '../../transport/pinned.ts'

const defaultPort = 8443
const dialTimeoutMs = 5000
const addressesMax = 64

/** What all addresses of a daemon presented. */
export interface Found extends PeerCertificate {
  /** Those that answered first, then those that were silent. */
  addresses: string[]
  /** Those that presented another certificate: they are somebody else's. */
  strangers: string[]
}

/** `host:port`, or several parted by commas; `https://` and a slash at the end are forgiven. Throws `usage`. */
export function parseAddresses(text: string): string[] {
  const parts = text.split(',').filter((part) => part.trim() !== '')
  if (parts.length === 0 || parts.length > addressesMax) {
    throw new LinkspanError('usage', `Expected 1 to ${addressesMax} addresses such as HOST:PORT, got "${text}"`)
  }
  return parts.map((part) => {
    const bare = part
      .trim()
      .replace(/^https:\/\//, '')
      .replace(/\/$/, '')
    return formatAddress(parseAddress(bare, defaultPort))
  })
}

/**
 * Dials all addresses at once, sends nothing but the handshake, and tells what certificate is there: the expected one,
 * or else the one that all who answered presented. Throws `wrong-fingerprint`, `unreachable`.
 */
export async function findCertificate(addresses: readonly string[], expected?: Fingerprint): Promise<Found> {
  const answers = await Promise.all(addresses.map(peek))
  const answered = answers.flatMap(({ address, peer }) => (peer ? [{ address, peer }] : []))
  const wanted = expected ?? answered[0]?.peer.fingerprint
  const good = answered.filter(({ peer }) => peer.fingerprint === wanted)
  const others = answered.filter(({ peer }) => peer.fingerprint !== wanted)
  const [other] = others
  const [first] = good
  // One good address is enough where we know whom we look for; else nobody can tell which of two is the right one.
  if (first && (expected !== undefined || !other)) {
    const silent = answers.filter(({ peer }) => !peer).map(({ address }) => address)
    const strangers = others.map(({ address }) => address)
    return { ...first.peer, addresses: [...good.map(({ address }) => address), ...silent], strangers }
  }
  if (other) throw otherCertificate(other.address, other.peer.fingerprint, wanted!)
  const reasons = answers.map(({ problem }) => problem?.message)
  throw new LinkspanError('unreachable', `No address answers: ${reasons.join('; ')}`)
}

interface Answer {
  address: string
  peer?: PeerCertificate
  problem?: LinkspanError
}

async function peek(address: string): Promise<Answer> {
  try {
    return { address, peer: await peekCertificate(address, { timeoutMs: dialTimeoutMs }) }
  } catch (problem) {
    if (!isLinkspanError(problem)) throw problem
    return { address, problem }
  }
}

function otherCertificate(address: string, got: Fingerprint, wanted: Fingerprint): LinkspanError {
  const facts = `expected ${shortFingerprint(wanted)}, got ${shortFingerprint(got)}`
  const sentence = `${address} presented another certificate (${facts}): it is not the daemon that is meant`
  return new LinkspanError('wrong-fingerprint', `${sentence}, so nothing was sent`, {
    details: { address, got, wanted },
  })
}
