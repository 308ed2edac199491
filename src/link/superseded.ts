import type { LinkContext } from './context.ts'
import { readPeerServer } from './peer.ts'
import { addressesOf, type LinkRow, listLinks, pinOf } from './rows.ts'

const askMs = 5000
const askedMax = 16

export function supersededText(generation: number): string {
  return `a host that was restored from a backup took the place of this one (generation ${generation})`
}

/**
 * Whether linked clusters take another host for this one: one that was restored from a backup of it, while this one was
 * thought to be lost. They trust only the one of the higher generation.
 */
export class SupersededWatch {
  readonly #context: LinkContext
  readonly #onFound: (generation: number, link: LinkRow) => void
  #generation: number | undefined

  /** `onFound` hears of it once. */
  constructor(context: LinkContext, onFound: (generation: number, link: LinkRow) => void) {
    this.#context = context
    this.#onFound = onFound
  }

  /** Of whoever took our place; undefined: as far as we know nobody did. */
  get generation(): number | undefined {
    return this.#generation
  }

  /** Asks all linked clusters. To be called at start, and now and then. */
  async look(stopping: AbortSignal): Promise<void> {
    const links = listLinks(this.#context.store.rows).filter(({ state, peer, type }) => {
      return state === 'active' && peer !== undefined && type !== 'public'
    })
    const ask = async () => {
      for (let link = links.pop(); link; link = links.pop()) await this.#ask(link, stopping)
    }
    await Promise.all(Array.from({ length: Math.min(askedMax, links.length) }, ask))
  }

  async #ask(link: LinkRow, stopping: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(askMs)])
    const { cluster } = this.#context.identity
    const call = { addresses: addressesOf(link), fingerprint: pinOf(link.peer!), as: cluster, signal }
    // Whoever cannot be asked says nothing of us; the probe of the link tells why.
    const server = await readPeerServer(call).catch(() => undefined)
    const generation = server?.supersededBy
    if (generation === undefined || generation <= (this.#generation ?? 0)) return
    this.#generation = generation
    this.#onFound(generation, link)
  }
}
