import { authorize } from '../../access/authorize.ts'
import { type AccessSnapshot, type Subject, subjectOfFingerprint } from '../../access/snapshot.ts'
import type { Clock } from '../../base/clock.ts'
import type { Fingerprint, LinkId } from '../../base/ids.ts'
import type { Entitlement } from '../../contract/entities.ts'
import { type TunnelIdentity, type TunnelRights, withoutInternalTopics } from './rights.ts'

/** Who may do what, and which identities are those of cluster links: plain data that crosses to the gateway worker. */
export interface GatewaySnapshot {
  access: AccessSnapshot
  links: readonly { fingerprint: Fingerprint; linkId: LinkId }[]
}

/** The rights of links by the newest snapshot. */
export class AccessRights {
  readonly #clock: Clock
  #snapshot: GatewaySnapshot
  #links = new Map<Fingerprint, LinkIdentity>()

  constructor(snapshot: GatewaySnapshot, clock: Clock) {
    this.#clock = clock
    this.#snapshot = snapshot
    this.replace(snapshot)
  }

  replace(snapshot: GatewaySnapshot): void {
    this.#snapshot = snapshot
    this.#links = new Map(snapshot.links.map(({ fingerprint, linkId }) => [fingerprint, { linkId, rights: undefined }]))
  }

  /** Judged anew each time: a certificate can run out in between. Names are remembered by `authorize`. */
  of(fingerprint: Fingerprint): TunnelIdentity | undefined {
    const link = this.#links.get(fingerprint)
    if (!link) return undefined
    const subject = subjectOfFingerprint(this.#snapshot.access, fingerprint, this.#clock)
    if (subject.kind !== 'identity' || subject.identity.kind !== 'cluster-link') return undefined
    link.rights ??= rightsOf(this.#snapshot.access, subject)
    return { linkId: link.linkId, rights: link.rights }
  }
}

interface LinkIdentity {
  linkId: LinkId
  rights: TunnelRights | undefined
}

function rightsOf(snapshot: AccessSnapshot, subject: Subject): TunnelRights {
  const topic = (entitlement: Entitlement) => (name: string) => {
    return authorize(snapshot, subject, entitlement, { type: 'topic', name }).allowed
  }
  const group = (entitlement: Entitlement) => (name: string) => {
    return authorize(snapshot, subject, entitlement, { type: 'consumer_group', name }).allowed
  }
  return withoutInternalTopics({
    mayViewTopic: topic('can_view'),
    mayReadTopic: topic('can_read'),
    mayViewTopicAcls: topic('can_view_acls'),
    mayViewGroup: group('can_view'),
    mayViewGroupAcls: group('can_view_acls'),
  })
}
