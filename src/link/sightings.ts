import type { Clock } from '../base/clock.ts'
import type { LinkId } from '../base/ids.ts'

/** Per link; those seen longest ago are forgotten first. */
const addressesMax = 64

/**
 * When the addresses of peers last answered as the peer. In memory: a daemon that starts has seen nobody yet, and asks
 * all of them soon.
 */
export class Sightings {
  readonly #clock: Clock
  readonly #links = new Map<LinkId, Map<string, number>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  saw(id: LinkId, ...addresses: readonly string[]): void {
    const seen = this.#links.get(id) ?? new Map<string, number>()
    for (const address of addresses) {
      seen.delete(address)
      seen.set(address, this.#clock.wallMs())
      if (seen.size > addressesMax) seen.delete(seen.keys().next().value!)
    }
    this.#links.set(id, seen)
  }

  /** Milliseconds since the epoch. */
  lastMs(id: LinkId, address: string): number | undefined {
    return this.#links.get(id)?.get(address)
  }

  /** The link is gone. */
  forget(id: LinkId): void {
    this.#links.delete(id)
  }
}
