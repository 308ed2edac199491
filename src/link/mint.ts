import { createPendingIdentityChanges } from '../access/identities.ts'
import { tokenEndMs } from '../access/server-config.ts'
import { LinkspanError } from '../base/errors.ts'
import { newLinkId } from '../base/ids.ts'
import type { ConfigChanges } from '../contract/check-config.ts'
import { formatExpiry } from '../identity/expiry.ts'
import type { TrustToken } from '../identity/trust-token.ts'
import { ownAddresses } from './addresses.ts'
import { changedConfig } from './config.ts'
import type { LinkContext } from './context.ts'
import { checkDescription, checkLinkFree, checkLinkName } from './names.ts'
import { type LinkRow, linkTable } from './rows.ts'

export interface LinkRequest {
  name: string
  description: string
  config: ConfigChanges
  /** Groups of the identity that the other side becomes. */
  authGroups: readonly string[]
  /** Of our own: those that the other side is to be told. Empty or missing: the usual ones. */
  addresses?: readonly string[]
}

export interface MintedIdentity {
  identityId: string
  token: TrustToken
}

export interface MintedLink extends MintedIdentity {
  link: LinkRow
}

/** LXD's names of the identities that tokens of ours make. */
export const linkTokenType = 'Cluster link certificate'
export const clientTokenType = 'Client certificate'

export async function mintLink(context: LinkContext, request: LinkRequest): Promise<MintedLink> {
  const { access, clock, sealer } = context
  const { name, description } = request
  await prepare(context, request)
  const nowMs = clock.wallMs()
  return access.execute('mint link token', (rows) => {
    checkLinkFree(rows, name, rows.count(linkTable))
    const id = newLinkId()
    const options = { dialect: 'lxd', creating: true } as const
    const config = changedConfig(sealer, { id, config: {} }, request.config, options)
    const { changes, identityId, token } = pendingIdentity(context, rows, request, nowMs)
    const link: LinkRow = {
      id,
      name,
      description,
      type: 'bidirectional',
      reach: 'peer',
      state: 'pending',
      identityId,
      config,
      createdMs: nowMs,
    }
    return { changes: [...changes, linkTable.put(id, link)], result: { link, identityId, token } }
  })
}

/** A config is judged, because LXD does, and dropped: there is no link to keep it. */
export async function mintIdentity(context: LinkContext, request: LinkRequest): Promise<MintedIdentity> {
  const { access, clock, sealer } = context
  await prepare(context, request)
  const nowMs = clock.wallMs()
  return access.execute('mint link identity token', (rows) => {
    changedConfig(sealer, { id: newLinkId(), config: {} }, request.config, { dialect: 'lxd', creating: true })
    const { changes, identityId, token } = pendingIdentity(context, rows, request, nowMs)
    return { changes, result: { identityId, token } }
  })
}

async function prepare(context: LinkContext, request: LinkRequest): Promise<void> {
  checkLinkName(request.name)
  checkDescription(request.description)
  if (ownAddresses(context, request.addresses).length === 0) throw notListening('Nobody could use the token')
  await context.access.pruneExpired()
}

export function notListening(problem: string): LinkspanError {
  const wayOut = 'open the port to others first, with --listen and --advertise'
  return new LinkspanError('invalid-request', `${problem}, this cluster listens nowhere: ${wayOut}`)
}

function pendingIdentity(
  context: LinkContext,
  rows: Parameters<typeof createPendingIdentityChanges>[0],
  request: LinkRequest,
  nowMs: number,
) {
  const { name, authGroups } = request
  const expiresAtMs = tokenEndMs(rows, nowMs)
  const input = { kind: 'cluster-link', name, groups: authGroups, nowMs, expiresAtMs } as const
  const { changes, identity, secret } = createPendingIdentityChanges(rows, input)
  const parts = { name, secret, expiresAtMs, type: linkTokenType, addresses: request.addresses ?? [] }
  return { changes, identityId: identity.id, token: tokenOf(context, parts) }
}

/** Throws `invalid-request` for addresses that are not ours. */
export function tokenOf(
  context: LinkContext,
  parts: { name: string; secret: string; expiresAtMs: number | null; type: string; addresses: readonly string[] },
): TrustToken {
  return {
    client_name: parts.name,
    fingerprint: context.identity.clusterFingerprint,
    addresses: ownAddresses(context, parts.addresses),
    secret: parts.secret,
    expires_at: formatExpiry(parts.expiresAtMs),
    type: parts.type,
  }
}
