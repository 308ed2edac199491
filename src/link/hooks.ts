import type { AccessHooks } from '../access/hooks.ts'
import { findLink, linkOfIdentity, linkOfPeer, linkRef, linkTable } from './rows.ts'

/** What identities and permissions have to know of links. */
export function registerAccessHooks(hooks: AccessHooks): void {
  hooks.onIdentityDelete((rows, identity) => {
    const link = linkOfIdentity(rows, identity.id)
    return link ? { changes: [linkTable.remove(link.id)], gone: [linkRef(link)] } : { changes: [], gone: [] }
  })
  hooks.onCertificateLookup((rows, fingerprint) => {
    const link = linkOfPeer(rows, fingerprint)
    return link && `the cluster link ${JSON.stringify(link.name)}`
  })
  hooks.onExistence('cluster_link', (rows, name) => findLink(rows, name) !== undefined)
}
