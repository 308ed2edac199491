import type { Access } from '../../access/access.ts'
import { type IdentityRow, identityTypeName } from '../../access/rows.ts'
import type { Identity } from '../../contract/v1.ts'
import { formatExpiry } from '../../identity/expiry.ts'

export function showIdentity(identity: Readonly<IdentityRow>): Identity {
  const { certificate } = identity
  return {
    authentication_method: 'tls',
    type: identityTypeName(identity),
    id: identity.id,
    name: identity.name,
    groups: [...identity.groups],
    tls_certificate: certificate?.pem ?? '',
    ...(certificate ? { expires_at: formatExpiry(certificate.validToMs) } : {}),
    created_at: new Date(identity.createdAtMs).toISOString(),
  }
}

/** Also what no ETag covers, because it changes with every request. */
export function describeIdentity({ uses }: Access, identity: Readonly<IdentityRow>): Identity {
  const lastUsedMs = uses.lastUsedMs(identity.id)
  const shown = showIdentity(identity)
  return lastUsedMs === undefined ? shown : { ...shown, last_used_at: new Date(lastUsedMs).toISOString() }
}
