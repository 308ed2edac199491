import type { Access } from '../access/access.ts'
import { identityRef } from '../access/identities.ts'
import { entityUrl } from '../contract/entities.ts'
import type { EventBus } from '../events/bus.ts'

/** In LXD, links whose token expired vanish without a word; here whoever watches is told. What is returned ends it. */
export function tellOfExpiredTokens(access: Access, bus: EventBus): () => void {
  return access.onExpired((identity, gone) => {
    const context = { reason: 'token expired' }
    for (const ref of gone) {
      if (ref.type !== 'cluster_link') continue
      bus.lifecycle({ action: 'cluster-link-deleted', source: entityUrl(ref), name: ref.name, context }, 'default')
    }
    bus.lifecycle({ action: 'identity-deleted', source: entityUrl(identityRef(identity)), context })
    const description = `Identity ${identity.id} was deleted: its token expired`
    bus.security({ name: `user_deleted:tls:${identity.id}`, level: 'info', description })
  })
}
