import type { Clock } from '../base/clock.ts'
import { LinkspanError } from '../base/errors.ts'
import type { MirrorId } from '../base/ids.ts'
import type { Log, LogLevel } from '../base/log.ts'
import { entityUrl } from '../contract/entities.ts'
import type { EventBus } from '../events/bus.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import { openCluster } from '../kafka/open-cluster.ts'
import type { LinkRow } from '../link/rows.ts'
import type { Store } from '../store/store.ts'
import type { ClusterSpec } from '../transport/spec.ts'
import { MirrorBook, withEvent } from './book.ts'
import type { MirrorContext, MirrorLinks } from './context.ts'
import { type CreateMirrorRequest, draftMirror, includedKeys } from './creation.ts'
import { Fences } from './fences.ts'
import { type Footprint, footprintOf } from './footprint.ts'
import { Keeper } from './keeper.ts'
import { LagBoard, type PartitionLag } from './lag-board.ts'
import { isLive, type MirrorEvent } from './lifecycle.ts'
import type { TaskView } from './link-tasks.ts'
import { isGoverned } from './plan/topic-config.ts'
import { PumpClient } from './pump/pump-client.ts'
import type { PumpSettings } from './pump/settings.ts'
import type { MirrorRow } from './rows.ts'
import { type LinkHealth, unknownHealth } from './tasks/availability.ts'
import type { TaskError } from './tasks/task-error.ts'
import { type TopicProof, type VerifyOptions, verifyTopic } from './verify/verify.ts'

export interface MirrorsOptions {
  store: Store
  links: MirrorLinks
  bus: EventBus
  clock: Clock
  log: Log
  /** The Kafka that this daemon fronts. */
  destination: ClusterSpec
  /** Its id, where it is known: another Kafka under the same address is not touched. */
  kafkaClusterId?: string | undefined
  /** Of the pump's own log. */
  logLevel: LogLevel
  logFormat: 'text' | 'json'
  /** Over what links say: for tests. */
  pumpSettings?: Partial<PumpSettings>
}

/** A mirror as it is shown. */
export interface MirrorView {
  row: MirrorRow
  /** Undefined when the link was deleted. */
  link: LinkRow | undefined
  /** Dense from partition 0, ascending. */
  lags: PartitionLag[]
  /** What keeps it from stopping. */
  transitionErrors: readonly TaskError[]
}

export interface LinkView {
  health: LinkHealth
  tasks: TaskView[]
}

const drainMs = 5000

/** Opens the book of mirrors; `start` sets them going. */
export function openMirrors(options: MirrorsOptions): Mirrors {
  return new Mirrors(options)
}

/** The mirror topics of this cluster: made, watched, stopped. */
export class Mirrors implements AsyncDisposable {
  /** Topics here whose writers are denied for a mirror elsewhere. */
  readonly fences: Fences
  readonly #context: MirrorContext
  readonly #keeper: Keeper
  readonly #stopping = new AbortController()

  constructor(options: MirrorsOptions) {
    const { store, links, bus, clock, log, destination, logLevel, logFormat, pumpSettings = {} } = options
    const pump = new PumpClient({
      log,
      clock,
      workerData: { logLevel, logFormat },
      onNotice: (notice) => this.#keeper.heard(notice),
    })
    this.#context = {
      book: new MirrorBook(store, clock),
      lags: new LagBoard(),
      links,
      bus,
      clock,
      log,
      pump,
      destination: openCluster(destination, { clock, log, clusterId: options.kafkaClusterId }),
      destinationSpec: destination,
      pumpSettings,
      stopping: this.#stopping.signal,
    }
    const { book, destination: cluster } = this.#context
    this.fences = new Fences({ store, clock, cluster, book })
    this.#keeper = new Keeper(this.#context)
    links.usedBy.push((link) =>
      this.#keeper.liveOf(link.id).map(({ topic }) => entityUrl({ type: 'topic', name: topic })),
    )
    links.beforeForcedDelete.push((link) => this.#keeper.failOverAll(link.id))
  }

  /** Our client of the destination; it belongs to this room. */
  get destination(): KafkaCluster {
    return this.#context.destination
  }

  /** Takes everything up where it was left. To be called once, after all rooms are there. */
  start(): void {
    this.#keeper.start()
  }

