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
  }
}
