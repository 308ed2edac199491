import { readIdentityCertificate } from '../access/access.ts'
import { checkCertificateFree } from '../access/identities.ts'
import type { IdentityCertificate } from '../access/rows.ts'
import { LinkspanError } from '../base/errors.ts'
import { newLinkId } from '../base/ids.ts'
import type { ConfigChanges } from '../contract/check-config.ts'
import type { ClusterLinkCertificate } from '../contract/v1.ts'
import type { RowsView } from '../store/rows.ts'
import { formatAddress, parseAddress } from '../transport/address.ts'
import { peekCertificate } from '../transport/pinned.ts'
import { changedConfig } from './config.ts'
import type { LinkContext } from './context.ts'
import { checkDescription, checkLinkFree, checkLinkName, requireLink } from './names.ts'
import { readPeerServer } from './peer.ts'
import { findLink, type LinkRow, linkTable } from './rows.ts'

/** A link to a cluster that does not know this one: its certificate is found first, and confirmed by a person. */
export interface PublicLinkRequest {
  name: string
  /** Empty: that of a link that still waits stays. */
  description: string
  config: ConfigChanges
  /** `host:port`; the port is 8443 when missing. */
  remoteAddress: string
  signal?: AbortSignal
}

export interface FoundPublicLink {
  link: LinkRow
  found: ClusterLinkCertificate
  /** False when the link was waiting already, and only what was found is newer. */
  isNew: boolean
}

export interface PublicLinkConfirmation {
  name: string
  /** PEM, or else the fingerprint: which certificate the person said yes to. */
  certificate: string
  fingerprint: string
}

const deadlineMs = 15_000
const dialTimeoutMs = 8000
const defaultPort = 8443

/**
 * Looks at the certificate that the address presents, with nothing to compare it with yet, and stores it to be
 * confirmed. Throws `already-exists` for a link that is confirmed or of another type, `unreachable`, `timeout`,
 * `unsupported`.
 */
export async function findPublicLink(context: LinkContext, request: PublicLinkRequest): Promise<FoundPublicLink> {
  checkLinkName(request.name)
  checkDescription(request.description)
  const address = formatAddress(parseAddress(request.remoteAddress, defaultPort))
  // Judged by what is here before anything is dialled, and again when it is stored.
  draft(context, context.store.rows, request)
  const certificate = await lookAt(context, address, request.signal)
  return context.access.execute('find public link', (rows) => {
    checkCertificateFree(rows, context.access.hooks, certificate.fingerprint)
    const { link: before, isNew } = draft(context, rows, request)
    const link: LinkRow = {
      ...before,
      config: {
        ...before.config,
        // As it comes back from people who edit the whole map: texts are trimmed.
        'volatile.pending_certificate': certificate.pem.trim(),
        'volatile.pending_address': address,
      },
    }
    const found = { fingerprint: certificate.fingerprint, certificate: certificate.pem }
    return { changes: [linkTable.put(link.id, link)], result: { link, found, isNew } }
  })
}

/** Who sets `volatile.*` beforehand does so in vain: LXD's tests say that such keys are ignored, not refused. */
function draft(context: LinkContext, rows: RowsView, request: PublicLinkRequest): { link: LinkRow; isNew: boolean } {
  const { name, description } = request
  const given = Object.entries(request.config).filter(([key]) => !key.startsWith('volatile.'))
  const config = (link: Pick<LinkRow, 'id' | 'config'>, creating: boolean) => {
    return changedConfig(context.sealer, link, Object.fromEntries(given), { dialect: 'lxd', creating })
  }
  const waiting = findLink(rows, name)
  if (waiting) {
    if (waiting.type !== 'public') {
      throw new LinkspanError('already-exists', `Cluster link ${JSON.stringify(name)} already exists`)
    }
    if (waiting.state !== 'pending') throw alreadyConfirmed(name)
    const link = { ...waiting, description: description || waiting.description, config: config(waiting, true) }
    return { link, isNew: false }
  }
  checkLinkFree(rows, name, rows.count(linkTable))
  const id = newLinkId()
  const link: LinkRow = {
    id,
    name,
    description,
    type: 'public',
    reach: 'peer',
    state: 'pending',
    config: config({ id, config: {} }, true),
    createdMs: context.clock.wallMs(),
  }
  return { link, isNew: true }
}

async function lookAt(
  context: LinkContext,
  address: string,
  given: AbortSignal | undefined,
): Promise<IdentityCertificate> {
  const deadline = AbortSignal.timeout(deadlineMs)
  const signal = given ? AbortSignal.any([given, deadline]) : deadline
  try {
    const { certificatePem, fingerprint } = await peekCertificate(address, { timeoutMs: dialTimeoutMs, signal })
    if (fingerprint === context.identity.clusterFingerprint) {
      throw new LinkspanError('own-token', `${address} is this cluster itself: give the address of another one`)
    }
    const certificate = readIdentityCertificate(certificatePem, context.clock)
    await readPeerServer({ addresses: [address], fingerprint, signal })
    return certificate
  } catch (error) {
    if (!deadline.aborted || error instanceof LinkspanError) throw error
    const sentence = `${address} did not answer within ${deadlineMs / 1000} s: nothing was changed, try again`
    throw new LinkspanError('timeout', sentence, { cause: error })
  }
}

/**
 * Pins the certificate that was found, if it is the one that was confirmed; nothing is dialled. Throws `not-found`,
 * `already-exists` (confirmed before), `invalid-request`, `wrong-fingerprint` (the link goes on waiting).
 */
export function confirmPublicLink(context: LinkContext, confirmation: PublicLinkConfirmation): Promise<LinkRow> {
  const { access, clock } = context
  const confirmed = confirmedFingerprint(context, confirmation)
  return access.execute('confirm public link', (rows) => {
    const link = requireLink(rows, confirmation.name)
    if (link.type !== 'public') {
      throw new LinkspanError(
        'invalid-request',
        `Cluster link "${link.name}" is not public: there is nothing to confirm`,
      )
    }
    if (link.state !== 'pending') throw alreadyConfirmed(link.name)
    const { 'volatile.pending_certificate': pem, 'volatile.pending_address': address, ...config } = link.config
    const { fingerprint, pem: certificatePem } = readIdentityCertificate(pem ?? '', clock)
    if (confirmed !== fingerprint) {
      const sentence = 'The certificate that was confirmed is not the one that was found: look at it again'
      throw new LinkspanError('wrong-fingerprint', sentence)
    }
    checkCertificateFree(rows, access.hooks, fingerprint)
    const active: LinkRow = {
      ...link,
      state: 'active',
      peer: { fingerprint, certificatePem },
      config: { ...config, 'volatile.addresses': address! },
    }
    return { changes: [linkTable.put(link.id, active)], result: active }
  })
}

function confirmedFingerprint(context: LinkContext, { certificate, fingerprint }: PublicLinkConfirmation): string {
  if (certificate.trim() !== '') return readIdentityCertificate(certificate, context.clock).fingerprint
  if (/^[0-9a-f]{64}$/i.test(fingerprint)) return fingerprint.toLowerCase()
  throw new LinkspanError('invalid-request', 'A fingerprint has 64 hex digits: give it whole')
}

function alreadyConfirmed(name: string): LinkspanError {
  const sentence = `Cluster link ${JSON.stringify(name)} is already confirmed`
  return new LinkspanError('already-exists', `${sentence}: delete it first to look at its certificate again`)
}
