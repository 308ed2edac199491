import { readIdentityCertificate } from '../access/access.ts'
import { checkGroups } from '../access/groups.ts'
import { createIdentityChanges } from '../access/identities.ts'
import type { IdentityCertificate } from '../access/rows.ts'
import { explainError, isLinkspanError, LinkspanError } from '../base/errors.ts'
import { type LinkId, newLinkId } from '../base/ids.ts'
import { decodeToken, encodeToken, type TrustToken } from '../identity/trust-token.ts'
import type { RowChange } from '../store/row-log.ts'
import type { RowsView } from '../store/rows.ts'
import { ownAddresses, readableAddresses } from './addresses.ts'
import { deleteLinkChanges } from './change.ts'
import { changedConfig } from './config.ts'
import type { LinkContext } from './context.ts'
import { type LinkRequest, linkTokenType, notListening } from './mint.ts'
import { checkDescription, checkLinkFree, checkLinkName } from './names.ts'
import { type AddressCheck, addressesToKeep, callPeer, checkAddresses, peerRefusal, readPeerServer } from './peer.ts'
import { type LinkRow, linkOfPeer, linkTable } from './rows.ts'
import { warnOfStrangers } from './warnings.ts'

export interface ConsumeRequest extends LinkRequest {
  token: string
  /** `unidirectional`: we may call the other side, it may not call us. */
  type: 'bidirectional' | 'unidirectional'
  signal?: AbortSignal
}

const deadlineMs = 30_000
/** The minter calls no more than these back. */
const calledBackMax = 8
/** For finding out what became of a token whose answer was lost. */
const doubtMs = 5000

export async function consumeToken(context: LinkContext, request: ConsumeRequest): Promise<LinkRow> {
  checkLinkName(request.name)
  const token = readToken(request.token)
  checkToken(context, token, request)
  const id = newLinkId()
  // Judged by what is here before anything is dialled, and again when it is stored.
  linkChanges(context, context.store.rows, { id, request, token })
  const deadline = AbortSignal.timeout(deadlineMs)
  const signal = request.signal ? AbortSignal.any([request.signal, deadline]) : deadline
  try {
    return await establish(context, { id, request, token, signal })
  } catch (error) {
    if (!deadline.aborted || isLinkspanError(error)) throw error
    const sentence = `The other cluster did not answer within ${deadlineMs / 1000} s: nothing was changed, try again`
    throw new LinkspanError('timeout', sentence, { cause: error })
  }
}

/** With its addresses in the form in which they are kept. */
function readToken(text: string): TrustToken {
  const token = decodeToken(text)
  const addresses = readableAddresses(token.addresses)
  if (addresses.length > 0) return { ...token, addresses }
  const sentence = 'This is not a usable token, none of its addresses is HOST:PORT: ask for a new one'
  throw new LinkspanError('token-undecodable', sentence)
}

function checkToken(context: LinkContext, token: TrustToken, request: ConsumeRequest): void {
  checkDescription(request.description)
  if (token.fingerprint === context.identity.clusterFingerprint) {
    throw new LinkspanError('own-token', 'This token was made by this cluster: paste it on the other one')
  }
  if (token.type !== linkTokenType) {
    const found = token.type === '' ? 'the old trust store' : `the type "${token.type}"`
    const sentence = `This token is for ${found}, not for a cluster link: make one with "cluster link create"`
    throw new LinkspanError('token-type', sentence)
  }
  if (request.type === 'bidirectional' && ownAddresses(context, request.addresses).length === 0) {
    throw notListening('The other cluster could not call back')
  }
}

interface Establishing {
  id: LinkId
  request: ConsumeRequest
  token: TrustToken
  signal: AbortSignal
}

async function establish(context: LinkContext, parts: Establishing): Promise<LinkRow> {
  const { id, request, token, signal } = parts
  const check = await checkAddresses(token.addresses, token.fingerprint, signal)
  if (check.certificatePem === undefined) throw notTheMinter(token, check)
  const certificate = readIdentityCertificate(check.certificatePem, context.clock)
  const { apiExtensions } = await readPeerServer({ addresses: check.matching, fingerprint: token.fingerprint, signal })
  if (!apiExtensions.includes('cluster_links')) {
    const sentence = `The cluster at ${check.matching[0]} knows no cluster links: it needs a newer version`
    throw new LinkspanError('unsupported', sentence)
  }
  const addresses = addressesToKeep(check)
  await context.access.execute('establish link', (rows) => {
    return { changes: linkChanges(context, rows, { id, request, token, certificate, addresses }), result: undefined }
  })
  try {
    await activateThere(context, parts, check.matching)
  } catch (error) {
    await rollBack(context, id)
    throw error
  }
  const link = await confirmLink(context, id)
  await warnOfStrangers(context, link, check)
  context.sightings.saw(id, ...check.matching)
  return link
}

