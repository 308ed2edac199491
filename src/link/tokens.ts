import { isPendingExpired, listIdentities, reissueSecretChanges } from '../access/identities.ts'
import type { IdentityRow } from '../access/rows.ts'
import { tokenEndMs } from '../access/server-config.ts'
import type { TrustToken } from '../identity/trust-token.ts'
import type { RowsView } from '../store/rows.ts'
import { ownAddresses } from './addresses.ts'
import type { LinkContext } from './context.ts'
import { clientTokenType, linkTokenType, notListening, tokenOf } from './mint.ts'
import { type LinkRow, linkOfIdentity } from './rows.ts'

export interface ReissuedToken {
  identityId: string
  token: TrustToken
}

/** A token that nobody has used yet, without its secret. */
export interface OutstandingToken {
  identity: IdentityRow
  /** The link that waits for it; a token for an identity alone has none. */
  link: LinkRow | undefined
  type: string
  issuedAtMs: number
  /** Null is never. */
  expiresAtMs: number | null
}

/**
 * Another token in the place of one that was lost; the old one is void from then on. `addresses`: see `ownAddresses`.
 * Throws `not-found`, `state-conflict` for an identity that is not pending, `invalid-request`.
 */
export async function reissueToken(
  context: LinkContext,
  nameOrId: string,
  addresses: readonly string[],
): Promise<ReissuedToken> {
  if (ownAddresses(context, addresses).length === 0) throw notListening('Nobody could use the token')
  const nowMs = context.clock.wallMs()
  return context.access.execute('reissue token', (rows) => {
    const expiresAtMs = tokenEndMs(rows, nowMs)
    const { changes, identity, secret } = reissueSecretChanges(rows, nameOrId, { nowMs, expiresAtMs })
    const parts = { name: identity.name, secret, expiresAtMs, type: tokenTypeOf(identity), addresses }
    return { changes, result: { identityId: identity.id, token: tokenOf(context, parts) } }
  })
}

/** In the order of names. Those that have expired count no more, though they may still be there. */
export function outstandingTokens(rows: RowsView, nowMs: number): OutstandingToken[] {
  const waiting = listIdentities(rows).filter((identity) => identity.pending && !isPendingExpired(identity, nowMs))
  return waiting
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map((identity) => ({
      identity,
      link: linkOfIdentity(rows, identity.id),
      type: tokenTypeOf(identity),
      issuedAtMs: identity.pending!.issuedAtMs ?? identity.createdAtMs,
      expiresAtMs: identity.pending!.expiresAtMs,
    }))
}

function tokenTypeOf({ kind }: IdentityRow): string {
  return kind === 'cluster-link' ? linkTokenType : clientTokenType
}
