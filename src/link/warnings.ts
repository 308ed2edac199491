import { entityUrl } from '../contract/entities.ts'
import type { ClusterLinkState } from '../contract/v1.ts'
import type { LinkContext } from './context.ts'
import type { AddressCheck } from './peer.ts'
import { type LinkRow, linkRef } from './rows.ts'

type Member = ClusterLinkState['cluster_link_members'][number]

/** The types of warnings whose entity is a link: they go with it. */
export const linkWarningTypes = {
  notReached: 'Cluster link is not reached',
  halfLeft: 'Cluster link is left on this side only',
  strangers: 'An address of a cluster link presents another certificate',
  untold: 'A linked cluster does not know our new certificate',
  backupDue: 'A backup that is due cannot be pulled',
} as const

/** What a look at the other side shows is wrong until a later look shows that it is not. */
export async function warnOfState({ warnings }: LinkContext, link: LinkRow, members: readonly Member[]): Promise<void> {
  if (!warnings || members.length === 0) return
  const entity = entityUrl(linkRef(link))
  const unreached = members.every(({ status }) => status === 'Unreachable')
  if (unreached) {
    const message = members.map(({ address, reason }) => `${address}: ${reason}`).join('; ')
    await warnings.raise({ type: linkWarningTypes.notReached, entity, message, severity: 'moderate' })
    // Whether it still trusts us cannot be known.
    return
  }
  await warnings.resolve({ type: linkWarningTypes.notReached, entity })
  const untrusted = members.find(({ status }) => status === 'Unauthenticated')
  const half = link.type !== 'public' && members.every(({ status }) => status !== 'Active')
  if (untrusted && half) {
    const message = `${untrusted.address}: ${untrusted.reason}`
    await warnings.raise({ type: linkWarningTypes.halfLeft, entity, message, severity: 'moderate' })
  } else {
    await warnings.resolve({ type: linkWarningTypes.halfLeft, entity })
  }
}

/** What stands at such an address is not the peer: somebody gave a wrong one, or waits there for what is not his. */
export async function warnOfStrangers(
  { log, warnings }: LinkContext,
  link: Pick<LinkRow, 'name'>,
  { other }: AddressCheck,
): Promise<void> {
  const key = { type: linkWarningTypes.strangers, entity: entityUrl(linkRef(link)) }
  if (other.length === 0) return warnings?.resolve(key)
  log.warn({ link: link.name, addresses: other }, 'Addresses of a peer present another certificate: not stored')
  const message = `${other.join(', ')} presented another certificate than the pinned one, and was not stored`
  await warnings?.raise({ ...key, message, severity: 'high' })
}

/** The link is gone, or has another name. */
export async function forgetWarnings({ warnings }: LinkContext, link: Pick<LinkRow, 'name'>): Promise<void> {
  const entity = entityUrl(linkRef(link))
  for (const type of Object.values(linkWarningTypes)) await warnings?.resolve({ type, entity })
}
