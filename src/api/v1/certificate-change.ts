import { readIdentityCertificate } from '../../access/access.ts'
import { checkCertificateName, legacyKind } from '../../access/certificates.ts'
import { getIdentity, type IdentityUpdate, updateIdentityChanges } from '../../access/identities.ts'
import type { IdentityRow } from '../../access/rows.ts'
import { LinkspanError } from '../../base/errors.ts'
import type { CertificatePut } from '../../contract/v1.ts'
import type { ApiRequest } from '../request.ts'
import { checkCertificateBody, showCertificate } from './certificate-view.ts'
import { checkMatch } from './etag.ts'
import type { V1Rooms } from './rooms.ts'

interface Change {
  id: string
  /** The caller may edit it; otherwise it is his own, which he may replace. */
  privileged: boolean
  /** PUT: what is not said of the restriction means none. */
  replaces: boolean
}

/** The fingerprint from then on. */
export function changeCertificate(
  { access, clock }: V1Rooms,
  request: ApiRequest<CertificatePut>,
  { id, privileged, replaces }: Change,
): Promise<string> {
  const { type, certificate } = request.body
  if (type && type !== 'client') {
    throw new LinkspanError('not-permitted', 'The type of a certificate cannot be changed')
  }
  checkCertificateBody(request.body)
  const facts = certificate ? readIdentityCertificate(certificate, clock) : undefined
  return access.execute('update certificate', (rows) => {
    const before = getIdentity(rows, id)
    checkMatch(request, showCertificate(before))
    const wanted = wantedOf(request.body, before, replaces)
    if (!privileged && (wanted.name !== before.name || wanted.kind !== before.kind)) {
      throw new LinkspanError('not-permitted', 'Of your own entry you may change the certificate, and nothing else')
    }
    const update: IdentityUpdate = { ...wanted, ...(facts ? { certificate: facts } : {}) }
    const { changes, identity } = updateIdentityChanges(rows, access.hooks, id, update)
    return { changes, result: identity.id }
  })
}

function wantedOf({ name, restricted }: CertificatePut, before: IdentityRow, replaces: boolean) {
  if (name && name !== before.name) checkCertificateName(name)
  const stays = before.kind === 'restricted-client'
  const kind = legacyKind(restricted ?? (replaces ? false : stays))
  return { name: name || before.name, kind }
}
