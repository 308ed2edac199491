import type { IdentityRow } from '../../access/rows.ts'
import { LinkspanError } from '../../base/errors.ts'
import type { EntityRef } from '../../contract/entities.ts'
import type { Certificate, CertificatePut } from '../../contract/v1.ts'

export function certificateRef(fingerprint: string): EntityRef {
  return { type: 'certificate', name: fingerprint }
}

export function showCertificate({ id, name, kind, certificate }: Readonly<IdentityRow>): Certificate {
  return {
    name,
    type: 'client',
    restricted: kind === 'restricted-client',
    projects: [],
    certificate: certificate?.pem ?? '',
    fingerprint: id,
  }
}

/** What LXD has and Linkspan has not. Throws `invalid-request`. */
export function checkCertificateBody({ type, projects, restricted }: CertificatePut): void {
  if (type && type !== 'client') {
    throw new LinkspanError('invalid-request', `Certificates of type ${JSON.stringify(type)} are unknown: use "client"`)
  }
  if (!projects || projects.length === 0) return
  if (!restricted)
    throw new LinkspanError('invalid-request', 'Only a restricted certificate can be limited to projects')
  const sentence = 'There are no projects here: leave them out, or make an identity and put it in groups'
  throw new LinkspanError('invalid-request', sentence)
}
