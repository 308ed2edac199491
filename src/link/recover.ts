import { Backoff } from '../base/backoff.ts'
import { sleep } from '../base/clock.ts'
import { explainError, isLinkspanError } from '../base/errors.ts'
import { confirmLink, rollBack } from './consume.ts'
import type { LinkContext } from './context.ts'
import { readPeerServer } from './peer.ts'
import { addressesOf, isEstablishing, type LinkRow, linkTable, listLinks, pinOf } from './rows.ts'

const attemptMs = 15_000

/**
 * A daemon that was killed between storing a link and hearing of its activation asks the other side afterwards: if it
 * trusts us, the link is made, otherwise it goes.
 */
export async function recoverLinks(context: LinkContext, signal: AbortSignal): Promise<void> {
  const found = listLinks(context.store.rows).filter(isEstablishing)
  await Promise.all(found.map((link) => recoverLink(context, link, signal)))
}

async function recoverLink(context: LinkContext, link: LinkRow, signal: AbortSignal): Promise<void> {
  const backoff = new Backoff({ initialMs: 1000, maxMs: 60_000 })
  const fingerprint = pinOf(link.peer!)
  const log = context.log.child({ link: link.name })
  while (context.store.rows.get(linkTable, link.id)) {
    try {
      const attempt = AbortSignal.any([signal, AbortSignal.timeout(attemptMs)])
      const as = context.identity.cluster
      const { trusted } = await readPeerServer({ addresses: addressesOf(link), fingerprint, as, signal: attempt })
      if (trusted) await confirmLink(context, link.id)
      else await rollBack(context, link.id)
      log.info({ trusted }, trusted ? 'An interrupted link was completed' : 'An interrupted link was undone')
      return
    } catch (error) {
      if (signal.aborted) return
      if (isLinkspanError(error, 'closed', 'not-found')) return
      log.warn({ reason: explainError(error) }, 'An interrupted link waits for the other cluster to answer')
      await sleep(backoff.nextMs(), signal).catch(() => {})
    }
  }
}
