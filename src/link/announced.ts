import { forgetAnnouncedChanges, getIdentity, listIdentities, updateIdentityChanges } from '../access/identities.ts'
import { type AnnouncedCertificate, type IdentityRow, identityTable } from '../access/rows.ts'
import type { LinkContext } from './context.ts'
import { checkAddresses } from './peer.ts'
import { addressesOf, linkOfIdentity } from './rows.ts'

/**
 * Ends the time in which two certificates of a linked cluster are accepted, where it is over and the cluster did not
 * say itself that it has changed. If its addresses present the announced one, it has; otherwise it never will.
 */
export async function endAnnouncements(context: LinkContext, signal: AbortSignal): Promise<void> {
  const nowMs = context.clock.wallMs()
  for (const identity of listIdentities(context.store.rows)) {
    const { next } = identity
    if (next && nowMs >= next.untilMs) await endAnnouncement(context, identity, next, signal)
  }
}

async function endAnnouncement(
  context: LinkContext,
  { id, name }: IdentityRow,
  next: AnnouncedCertificate,
  signal: AbortSignal,
): Promise<void> {
  const { access, log, store } = context
  const { fingerprint } = next.certificate
  const link = linkOfIdentity(store.rows, id)
  const changed = link !== undefined && (await isPresented(addressesOf(link), fingerprint, signal))
  await access.execute('end certificate announcement', (rows) => {
    const still = rows.get(identityTable, id)?.next?.certificate.fingerprint === fingerprint
    if (!still) return { changes: [], result: undefined }
    if (!changed) return { changes: forgetAnnouncedChanges(rows, access.hooks, id), result: undefined }
    const { certificate, generation } = getIdentity(rows, id).next!
    return {
      changes: updateIdentityChanges(rows, access.hooks, id, { certificate, generation }).changes,
      result: undefined,
    }
  })
  log.info({ identity: name, fingerprint, changed }, 'The time of an announced certificate is over')
}

async function isPresented(addresses: readonly string[], fingerprint: string, signal: AbortSignal): Promise<boolean> {
  return (await checkAddresses(addresses, fingerprint, signal)).matching.length > 0
}
