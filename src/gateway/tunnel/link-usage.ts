import type { Clock } from '../../base/clock.ts'
import type { LinkId } from '../../base/ids.ts'
import { SlabPool } from '../../transport/slabs.ts'
import { ByteBudget } from './byte-budget.ts'
import type { TunnelLimits } from './limits.ts'
import { TokenBucket } from './token-bucket.ts'

/** What all tunnels of one link share. */
export interface LinkUsage {
  readonly bytes: ByteBudget
  readonly requests: TokenBucket
  readonly pool: SlabPool
}

/** A full answer that the pump asks for (1 MiB) and its head; a slab of more than 2 MiB would leave the cache. */
const slabBytes = 1024 * 1024 + 64 * 1024
/** Beside the one that each connection reads into. */
const sharedSlabs = 32

/** Usage by link; a link is in it while it has a tunnel open. */
export class LinkUsages {
  readonly #limits: TunnelLimits
  readonly #clock: Clock
  readonly #open = new Map<LinkId, { usage: LinkUsage; connections: number }>()

  constructor(limits: TunnelLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** One more connection of the link; undefined when it has all that it may have. */
  enter(linkId: LinkId): LinkUsage | undefined {
    const { connectionsMax, bytesInFlightMax, requestsPerSecond: perSecond, requestsBurst: burst } = this.#limits
    let entry = this.#open.get(linkId)
    if (!entry) {
      const usage = {
        bytes: new ByteBudget(bytesInFlightMax),
        requests: new TokenBucket({ perSecond, burst, clock: this.#clock }),
        pool: new SlabPool({ slabBytes, slabsMax: connectionsMax + sharedSlabs }),
      }
      entry = { usage, connections: 0 }
      this.#open.set(linkId, entry)
    }
    if (entry.connections >= connectionsMax) return undefined
    entry.connections += 1
    return entry.usage
  }

  leave(linkId: LinkId): void {
    const entry = this.#open.get(linkId)
    if (!entry) return
    entry.connections -= 1
    if (entry.connections === 0) this.#open.delete(linkId)
  }
}
