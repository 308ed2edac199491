import { LinkspanError } from '../base/errors.ts'
import { certificateAnnouncements } from '../contract/v1.ts'
import type { KeyPair } from '../identity/keys.ts'
import type { PeerDial } from './dial-peer.ts'
import { callPeer, isTexts, metadataOf, peerRefusal, readPeerServer } from './peer.ts'
import { addressesOf, type LinkRow, pinOf } from './rows.ts'

/** What a linked cluster is told of our certificate, and by which one it knows us so far. */
export interface Telling {
  link: LinkRow
  known: KeyPair
  next: KeyPair
  generation: number
  signal: AbortSignal
}

/**
 * Before the switch: the other side is to accept the next certificate beside the one that it knows. LXD can only
 * replace the one by the other, so it is told after the switch alone.
 */
export async function announceCertificate(telling: Telling): Promise<void> {
  const { known, next, generation } = telling
  const call = callAs(telling, known)
  const { apiExtensions, trusted } = await readPeerServer(call)
  if (!trusted) throw noTrust(telling.link)
  if (!apiExtensions.includes(certificateAnnouncements)) return
  const body = { next_tls_certificate: next.certificatePem, generation }
  const { answer, address } = await callPeer(call, { method: 'PATCH', path: identityPath(known), body })
  if (answer.status >= 300) throw peerRefusal(answer, address)
}

/**
 * After the switch: the next certificate takes the place of the one that the other side knows. Of that one we still
 * hold the key, so that it is LXD's self-service for everybody; what was open under it is cut over there.
 */
export async function replaceCertificate(telling: Telling): Promise<void> {
  const { known, next, generation } = telling
  const call = callAs(telling, known)
  const path = identityPath(known)
  const mine = await callPeer(call, { method: 'GET', path })
  if (mine.answer.status === 200) {
    // LXD wants the groups that there are: it is not for us to change them.
    const { groups } = metadataOf(mine.answer) as { groups?: unknown }
    const body = { groups: isTexts(groups) ? groups : [], tls_certificate: next.certificatePem, generation }
    const { answer, address } = await callPeer(call, { method: 'PUT', path, body })
    if (answer.status >= 300) throw peerRefusal(answer, address)
    return
  }
  // It may have heard us before, and only its answer was lost.
  const { trusted } = await readPeerServer(callAs(telling, next))
  if (!trusted) throw noTrust(telling.link)
}

function callAs({ link, signal }: Telling, as: KeyPair): PeerDial {
  return { addresses: addressesOf(link), fingerprint: pinOf(link.peer!), as, signal }
}

function identityPath({ fingerprint }: KeyPair): string {
  return `/1.0/auth/identities/tls/${fingerprint}`
}

function noTrust(link: LinkRow): LinkspanError {
  const problem = `The other side of cluster link ${JSON.stringify(link.name)} does not trust this cluster`
  return new LinkspanError('not-trusted', `${problem}: delete the link on both sides, and link them again`)
}
