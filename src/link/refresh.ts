import { explainError } from '../base/errors.ts'
import type { LinkId } from '../base/ids.ts'
import { isSameSet, readableAddresses } from './addresses.ts'
import type { LinkContext } from './context.ts'
import { addressTimeoutMs, type PeerDial } from './dial-peer.ts'
import { type AddressCheck, callPeer, checkAddresses, isTexts, metadataOf, readPeerServer } from './peer.ts'
import { addressesOf, type LinkRow, linkTable, pinOf } from './rows.ts'
import { warnOfStrangers } from './warnings.ts'

const addressesMax = 64

/** Learns where the peer can be reached now. What goes wrong is logged, and the old addresses stay. */
export async function refreshAddresses(context: LinkContext, id: LinkId, signal: AbortSignal): Promise<void> {
  const link = context.store.rows.get(linkTable, id)
  // Only whom it trusts does a cluster tell its addresses, so a public link keeps the one that it was made with.
  if (link?.state !== 'active' || link.reach !== 'peer' || link.type === 'public' || !link.peer) return
  const addresses = addressesOf(link)
  if (addresses.length === 0) return
  try {
    const fingerprint = pinOf(link.peer)
    const dial: PeerDial = { addresses, fingerprint, as: context.identity.cluster, signal }
    const server = await readPeerServer(dial)
    context.sightings.saw(link.id, server.address)
    if (!server.trusted) return
    const told = server.apiExtensions.includes('linkspan') ? server.addresses : await membersOf(dial)
    if (told && told.length > 0) await learnAddresses(context, link, told, signal)
  } catch (error) {
    if (!signal.aborted) context.log.debug({ link: link.name, reason: explainError(error) }, 'Addresses stay as known')
  }
}

/** As LXD's clusters tell it; a server of LXD's that is no cluster does not. */
async function membersOf(dial: PeerDial): Promise<string[] | undefined> {
  const { answer } = await callPeer(dial, { method: 'GET', path: '/1.0/cluster/members?recursion=1' })
  const members = metadataOf(answer)
  if (answer.status !== 200 || !Array.isArray(members) || members.length === 0) return undefined
  // LXD's have one address each, in their URL.
  const urls = members.flatMap((member: { url?: unknown; addresses?: unknown } | null) => {
    return isTexts(member?.addresses) ? member.addresses : [member?.url]
  })
  return isTexts(urls) ? urls.map((url) => url.replace(/^https:\/\//, '')) : undefined
}

/**
 * Takes what the peer says of its own addresses, as far as it is true: an address that presents another certificate is
 * left out and reported, and so is a new one that does not answer. One that is known already may be down for now. The
 * link as it is then; how the addresses answered.
 */
export async function learnAddresses(
  context: LinkContext,
  link: LinkRow,
  told: readonly string[],
  signal: AbortSignal,
): Promise<{ link: LinkRow; check: AddressCheck }> {
  const before = addressesOf(link)
  const addresses = readableAddresses(told).slice(0, addressesMax)
  // Nobody is kept waiting, and an address that answers late is one that would be missed for a day.
  const check = await checkAddresses(addresses, pinOf(link.peer!), signal, addressTimeoutMs)
  await warnOfStrangers(context, link, check)
  const usable = addresses.filter((address) => {
    return check.matching.includes(address) || (check.silent.includes(address) && before.includes(address))
  })
  context.sightings.saw(link.id, ...check.matching)
  if (check.matching.length === 0 || isSameSet(usable, before)) return { link, check }
  return { link: await store(context, link, usable), check }
}

function store(context: LinkContext, before: LinkRow, addresses: readonly string[]): Promise<LinkRow> {
  return context.access.execute('refresh link addresses', (rows) => {
    const link = rows.get(linkTable, before.id)
    const same = link?.peer?.fingerprint === before.peer?.fingerprint
    if (!link || !same) return { changes: [], result: before }
    const changed: LinkRow = { ...link, config: { ...link.config, 'volatile.addresses': addresses.join(',') } }
    return { changes: [linkTable.put(link.id, changed)], result: changed }
  })
}
