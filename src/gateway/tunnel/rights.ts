import type { Fingerprint, LinkId } from '../../base/ids.ts'

/** What a link may see through the tunnel, by name, at this moment. */
export interface TunnelRights {
  readonly mayViewTopic: (name: string) => boolean
  readonly mayReadTopic: (name: string) => boolean
  readonly mayViewTopicAcls: (name: string) => boolean
  readonly mayViewGroup: (name: string) => boolean
  readonly mayViewGroupAcls: (name: string) => boolean
}

export interface TunnelIdentity {
  linkId: LinkId
  rights: TunnelRights
}

/** Undefined: not the certificate of a cluster link, or revoked. Asked for every request, so it has to be quick. */
export type RightsOf = (fingerprint: Fingerprint) => TunnelIdentity | undefined

/** Kafka's own topics and ours are in nobody's rights, whatever these say; `__consumer_offsets` holds every group. */
export function withoutInternalTopics(rights: TunnelRights): TunnelRights {
  const open = (name: string) => !name.startsWith('__')
  return {
    mayViewTopic: (name) => open(name) && rights.mayViewTopic(name),
    mayReadTopic: (name) => open(name) && rights.mayReadTopic(name),
    mayViewTopicAcls: (name) => open(name) && rights.mayViewTopicAcls(name),
    mayViewGroup: (name) => rights.mayViewGroup(name),
    mayViewGroupAcls: (name) => rights.mayViewGroupAcls(name),
  }
}
