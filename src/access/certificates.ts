import { LinkspanError } from '../base/errors.ts'
import type { RowsView } from '../store/rows.ts'
import { listIdentities } from './identities.ts'
import { type IdentityRow, isLegacy, type LegacyKind } from './rows.ts'

/** LXD's older trust store, whose entries are identities without groups; in the order of fingerprints. */
export function listCertificates(rows: RowsView): IdentityRow[] {
  return listIdentities(rows).filter(isLegacy)
}

/** Those whose fingerprints start with what was typed: people type the first digits only. */
export function findCertificates(rows: RowsView, prefix: string): IdentityRow[] {
  const digits = prefix.toLowerCase()
  return listCertificates(rows).filter(({ id }) => id.startsWith(digits))
}

export function legacyKind(restricted: boolean): LegacyKind {
  return restricted ? 'restricted-client' : 'unrestricted-client'
}

/** LXD's rules for the names of certificates, beside those for all identities. Throws `invalid-request`. */
export function checkCertificateName(name: string): void {
  if (name.startsWith('-'))
    throw new LinkspanError('invalid-request', 'The name of a certificate cannot start with "-"')
  if (name.includes('/')) throw new LinkspanError('invalid-request', 'The name of a certificate cannot contain "/"')
}