  /** Of all links unless one is given; sorted by topic. */
  list(link?: LinkRow): MirrorView[] {
    const { book } = this.#context
    return (link ? book.ofLink(link.id) : book.list()).map((row) => this.#view(row))
  }

  /** Throws `not-found`. */
  get(link: LinkRow, topic: string): MirrorView {
    const row = this.#context.book.find(link.id, topic)
    if (row) return this.#view(row)
    const text = `Topic '${topic}' is not a mirror of cluster link "${link.name}"`
    throw new LinkspanError('not-found', text)
  }

  /** The mirror that a topic of this cluster is at present. */
  ofTopic(topic: string): MirrorView | undefined {
    const row = this.#context.book.live(topic)
    return row && this.#view(row)
  }

  /** How the link is and what its tasks do. */
  linkView(link: LinkRow): LinkView {
    const known = this.#keeper.runners.get(link.id)
    if (!known) return { health: unknownHealth, tasks: this.#keeper.runners.ensure(link.id).tasks.views() }
    return { health: known.tasks.health, tasks: known.tasks.views() }
  }

  /**
   * Makes a topic a mirror; it is ACTIVE when this resolves. Throws `already-exists`, `kafka-unknown-topic`,
   * `not-exact` (with the reason), `difference` (adopt), `invalid-config`, `unsupported`, and what Kafka answers.
   */
  async create(request: CreateMirrorRequest): Promise<MirrorView | undefined> {
    const { links } = this.#context
    const link = links.require(request.link)
    const { runner } = this.#keeper.runners.ensure(link.id)
    const { row } = await draftMirror(this.#context, runner, request)
    if (request.validateOnly) return undefined
    await this.fences.lift(row.topic)
    const { sourceKafkaClusterId } = row
    if (link.remoteKafkaClusterId === undefined) await links.setRemoteKafkaClusterId(link.id, sourceKafkaClusterId)
    await this.#keeper.create(row)
    return this.get(link, row.topic)
  }

  /**
   * Pauses, resumes, promotes or fails over. A stop goes on in the background: `get` shows how far it is and what is in
   * its way. Throws `not-found` and `state-conflict`.
   */
  async wish(link: LinkRow, topic: string, event: MirrorEvent): Promise<MirrorView> {
    const { row } = this.get(link, topic)
    await this.#keeper.advance(row.mirrorId, event)
    return this.get(link, topic)
  }

  pause(link: LinkRow, topic: string): Promise<MirrorView> {
    return this.wish(link, topic, { kind: 'pause' })
  }

  resume(link: LinkRow, topic: string): Promise<MirrorView> {
    return this.wish(link, topic, { kind: 'resume' })
  }

  /** Stops it once nothing of the source is missing. `fenceSource`: the source's writers are denied for that. */
  promote(link: LinkRow, topic: string, options: { fenceSource?: boolean } = {}): Promise<MirrorView> {
    return this.wish(link, topic, { kind: 'stop', how: 'promote', ...options })
  }

  /** Stops it with what is there. */
  failover(link: LinkRow, topic: string): Promise<MirrorView> {
    return this.wish(link, topic, { kind: 'stop', how: 'failover' })
  }

  /** Lets the writers of a source that was fenced for a promotion write again. Errors: those of the source. */
  async unfenceSource(link: LinkRow, topic: string): Promise<MirrorView> {
    await this.#keeper.unfenceSource(this.get(link, topic).row)
    return this.get(link, topic)
  }

  /** Whether a wish fits; throws as it would, and changes nothing. */
  check(link: LinkRow, topic: string, event: MirrorEvent): MirrorView {
    const view = this.get(link, topic)
    withEvent(view.row, event, this.#context.clock.wallMs())
    return view
  }

  /** Resolves when no promotion or failover of it is under way any more. */
  async settled(mirrorId: MirrorId): Promise<void> {
    await this.#keeper.stops.settled(mirrorId)
  }

  /** Deletes the topic of a mirror, whatever its state, and the mirror. False: the topic is none. */
  async delete(topic: string): Promise<boolean> {
    const rows = this.#context.book.list().filter((row) => row.topic === topic)
    for (const { mirrorId } of rows) {
      const row = await this.#context.book.change('delete mirror', mirrorId, (before) => {
        return { ...before, intent: { kind: 'delete' } }
      })
      if (row) await this.#keeper.reconcile(mirrorId, { mustSucceed: true })
    }
    return rows.length > 0
  }

  /** Which configs of a topic are not its owner's to change: none of a topic that is no mirror. */
  followedConfigs(topic: string): (name: string) => boolean {
    const { book, links } = this.#context
    const row = book.live(topic)
    const link = row && links.byId(row.linkId)
    if (!link) return () => false
    return isGoverned({ include: includedKeys(links.config(link)), local: row.localConfigs })
  }

  /** Compares a mirror with its source; nothing is changed. */
  async verify(view: MirrorView, options: VerifyOptions = {}): Promise<TopicProof> {
    const { row } = view
    const { destination } = this.#context
    const source = await this.#keeper.runners.ensure(row.linkId).runner.source()
    const compacted = (row.sourceConfigs['cleanup.policy'] ?? '').split(',').includes('compact')
    const { topic, sourceTopic, partitions } = row
    return await verifyTopic(
      { source, sourceTopic, destination, topic, partitions: partitions.length, compacted, live: isLive(row.state) },
      options,
    )
  }

  /** All that we have changed in the Kafka cluster. */
  footprint(): Footprint {
    return footprintOf(this.#context.book, this.fences.list())
  }

  /** Stops all pumps in good order; mirrors keep their states. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new LinkspanError('closed', 'The daemon is stopping'))
    // Ends what waits for an answer of Kafka; the pump has connections of its own.
    await this.#context.destination[Symbol.asyncDispose]()
    await this.#keeper[Symbol.asyncDispose]()
    await this.#context.pump.shutdown(drainMs)
  }

  #view(row: MirrorRow): MirrorView {
    const { lags, links } = this.#context
    const transitionErrors = this.#keeper.stops.errorsOf(row.mirrorId)
    return { row, link: links.byId(row.linkId), lags: lags.lagsOf(row), transitionErrors }
  }
}
