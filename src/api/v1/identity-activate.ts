import { readIdentityCertificate } from '../../access/access.ts'
import type { IdentityRow } from '../../access/rows.ts'
import { LinkspanError } from '../../base/errors.ts'
import { entityUrl } from '../../contract/entities.ts'
import type { TrustToken } from '../../identity/trust-token.ts'
import { linkTokenType } from '../../link/mint.ts'
import { linkOfIdentity } from '../../link/rows.ts'
import type { RowChange } from '../../store/row-log.ts'
import type { RowsView } from '../../store/rows.ts'
import type { ApiRequest } from '../request.ts'
import type { Answer } from '../route.ts'
import { created } from './envelope.ts'
import { auditOf, type V1Rooms } from './rooms.ts'

/** The caller becomes the identity that the token was made for, by the certificate of its connection. */
export async function activateIdentity(
  rooms: V1Rooms,
  request: ApiRequest,
  { secret, type }: TrustToken,
): Promise<Answer> {
  const { certificate } = request.caller
  if (certificate === undefined) {
    throw new LinkspanError('invalid-request', 'Use the token over a connection that presents a client certificate')
  }
  const facts = readIdentityCertificate(certificate, rooms.clock)
  const kind = isForLink(type) ? 'cluster-link' : 'client'
  const identity = await request.auditToken(rooms.access.activate(secret, kind, facts, refuseOfLink))
  auditOf(rooms).identityChanged(request, 'updated', identity.id)
  return created(entityUrl({ type: 'identity', name: identity.id }))
}

/** One-way links: the other side becomes an identity here as any client does. */
function isForLink(type: string): boolean {
  return type === linkTokenType
}

/** Spent in this way, a token for both directions would leave a link without addresses. */
function refuseOfLink(rows: RowsView, pending: IdentityRow): RowChange[] {
  if (!linkOfIdentity(rows, pending.id)) return []
  const sentence = 'This token links in both directions: use it for a cluster link that is not one-way'
  throw new LinkspanError('token-type', sentence)
}