/** What makes up the link here. Throws what stands in its way. */
function linkChanges(
  context: LinkContext,
  rows: RowsView,
  parts: {
    id: LinkId
    request: ConsumeRequest
    token: TrustToken
    certificate?: IdentityCertificate
    addresses?: readonly string[]
  },
): RowChange[] {
  const { id, request, token, certificate, addresses = token.addresses } = parts
  const { name, description, type, authGroups } = request
  const linked = linkOfPeer(rows, token.fingerprint)
  if (linked) {
    const sentence = `The two clusters are linked already, here by cluster link ${JSON.stringify(linked.name)}`
    throw new LinkspanError('already-exists', `${sentence}: use that one, or delete it first`)
  }
  checkLinkFree(rows, name, rows.count(linkTable))
  const config = changedConfig(context.sealer, { id, config: {} }, request.config, { dialect: 'lxd', creating: true })
  const nowMs = context.clock.wallMs()
  const { hooks } = context.access
  const peer = { fingerprint: token.fingerprint, certificatePem: certificate?.pem ?? '' }
  const link: LinkRow = {
    id,
    name,
    description,
    type,
    reach: 'peer',
    state: 'pending',
    peer,
    config: { ...config, 'volatile.addresses': addresses.join(',') },
    createdMs: nowMs,
  }
  if (type === 'unidirectional') {
    if (authGroups.length > 0) {
      const sentence = 'A one-way link gives the other side no rights here: leave the groups out'
      throw new LinkspanError('invalid-request', sentence)
    }
    return [linkTable.put(id, link)]
  }
  checkGroups(rows, authGroups)
  const facts = certificate ?? { pem: '', fingerprint: token.fingerprint, validFromMs: 0, validToMs: 0 }
  const input = { kind: 'cluster-link', name, groups: authGroups, nowMs, certificate: facts } as const
  const { changes, identity } = createIdentityChanges(rows, hooks, input)
  return [...changes, linkTable.put(id, { ...link, identityId: identity.id })]
}

function notTheMinter(token: TrustToken, check: AddressCheck): LinkspanError {
  const wanted = token.fingerprint.slice(0, 12)
  if (check.other.length > 0) {
    const problem = `${check.other.join(', ')} presented another certificate than the token says (${wanted}…)`
    const wayOut = 'it is not the cluster that made the token, so nothing was sent; ask for a new token'
    return new LinkspanError('wrong-fingerprint', `${problem}: ${wayOut}`)
  }
  const problem = `No address of the token can be reached (${check.silent.join(', ')}): ${check.reason}`
  const wayOut =
    'start the other cluster with --advertise and an address that this host can reach, and make a new token'
  return new LinkspanError('unreachable', `${problem}; ${wayOut}`)
}

async function activateThere(
  context: LinkContext,
  { request, token, signal }: Establishing,
  addresses: readonly string[],
): Promise<void> {
  const { cluster } = context.identity
  const { fingerprint } = token
  try {
    const { answer, address } =
      request.type === 'bidirectional'
        ? await callPeer({ addresses, fingerprint, signal }, activation(context, request, token))
        : await callPeer({ addresses, fingerprint, as: cluster, signal }, identityActivation(token))
    if (answer.status !== 200 && answer.status !== 201) throw peerRefusal(answer, address)
  } catch (error) {
    if (isRefusal(error)) throw error
    // The answer was lost, and perhaps only that: whether we are trusted there now tells.
    const patience = AbortSignal.timeout(doubtMs)
    const call = { addresses, fingerprint, as: cluster, signal: patience }
    const there = await readPeerServer(call).catch(() => undefined)
    if (there?.trusted) return
    const problem = `The link was not made, the other cluster did not answer: ${explainError(error)}`
    const wayOut = 'try again; if it then says that the token was used, delete the link there and make a new token'
    throw new LinkspanError('unreachable', `${problem}; ${wayOut}`, { cause: error })
  }
}

function isRefusal(error: unknown): boolean {
  return isLinkspanError(error) && error.details.peer !== undefined
}

function activation(context: LinkContext, request: ConsumeRequest, token: TrustToken) {
  const addresses = ownAddresses(context, request.addresses).slice(0, calledBackMax)
  const body = {
    name: '',
    type: 'bidirectional',
    description: '',
    config: { 'volatile.addresses': addresses.join(',') },
    trust_token: encodeToken(token),
    auth_groups: null,
    cluster_certificate: context.identity.cluster.certificatePem,
  }
  return { method: 'POST', path: '/1.0/cluster/links', body }
}

/** One way: the target knows us by the certificate of this very connection. */
function identityActivation(token: TrustToken) {
  const body = { name: '', trust_token: encodeToken(token), token: false, certificate: '', groups: null }
  return { method: 'POST', path: '/1.0/auth/identities/tls', body }
}

/** The other side took the token. Throws `not-found` when the link was deleted meanwhile. */
export function confirmLink(context: LinkContext, id: LinkId): Promise<LinkRow> {
  return context.access.execute('confirm link', (rows) => {
    const link = rows.get(linkTable, id)
    if (!link) throw new LinkspanError('not-found', 'The cluster link was deleted while it was made')
    const announced = link.type === 'bidirectional' ? { announced: context.addresses() } : {}
    const active: LinkRow = { ...link, state: 'active', ...announced }
    return { changes: [linkTable.put(id, active)], result: active }
  })
}

/** The other side did not take the token: the link, if it is there, never was. */
export async function rollBack(context: LinkContext, id: LinkId): Promise<void> {
  await context.access.execute('undo link', (rows) => {
    const link = rows.get(linkTable, id)
    return { changes: link ? deleteLinkChanges(context, rows, link) : [], result: undefined }
  })
}
