import { readIdentityCertificate } from '../access/access.ts'
import { updateIdentityChanges } from '../access/identities.ts'
import { explainError } from '../base/errors.ts'
import { ClusterCertificate } from '../contract/v1.ts'
import { isPinned, peekCertificate } from '../transport/pinned.ts'
import type { LinkOptions } from './context.ts'
import { callPeer, metadataOf } from './peer.ts'
import { addressesOf, type LinkRow, linkTable, pinOf } from './rows.ts'
import { followSteps } from './succession-rows.ts'

const peekTimeoutMs = 5000

/**
 * The other side presents another certificate than the pinned one: if it can show that the pinned one named it as its
 * successor, it is pinned from now on. True when that is so. Nothing of ours is presented or sent meanwhile but the
 * question.
 */
export async function followSuccession(context: LinkOptions, link: LinkRow, signal: AbortSignal): Promise<boolean> {
  if (link.state !== 'active' || !link.peer) return false
  for (const address of addressesOf(link)) {
    try {
      const { fingerprint } = await peekCertificate(address, { timeoutMs: peekTimeoutMs, signal })
      if (isPinned(pinOf(link.peer), fingerprint)) return false
      const call = { addresses: [address], fingerprint, signal }
      const { answer } = await callPeer(call, { method: 'GET', path: '/1.0/cluster/certificate' })
      const told = metadataOf(answer)
      // Rarely needed, and large: loaded for good it would be 2 MB of every daemon.
      const { Value } = await import('typebox/value')
      if (answer.status !== 200 || !Value.Check(ClusterCertificate, told)) continue
      const next = followSteps(link.peer.certificatePem, fingerprint, told.succession)
      if (next) return await pin(context, link, next)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      context.log.debug({ link: link.name, address, reason: explainError(error) }, 'No successor of a pin was found')
    }
  }
  return false
}

async function pin(
  { access, clock, log }: LinkOptions,
  before: LinkRow,
  next: { certificatePem: string; generation: number },
): Promise<boolean> {
  const certificate = readIdentityCertificate(next.certificatePem, clock)
  const { fingerprint, pem } = certificate
  const pinned = await access.execute('pin successor', (rows) => {
    const link = rows.get(linkTable, before.id)
    // Others look too, and may have been here first.
    if (link?.peer?.fingerprint === fingerprint) return { changes: [], result: true }
    if (!link || link.peer?.fingerprint !== before.peer?.fingerprint) return { changes: [], result: false }
    if (link.identityId === undefined) {
      const peer = { fingerprint, certificatePem: pem }
      return { changes: [linkTable.put(link.id, { ...link, peer })], result: true }
    }
    const { generation } = next
    const { changes } = updateIdentityChanges(rows, access.hooks, link.identityId, { certificate, generation })
    return { changes, result: true }
  })
  if (pinned)
    log.info({ link: before.name, fingerprint }, 'The other side has a new certificate, which its old one named')
  return pinned
}
