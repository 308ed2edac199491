import { explainError } from '../base/errors.ts'
import type { LinkId } from '../base/ids.ts'
import { parseAddress } from '../transport/address.ts'
import type { LinkContext } from './context.ts'
import { callPeer, checkAddresses, isTexts, metadataOf, type PeerCall, readPeerServer } from './peer.ts'
import { addressesOf, type LinkRow, linkTable } from './rows.ts'

const addressesMax = 64

/** Learns where the peer can be reached now. What goes wrong is logged, and the old addresses stay. */
export async function refreshAddresses(context: LinkContext, id: LinkId, signal: AbortSignal): Promise<void> {
  const link = context.store.rows.get(linkTable, id)
  // Only whom it trusts does a cluster tell its addresses, so a public link keeps the one that it was made with.
  if (link?.state !== 'active' || link.reach !== 'peer' || link.type === 'public' || !link.peer) return
  const before = addressesOf(link)
  if (before.length === 0) return
  try {
    const { fingerprint } = link.peer
    const call: PeerCall = { addresses: before, fingerprint, as: context.identity.cluster, signal }
    const told = (await membersOf(call)) ?? (await readPeerServer(call)).addresses
    const addresses = [...new Set(told.filter(isAddress))].slice(0, addressesMax)
    if (addresses.length === 0 || isSameSet(addresses, before)) return
    const check = await checkAddresses(addresses, fingerprint, signal)
    if (check.matching.length === 0) return
    const usable = addresses.filter((address) => !check.other.includes(address))
    await store(context, link, usable)
  } catch (error) {
    if (!signal.aborted) context.log.debug({ link: link.name, reason: explainError(error) }, 'Addresses stay as known')
  }
}

/** As LXD's clusters tell it; a server that is no cluster does not, nor does one that trusts us no more. */
async function membersOf(call: PeerCall): Promise<string[] | undefined> {
  const { answer } = await callPeer(call, { method: 'GET', path: '/1.0/cluster/members?recursion=1' })
  const members = metadataOf(answer)
  if (answer.status !== 200 || !Array.isArray(members) || members.length === 0) return undefined
  const urls = members.map((member: { url?: unknown } | null) => member?.url)
  return isTexts(urls) ? urls.map((url) => url.replace(/^https:\/\//, '')) : undefined
}

function isAddress(text: string): boolean {
  try {
    return text.length < 300 && parseAddress(text).port > 0
  } catch {
    return false
  }
}

function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((address) => other.includes(address))
}

async function store(context: LinkContext, before: LinkRow, addresses: readonly string[]): Promise<void> {
  await context.access.execute('refresh link addresses', (rows) => {
    const link = rows.get(linkTable, before.id)
    const same = link?.peer?.fingerprint === before.peer?.fingerprint
    if (!link || !same) return { changes: [], result: undefined }
    const config = { ...link.config, 'volatile.addresses': addresses.join(',') }
    return { changes: [linkTable.put(link.id, { ...link, config })], result: undefined }
  })
}
