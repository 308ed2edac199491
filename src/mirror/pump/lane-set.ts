import type { Clock } from '../../base/clock.ts'
import { SlabPool } from '../../transport/slabs.ts'
import { DestinationLane, type DestinationOwner } from './destination-lane.ts'
import type { PumpSettings } from './settings.ts'
import type { Side } from './side.ts'
import { SourceLane, type SourceOwner } from './source-lane.ts'

/** Requests that are no appends, on a destination lane: version exchange and logins. */
const otherRequestsMax = 16

/** One is being read into, one waits for answers, one is for the change between them. */
const laneSlabsMin = 3

export interface LaneOptions {
  source: Side
  destination: Side
  settings: PumpSettings
  clock: Clock
}

/** The lanes of a link: one for each broker of either side, made when first needed. Clusters bound their number. */
export class LaneSet implements AsyncDisposable {
  readonly #options: LaneOptions
  readonly #sourceOwner: SourceOwner
  readonly #destinationOwner: DestinationOwner
  readonly #sources = new Map<number, SourceLane>()
  readonly #destinations = new Map<number, DestinationLane>()

  constructor(options: LaneOptions, sourceOwner: SourceOwner, destinationOwner: DestinationOwner) {
    this.#options = options
    this.#sourceOwner = sourceOwner
    this.#destinationOwner = destinationOwner
  }

  source(nodeId: number): SourceLane {
    const known = this.#sources.get(nodeId)
    if (known) return known
    const { source, settings, clock } = this.#options
    const { requestTimeoutMs, slabBytes } = settings
    const slabsMax = this.#slabsOfLane()
    const pool = new SlabPool({ slabBytes, slabsMax })
    const lane = new SourceLane(nodeId, {
      settings,
      clock,
      memoryBytes: slabBytes * slabsMax,
      leaderEpoch: ({ start }) => source.leader(start.sourceTopic, start.partition)?.leaderEpoch ?? -1,
      dial: (signal) => source.cluster.dedicate(nodeId, { pool, requestTimeoutMs, signal }),
      owner: this.#sourceOwner,
    })
    this.#sources.set(nodeId, lane)
    return lane
  }

  destination(nodeId: number): DestinationLane {
    const known = this.#destinations.get(nodeId)
    if (known) return known
    const { destination, settings, clock } = this.#options
    const { requestTimeoutMs, windowRequests } = settings
    const pendingMax = windowRequests + otherRequestsMax
    const lane = new DestinationLane(nodeId, {
      settings,
      clock,
      raw: destination.raw,
      dial: (signal) => destination.cluster.dedicate(nodeId, { requestTimeoutMs, pendingMax, signal }),
      owner: this.#destinationOwner,
    })
    this.#destinations.set(nodeId, lane)
    return lane
  }

  /** Every broker of the source may have a lane: together they keep within the link's memory. */
  #slabsOfLane(): number {
    const brokers = Math.max(1, this.#options.source.cluster.cache.brokers.length)
    return Math.max(laneSlabsMin, Math.floor(this.#options.settings.slabsMax / brokers))
  }

  /** Sends what is queued. */
  flush(): void {
    for (const lane of this.#destinations.values()) lane.flush()
  }

  /** There may be room to read more. */
  wake(): void {
    for (const lane of this.#sources.values()) lane.wake()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const lanes = [...this.#sources.values(), ...this.#destinations.values()]
    await Promise.all(lanes.map((lane) => lane[Symbol.asyncDispose]()))
  }
}
