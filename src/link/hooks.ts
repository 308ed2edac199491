import type { AccessHooks } from '../access/hooks.ts'
import { findLink, linkOfIdentity, linkOfPeer, linkRef, linkTable } from './rows.ts'

/** What identities and permissions have to know of links. */
export function registerAccessHooks(hooks: AccessHooks): void {
  hooks.onIdentityDelete((rows, identity) => {
    const link = linkOfIdentity(rows, identity.id)
    return link ? { changes: [linkTable.remove(link.id)], gone: [linkRef(link)] } : { changes: [], gone: [] }
  })
  hooks.onIdentityReplace((rows, before, after) => {
    const link = linkOfIdentity(rows, before.id)
    if (!link) return []
    const { fingerprint, pem } = after.certificate!
    // A peer that renews its certificate is the same peer under another pin; a pending link gets its own by activation.
    const peer = link.peer ? { peer: { fingerprint, certificatePem: pem } } : {}
    return [linkTable.put(link.id, { ...link, identityId: after.id, ...peer })]
  })
  hooks.onIdentityAnnounce((rows, { id, next }) => {
    const link = linkOfIdentity(rows, id)
    if (!link?.peer) return []
    const { next: _, ...peer } = link.peer
    return [linkTable.put(link.id, { ...link, peer: next ? { ...peer, next: next.certificate.fingerprint } : peer })]
  })
  hooks.onCertificateLookup((rows, fingerprint) => {
    const link = linkOfPeer(rows, fingerprint)
    return link && `the cluster link ${JSON.stringify(link.name)}`
  })
  hooks.onExistence('cluster_link', (rows, name) => findLink(rows, name) !== undefined)
}
