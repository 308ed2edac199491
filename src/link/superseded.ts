import { isLinkspanError } from '../base/errors.ts'
import type { LinkOptions } from './context.ts'
import { readPeerServer } from './peer.ts'
import { addressesOf, type LinkRow, linkTable, listLinks, pinOf } from './rows.ts'
import { followSuccession } from './succession.ts'

const askMs = 5000
const askedMax = 16

export interface Superseded {
  generation: number
  /** Over which we were told. */
  link: LinkRow
}

export function supersededText(generation: number): string {
  return `a host that was restored from a backup took the place of this one (generation ${generation})`
}

/**
 * Whether linked clusters take another host for this one: one that was restored from a backup of it, while this one was
 * thought to be lost. They trust only the one of the higher generation. A cluster that changed its certificate while
 * this one was away is found again on the way.
 */
export class SupersededWatch {
  readonly #context: LinkOptions
  readonly #onChange: (found: Superseded | undefined) => void
  #found: Superseded | undefined

  /** `onChange` hears of it once, and when it is over, because links were deleted. */
  constructor(context: LinkOptions, onChange: (found: Superseded | undefined) => void) {
    this.#context = context
    this.#onChange = onChange
  }

  /** Of whoever took our place; undefined: as far as we know nobody did. */
  get generation(): number | undefined {
    return this.#found?.generation
  }

  /** Asks all linked clusters. To be called at start, and now and then. */
  async look(stopping: AbortSignal): Promise<void> {
    const links = listLinks(this.#context.store.rows).filter(({ state, peer, type }) => {
      return state === 'active' && peer !== undefined && type !== 'public'
    })
    const said: Superseded[] = []
    const ask = async () => {
      for (let link = links.pop(); link; link = links.pop()) {
        const generation = await this.#ask(link, stopping)
        if (generation !== undefined) said.push({ generation, link })
      }
    }
    await Promise.all(Array.from({ length: Math.min(askedMax, links.length) }, ask))
    const found = said.sort((one, other) => other.generation - one.generation)[0]
    const before = this.generation
    this.#found = found
    if (found?.generation !== before) this.#onChange(found)
  }

  async #ask(link: LinkRow, stopping: AbortSignal): Promise<number | undefined> {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(askMs)])
    const { cluster } = this.#context.identity
    const ask = ({ peer }: LinkRow) => {
      return readPeerServer({ addresses: addressesOf(link), fingerprint: pinOf(peer!), as: cluster, signal })
    }
    try {
      return (await ask(link)).supersededBy
    } catch (error) {
      // Whoever cannot be asked says nothing of us; the probe of the link tells why.
      if (!isLinkspanError(error, 'wrong-fingerprint')) return undefined
      const isFollowed = await followSuccession(this.#context, link, signal).catch(() => false)
      const now = this.#context.store.rows.get(linkTable, link.id)
      return isFollowed && now ? (await ask(now).catch(() => undefined))?.supersededBy : undefined
    }
  }
}
