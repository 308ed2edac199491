import type { LinkContext } from './context.ts'
import { callPeer, peerRefusal } from './peer.ts'
import { addressesOf, type LinkRow, pinOf } from './rows.ts'
import { nothingToRead, stillPending } from './source.ts'

export interface PeerRequest {
  method: string
  path: string
  body?: object
}

const deadlineMs = 20_000

/** Whatever the other side answers but yes is thrown, in its own words. */
export async function askPeer(
  context: LinkContext,
  link: LinkRow,
  { request, signal }: { request: PeerRequest; signal: AbortSignal },
): Promise<void> {
  if (link.state !== 'active' || !link.peer) throw stillPending(link)
  if (link.type === 'public') throw nothingToRead(link)
  const call = {
    addresses: addressesOf(link),
    fingerprint: pinOf(link.peer),
    as: context.identity.cluster,
    signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
  }
  const { answer, address } = await callPeer(call, request)
  context.sightings.saw(link.id, address)
  if (answer.status >= 300) throw peerRefusal(answer, address)
}
