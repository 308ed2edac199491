import { readIdentityCertificate } from '../access/access.ts'
import { checkCertificateFree } from '../access/identities.ts'
import type { IdentityCertificate } from '../access/rows.ts'
import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import { decodeToken } from '../identity/trust-token.ts'
import { formatAddress, parseAddress } from '../transport/address.ts'
import type { LinkContext } from './context.ts'
import { linkTokenType } from './mint.ts'
import { type AddressCheck, addressesToKeep, checkAddresses } from './peer.ts'
import { type LinkRow, linkOfIdentity, linkTable } from './rows.ts'
import { warnOfStrangers } from './warnings.ts'

/** What the other side sends; all of it may be hostile. */
export interface Activation {
  token: string
  /** PEM of its cluster certificate. */
  certificate: string
  /** `host:port` under which it can be called back. */
  addresses: readonly string[]
  signal?: AbortSignal
}

const addressesMax = 8
const addressCharactersMax = 300
const deadlineMs = 10_000
/** Calling back is work for us and for others: only so much of it goes on at a time. */
const activationsMax = 16
const defaultPort = 8443

export class Activator {
  readonly #context: LinkContext
  #running = 0

  constructor(context: LinkContext) {
    this.#context = context
  }

  /**
   * The token is spent last: until everything else is found good, it can be tried again. Throws `token-undecodable`,
   * `token-type`, `token-unknown`, `token-expired`, `invalid-request`, `already-exists`, `wrong-fingerprint`,
   * `unreachable`, `rate-limited`.
   */
  async activate(activation: Activation): Promise<LinkRow> {
    const secret = await this.#checkToken(activation.token)
    const addresses = checkList(activation.addresses)
    const certificate = this.#checkCertificate(activation.certificate)
    if (this.#running >= activationsMax) {
      throw new LinkspanError('rate-limited', 'Too many links are being made at once: try again in a moment')
    }
    this.#running += 1
    try {
      const check = await callBack(addresses, certificate, activation.signal)
      const link = await this.#spend(secret, certificate, addressesToKeep(check))
      await warnOfStrangers(this.#context, link, check)
      this.#context.sightings.saw(link.id, ...check.matching)
      return link
    } finally {
      this.#running -= 1
    }
  }

  async #checkToken(text: string): Promise<string> {
    const { access } = this.#context
    const { secret, type } = decodeToken(text)
    if (type !== linkTokenType) {
      throw new LinkspanError('token-type', 'This token is not for a cluster link: make one with "cluster link create"')
    }
    try {
      const pending = access.checkSecret(secret, 'cluster-link')
      requireLinkOf(this.#context.store.rows, pending.id)
    } catch (error) {
      // Its first use after its time is its end.
      if (isLinkspanError(error, 'token-expired')) await access.pruneExpired()
      throw error
    }
    return secret
  }

  #checkCertificate(text: string): IdentityCertificate {
    const { access, clock, identity, store } = this.#context
    if (text.trim() === '') {
      throw new LinkspanError('invalid-request', 'Give the certificate of your cluster together with the token')
    }
    const certificate = readIdentityCertificate(text, clock)
    if (certificate.fingerprint === identity.clusterFingerprint) {
      throw new LinkspanError('own-token', 'This token was made by this cluster: paste it on the other one')
    }
    checkCertificateFree(store.rows, access.hooks, certificate.fingerprint)
    return certificate
  }

  #spend(secret: string, certificate: IdentityCertificate, addresses: readonly string[]): Promise<LinkRow> {
    let active: LinkRow | undefined
    const spent = this.#context.access.activate(secret, 'cluster-link', certificate, (rows, pending, activated) => {
      const link = requireLinkOf(rows, pending.id)
      active = {
        ...link,
        state: 'active',
        identityId: activated.id,
        peer: { fingerprint: certificate.fingerprint, certificatePem: certificate.pem },
        config: { ...link.config, 'volatile.addresses': addresses.join(',') },
        // The token named some, and the peer asks for the rest as soon as it has its answer.
        announced: this.#context.addresses(),
      }
      return [linkTable.put(link.id, active)]
    })
    return spent.then(() => active!)
  }
}

function requireLinkOf(rows: LinkContext['store']['rows'], identityId: string): LinkRow {
  const link = linkOfIdentity(rows, identityId)
  if (link) return link
  const sentence = 'This token is for a one-way link: use it with --unidirectional'
  throw new LinkspanError('token-type', sentence)
}

function checkList(addresses: readonly string[]): string[] {
  if (addresses.length === 0) {
    throw new LinkspanError('invalid-request', 'Give the addresses under which your cluster can be called back')
  }
  const distinct = new Set(addresses.map(checkAddress))
  if (distinct.size <= addressesMax) return [...distinct]
  throw new LinkspanError('invalid-request', `At most ${addressesMax} addresses can be called back: give fewer`)
}

function checkAddress(text: string): string {
  if (text.length > addressCharactersMax) {
    throw new LinkspanError('invalid-request', `An address has at most ${addressCharactersMax} characters`)
  }
  return formatAddress(parseAddress(text, defaultPort))
}

async function callBack(
  addresses: readonly string[],
  certificate: IdentityCertificate,
  signal: AbortSignal | undefined,
): Promise<AddressCheck> {
  const deadline = AbortSignal.timeout(deadlineMs)
  const both = signal ? AbortSignal.any([signal, deadline]) : deadline
  const check = await checkAddresses(addresses, certificate.fingerprint, both)
  if (check.matching.length === 0) throw notReached(check)
  return check
}

function notReached(check: AddressCheck): LinkspanError {
  if (check.other.length > 0) {
    const problem = `${check.other.join(', ')} presented another certificate than the one that was sent`
    const wayOut = 'give the addresses of your own cluster with --advertise'
    return new LinkspanError('wrong-fingerprint', `${problem}: ${wayOut}`)
  }
  const problem = `Your cluster cannot be called back at ${check.silent.join(', ')}: ${check.reason}`
  const wayOut = 'start it with --listen and --advertise and an address that can be reached from here'
  return new LinkspanError('unreachable', `${problem}; ${wayOut}`)
}
