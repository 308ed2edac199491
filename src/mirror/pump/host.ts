import type { Clock } from '../../base/clock.ts'
import { LinkspanError } from '../../base/errors.ts'
import type { LinkId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { KafkaCluster } from '../../kafka/cluster.ts'
import { attemptDefaultMs } from '../../kafka/cluster-options.ts'
import { createDialler } from '../../transport/create-dialler.ts'
import type { Dialler } from '../../transport/dialler.ts'
import { isEmbedded } from '../embedded.ts'
import type { LinkEnd, OpenLink, PumpNotice, PumpReplies, PumpRequest } from './protocol.ts'
import { Pump } from './pump.ts'
import { type PumpSettings, pumpDefaults } from './settings.ts'
import { Side, type SideName } from './side.ts'

const linksMax = 1000

export interface HostOptions {
  clock: Clock
  log: Log
  notify: (notice: PumpNotice) => void
  /** For tests: how a cluster is dialled, instead of what its spec says. */
  dialler?: (end: LinkEnd, side: SideName) => Dialler
}

interface OpenedLink {
  pump: Pump
  statsTimer: NodeJS.Timeout
}

/** The pumps of one thread, by link, and the requests of control to them. */
export class PumpHost implements AsyncDisposable {
  readonly #options: HostOptions
  readonly #links = new Map<LinkId, OpenedLink>()

  constructor(options: HostOptions) {
    this.#options = options
  }

  /** Errors: `already-exists`, `not-found` (the link is not open), `too-large`. */
  async handle(request: PumpRequest): Promise<PumpReplies[PumpRequest['kind']]> {
    switch (request.kind) {
      case 'openLink':
        this.#open(request)
        return undefined
      case 'startPartition':
        this.#link(request.linkId).pump.start(request)
        return undefined
      case 'stopPartition':
        return await this.#links.get(request.linkId)?.pump.stop(request, request.mode)
      case 'closeLink':
        await this.#close(request.linkId)
        return undefined
      case 'shutdown':
        await this.#shutdown(request.drainMs)
        return undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#links.keys()].map((linkId) => this.#close(linkId)))
  }

  #open({ linkId, source, destination, settings: given }: OpenLink): void {
    if (this.#links.has(linkId)) throw new LinkspanError('already-exists', 'The link is open already')
    if (this.#links.size >= linksMax) throw new LinkspanError('too-large', `A pump has at most ${linksMax} links`)
    const settings: PumpSettings = { ...pumpDefaults, ...given }
    const { clock, notify } = this.#options
    const pump = new Pump({
      linkId,
      settings,
      clock,
      notify,
      source: this.#side('source', source, settings),
      destination: this.#side('destination', destination, settings),
    })
    const statsTimer = setInterval(() => pump.takeStats(), settings.statsIntervalMs)
    statsTimer.unref()
    this.#links.set(linkId, { pump, statsTimer })
  }

  #side(name: SideName, end: LinkEnd, settings: PumpSettings): Side {
    const { clock, log, dialler } = this.#options
    const { cluster: spec, kafkaClusterId } = end
    const cluster = new KafkaCluster({
      dialler: dialler?.(end, name) ?? createDialler(spec),
      clientId: spec.clientId,
      sasl: spec.reach === 'kafka' ? spec.sasl : undefined,
      clusterId: kafkaClusterId,
      // A node that hangs must not hold up the question who leads for longer than the link gives any request.
      attemptMs: Math.min(attemptDefaultMs, settings.requestTimeoutMs),
      log,
      clock,
    })
    const raw = name === 'destination' && isEmbedded(spec)
    return new Side({ name, cluster, clock, goneGraceMs: settings.goneGraceMs, raw })
  }

  #link(linkId: LinkId): OpenedLink {
    const link = this.#links.get(linkId)
    if (link) return link
    throw new LinkspanError('not-found', 'The link is not open in this pump')
  }

  async #close(linkId: LinkId): Promise<void> {
    const link = this.#links.get(linkId)
    if (!link) return
    this.#links.delete(linkId)
    clearInterval(link.statsTimer)
    await link.pump[Symbol.asyncDispose]()
  }

  async #shutdown(drainMs: number): Promise<void> {
    const pumps = [...this.#links.values()].map(({ pump }) => pump)
    const drained = Promise.all(pumps.flatMap((pump) => pump.refs().map((ref) => pump.stop(ref, 'drain'))))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs)
    })
    await Promise.race([drained.then(() => {}), late])
    clearTimeout(timer)
    await this[Symbol.asyncDispose]()
  }
}
