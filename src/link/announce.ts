import { Backoff } from '../base/backoff.ts'
import { explainError, isLinkspanError, LinkspanError } from '../base/errors.ts'
import type { LinkId } from '../base/ids.ts'
import { isSameSet } from './addresses.ts'
import type { LinkContext } from './context.ts'
import { callPeer, peerRefusal } from './peer.ts'
import { learnAddresses } from './refresh.ts'
import { addressesOf, type LinkRow, linkOfIdentity, linkTable, listLinks, pinOf } from './rows.ts'

/** Where a linked cluster says that it is from now on. The caller is who it says it is about. */
export const announcePath = '/1.0/auth/identities/current/addresses'

const addressesMax = 8
const deadlineMs = 10_000
/** The others are told the next time. */
const toldAtOnceMax = 16
/** A peer that cannot be told is told later. */
const retry = { initialMs: 10_000, maxMs: 600_000 }

/**
 * Tells peers when this cluster's addresses are others than they were told last, and hears the same from them. What was
 * told is stored with the link, so that a daemon that starts somewhere else says so too.
 */
export class Announcer {
  readonly #context: LinkContext
  readonly #later = new Map<LinkId, { backoff: Backoff; dueMs: number }>()
  /** Links whose new addresses are being looked at. */
  readonly #checking = new Set<LinkId>()

  constructor(context: LinkContext) {
    this.#context = context
  }

  /** To be called every few seconds; costs nothing while nothing has changed. */
  async announce(signal: AbortSignal): Promise<void> {
    const addresses = this.#context.addresses()
    if (addresses.length === 0) return
    const due = listLinks(this.#context.store.rows).filter((link) => this.#isDue(link, addresses))
    await Promise.all(due.slice(0, toldAtOnceMax).map((link) => this.#tell(link, addresses, signal)))
  }

  /** The link is gone. */
  forget(id: LinkId): void {
    this.#later.delete(id)
  }

  /**
   * A peer is somewhere else. Only addresses that present its certificate count; they are as many as fit an activation.
   * Throws `invalid-request`, `rate-limited`, `unreachable`.
   */
  async hear(identityId: string, told: readonly string[], signal: AbortSignal): Promise<LinkRow> {
    const link = linkOfIdentity(this.#context.store.rows, identityId)
    if (link?.state !== 'active' || !link.peer) {
      throw new LinkspanError(
        'invalid-request',
        'Only a linked cluster can say where it is: there is no link to it here',
      )
    }
    if (told.length === 0 || told.length > addressesMax) {
      throw new LinkspanError('invalid-request', `Give 1 to ${addressesMax} addresses, each as HOST:PORT`)
    }
    if (this.#checking.has(link.id)) {
      throw new LinkspanError(
        'rate-limited',
        'Addresses of this cluster are being looked at already: wait for the answer',
      )
    }
    this.#checking.add(link.id)
    try {
      const both = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)])
      const { link: changed, check } = await learnAddresses(this.#context, link, told, both)
      if (check.matching.length > 0) return changed
      const asked = check.addresses.join(', ') || 'none that is HOST:PORT'
      const reason = check.other.length > 0 ? 'another certificate is presented there' : check.reason
      throw new LinkspanError('unreachable', `None of the addresses leads back to the caller (${asked}): ${reason}`)
    } finally {
      this.#checking.delete(link.id)
    }
  }

  #isDue(link: LinkRow, addresses: readonly string[]): boolean {
    if (link.state !== 'active' || link.reach !== 'peer' || link.type !== 'bidirectional' || !link.peer) return false
    if (link.announced && isSameSet(link.announced, addresses)) return false
    return (this.#later.get(link.id)?.dueMs ?? 0) <= this.#context.clock.monotonicMs()
  }

  async #tell(link: LinkRow, addresses: readonly string[], signal: AbortSignal): Promise<void> {
    const { identity, log } = this.#context
    const call = {
      addresses: addressesOf(link),
      fingerprint: pinOf(link.peer!),
      as: identity.cluster,
      signal: AbortSignal.any([signal, AbortSignal.timeout(2 * deadlineMs)]),
    }
    const body = { addresses: addresses.slice(0, addressesMax) }
    try {
      const { answer, address } = await callPeer(call, { method: 'PUT', path: announcePath, body })
      this.#context.sightings.saw(link.id, address)
      if (answer.status >= 300) throw peerRefusal(answer, address)
      await this.#told(link, addresses)
      log.info({ link: link.name, addresses }, 'The peer was told of new addresses')
    } catch (error) {
      if (signal.aborted) return
      // LXD has no such route: its clusters ask by themselves, once a day.
      if (isLinkspanError(error, 'not-found', 'unsupported')) return this.#told(link, addresses)
      const { backoff } = this.#later.get(link.id) ?? { backoff: new Backoff(retry) }
      this.#later.set(link.id, { backoff, dueMs: this.#context.clock.monotonicMs() + backoff.nextMs() })
      log.debug({ link: link.name, reason: explainError(error) }, 'The peer could not be told of new addresses')
    }
  }

  async #told(link: LinkRow, addresses: readonly string[]): Promise<void> {
    this.#later.delete(link.id)
    await this.#context.access.execute('note announced addresses', (rows) => {
      const row = rows.get(linkTable, link.id)
      return { changes: row ? [linkTable.put(row.id, { ...row, announced: [...addresses] })] : [], result: undefined }
    })
  }
}
