import type { Clock } from '../base/clock.ts'
import { explainError, isLinkspanError, LinkspanError } from '../base/errors.ts'
import type { LinkId, MirrorId } from '../base/ids.ts'
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
import { type CreateMirrorRequest, draftMirror } from './creation.ts'
import { DestinationWatch } from './destination-watch.ts'
import { failureOf } from './failures.ts'
import { type Footprint, footprintOf } from './footprint.ts'
import { abandonMirror, deleteMirrorTopic, setUpMirror } from './janitor.ts'
import { LagBoard, type PartitionLag } from './lag-board.ts'
import { findLateWrites, watchedForLateWrites } from './late-writes.ts'
import { isLive, isPumping, type MirrorEvent, type MirrorFailure, type StopKind } from './lifecycle.ts'
import type { TaskView } from './link-tasks.ts'
import type { PumpNotice } from './pump/protocol.ts'
import { PumpClient } from './pump/pump-client.ts'
import type { PumpSettings } from './pump/settings.ts'
import type { MirrorRow } from './rows.ts'
import { Runners } from './runners.ts'
import { Stops } from './stops.ts'
import { type LinkHealth, unknownHealth } from './tasks/availability.ts'
import { type TaskError, taskError } from './tasks/task-error.ts'
import { TaskLoop } from './tasks/task-loop.ts'
import { Turns } from './turns.ts'
import { type TopicProof, type VerifyOptions, verifyTopic } from './verify/verify.ts'

export interface MirrorsOptions {
  store: Store
  links: MirrorLinks
  bus: EventBus
  clock: Clock
  log: Log
  /** The Kafka that this daemon fronts. */
  destination: ClusterSpec
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

const housekeepingIntervalMs = 3000
const lateWriteIntervalMs = 5000
const retryMs = 2000
const drainMs = 5000
const forcedDeleteMs = 60_000

/** Opens the book of mirrors; `start` sets them going. */
export function openMirrors(options: MirrorsOptions): Mirrors {
  return new Mirrors(options)
}

/**
 * The mirror topics of this cluster: made, watched, stopped. Rows say what is to be; the pump and the tasks of each link
 * are made to do it, after every change and after every start of the daemon.
 */
export class Mirrors implements AsyncDisposable {
  readonly #context: MirrorContext
  readonly #runners: Runners
  readonly #stops: Stops
  readonly #watch: DestinationWatch
  readonly #turns = new Turns()
  readonly #stopping = new AbortController()
  readonly #creating = new Set<MirrorId>()
  readonly #retries = new Map<MirrorId, NodeJS.Timeout>()
  #housekeeping: TaskLoop | undefined
  #lateWrites: TaskLoop | undefined
  #unsubscribe: (() => void) | undefined

  constructor(options: MirrorsOptions) {
    const { store, links, bus, clock, log, destination, logLevel, logFormat, pumpSettings = {} } = options
    const pump = new PumpClient({
      log,
      clock,
      workerData: { logLevel, logFormat },
      onNotice: (notice) => this.#heard(notice),
    })
    this.#context = {
      book: new MirrorBook(store, clock),
      lags: new LagBoard(),
      links,
      bus,
      clock,
      log,
      pump,
      destination: openCluster(destination, { clock, log }),
      destinationSpec: destination,
      pumpSettings,
      stopping: this.#stopping.signal,
    }
    this.#runners = new Runners(this.#context, (linkId) => ({
      grown: (row) => this.#reconcile(row.mirrorId),
      failed: (row, failure) => this.#fail(row.mirrorId, failure),
      healthChanged: (health) => this.#healthChanged(linkId, health),
    }))
    this.#stops = new Stops({
      context: this.#context,
      runnerOf: ({ linkId }) => this.#runners.ensure(linkId).runner,
      finishSync: ({ linkId }) => this.#runners.ensure(linkId).tasks.finishSync(),
      advance: (mirrorId, event) => this.#advance(mirrorId, event),
    })
    this.#watch = new DestinationWatch(this.#context)
    links.usedBy.push((link) => this.#liveOf(link.id).map(({ topic }) => entityUrl({ type: 'topic', name: topic })))
    links.beforeForcedDelete.push((link) => this.#failOverAll(link.id))
  }

  /** Our client of the destination; it belongs to this room. */
  get destination(): KafkaCluster {
    return this.#context.destination
  }

  /** Takes everything up where it was left. To be called once, after all rooms are there. */
  start(): void {
    const { links, clock, log } = this.#context
    this.#unsubscribe = links.onChange(({ id, after }) => {
      // Not within the commit that tells of it.
      setImmediate(() => void this.#linkChanged(id, after).catch((error: unknown) => this.#logFailure(error)))
    })
    for (const link of links.list()) this.#adoptLink(link)
    for (const row of this.#context.book.list()) void this.#reconcile(row.mirrorId)
    this.#housekeeping = new TaskLoop({
      name: 'housekeeping',
      intervalMs: () => housekeepingIntervalMs,
      run: () => this.#keepHouse(),
      clock,
      log,
    })
    this.#lateWrites = new TaskLoop({
      name: 'late-writes',
      intervalMs: () => lateWriteIntervalMs,
      run: () => this.#findLateWrites(),
      clock,
      log,
    })
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
    const known = this.#runners.get(link.id)
    if (!known) return { health: unknownHealth, tasks: this.#runners.ensure(link.id).tasks.views() }
    return { health: known.tasks.health, tasks: known.tasks.views() }
  }

  /**
   * Makes a topic a mirror; it is ACTIVE when this resolves. Throws `already-exists`, `kafka-unknown-topic`,
   * `not-exact` (with the reason), `difference` (adopt), `invalid-config`, `unsupported`, and what either Kafka answers.
   */
  async create(request: CreateMirrorRequest): Promise<MirrorView | undefined> {
    const { links, book } = this.#context
    const link = links.require(request.link)
    const { runner, tasks } = this.#runners.ensure(link.id)
    const { row } = await draftMirror(this.#context, runner, request)
    if (request.validateOnly) return undefined
    if (link.remoteKafkaClusterId === undefined) await links.setRemoteKafkaClusterId(link.id, row.sourceKafkaClusterId)
    this.#creating.add(row.mirrorId)
    try {
      await book.insert(row)
      await this.#setUp(row)
    } finally {
      this.#creating.delete(row.mirrorId)
    }
    tasks.kick()
    return this.get(link, row.topic)
  }

  async pause(link: LinkRow, topic: string): Promise<MirrorView> {
    return await this.#wish(link, topic, { kind: 'pause' })
  }

  async resume(link: LinkRow, topic: string): Promise<MirrorView> {
    return await this.#wish(link, topic, { kind: 'resume' })
  }

  /** Begins to stop a mirror; `get` shows how far it is and what is in its way. */
  async stop(link: LinkRow, topic: string, how: StopKind): Promise<MirrorView> {
    return await this.#wish(link, topic, { kind: 'stop', how })
  }

  /** Whether a wish fits; throws as it would, and changes nothing. */
  check(link: LinkRow, topic: string, event: MirrorEvent): MirrorView {
    const view = this.get(link, topic)
    withEvent(view.row, event, this.#context.clock.wallMs())
    return view
  }

  /** Resolves when no promotion or failover of it is under way any more. */
  async settled(mirrorId: MirrorId): Promise<void> {
    await this.#stops.settled(mirrorId)
  }

  /** Deletes the topic, whatever state the mirror is in. */
  async delete(topic: string): Promise<void> {
    const rows = this.#context.book.list().filter((row) => row.topic === topic)
    for (const { mirrorId } of rows) {
      const row = await this.#context.book.change('delete mirror', mirrorId, (before) => {
        return { ...before, intent: { kind: 'delete' } }
      })
      if (row) await this.#reconcile(mirrorId, { mustSucceed: true })
    }
  }

  /** Compares a mirror with its source; nothing is changed. */
  async verify(view: MirrorView, options: VerifyOptions = {}): Promise<TopicProof> {
    const { row } = view
    const { destination } = this.#context
    const source = await this.#runners.ensure(row.linkId).runner.source()
    const compacted = (row.sourceConfigs['cleanup.policy'] ?? '').split(',').includes('compact')
    const { topic, sourceTopic, partitions } = row
    return await verifyTopic(
      { source, sourceTopic, destination, topic, partitions: partitions.length, compacted },
      options,
    )
  }

  /** All that we have changed in the Kafka cluster. */
  footprint(): Footprint {
    return footprintOf(this.#context.book)
  }

  /** Stops all pumps in good order; mirrors keep their states. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#unsubscribe?.()
    this.#stopping.abort(new LinkspanError('closed', 'The daemon is stopping'))
    for (const timer of this.#retries.values()) clearTimeout(timer)
    await this.#housekeeping?.[Symbol.asyncDispose]()
    await this.#lateWrites?.[Symbol.asyncDispose]()
    await this.#stops[Symbol.asyncDispose]()
    await this.#turns.idle()
    await this.#runners[Symbol.asyncDispose]()
    await this.#context.pump.shutdown(drainMs)
    await this.#context.destination[Symbol.asyncDispose]()
  }

  #view(row: MirrorRow): MirrorView {
    const { lags, links } = this.#context
    const transitionErrors = this.#stops.errorsOf(row.mirrorId)
    return { row, link: links.byId(row.linkId), lags: lags.lagsOf(row), transitionErrors }
  }

  #liveOf(linkId: LinkId): MirrorRow[] {
    return this.#context.book.ofLink(linkId).filter(({ state }) => isLive(state))
  }

  async #wish(link: LinkRow, topic: string, event: MirrorEvent): Promise<MirrorView> {
    const { row } = this.get(link, topic)
    await this.#advance(row.mirrorId, event)
    return this.get(link, topic)
  }

  async #setUp(row: MirrorRow): Promise<void> {
    const { mirrorId } = row
    try {
      await this.#turns.run(mirrorId, async () => {
        if (await setUpMirror(this.#context, row)) await this.#tell(mirrorId, { kind: 'set-up' })
      })
    } catch (error) {
      await this.#context.book.change('abandon mirror', mirrorId, (before) => ({
        ...before,
        intent: { kind: 'abandon' },
      }))
      await this.#reconcile(mirrorId)
      throw error
    }
    const link = this.#context.links.byId(row.linkId)
    if (link && this.#context.links.config(link).flag('cluster.link.paused')) {
      await this.#tell(mirrorId, { kind: 'link-paused' })
    }
    await this.#reconcile(mirrorId)
  }

  /** Lets an event happen, and sees that pump and tasks follow. */
  async #advance(mirrorId: MirrorId, event: MirrorEvent): Promise<void> {
    if (await this.#tell(mirrorId, event)) await this.#reconcile(mirrorId)
  }

  async #tell(mirrorId: MirrorId, event: MirrorEvent): Promise<boolean> {
    const advanced = await this.#context.book.advance(mirrorId, event)
    if (!advanced?.changed) return false
    const { topic, state, linkId } = advanced.row
    const link = this.#context.links.byId(linkId)?.name ?? linkId
    const reason = state.name === 'FAILED' ? { reason: state.failure.message } : {}
    this.#context.bus.lifecycle({
      action: `mirror-${state.name.toLowerCase().replaceAll('_', '-')}`,
      source: entityUrl({ type: 'topic', name: topic }),
      context: { link, ...reason },
    })
    return true
  }

  async #fail(mirrorId: MirrorId, failure: MirrorFailure): Promise<void> {
    await this.#advance(mirrorId, { kind: 'fail', failure })
  }

  /** Makes pump and Kafka do what the row says; failures that pass are tried again. */
  async #reconcile(mirrorId: MirrorId, { mustSucceed = false } = {}): Promise<void> {
    clearTimeout(this.#retries.get(mirrorId))
    this.#retries.delete(mirrorId)
    if (this.#stopping.signal.aborted) return
    try {
      await this.#turns.run(mirrorId, () => this.#follow(mirrorId))
    } catch (error) {
      if (mustSucceed || this.#stopping.signal.aborted) throw error
      this.#logFailure(error)
      const timer = setTimeout(() => void this.#reconcile(mirrorId), retryMs)
      timer.unref()
      this.#retries.set(mirrorId, timer)
    }
  }

  async #follow(mirrorId: MirrorId): Promise<void> {
    const row = this.#context.book.byId(mirrorId)
    if (!row) return
    const runner = this.#runners.get(row.linkId)?.runner
    switch (row.intent?.kind) {
      case 'create':
        if (this.#creating.has(mirrorId)) return
        await setUpMirror(this.#context, row)
        await this.#tell(mirrorId, { kind: 'set-up' })
        return await this.#follow(mirrorId)
      case 'abandon':
        return await abandonMirror(this.#context, row)
      case 'delete':
        await runner?.stop(mirrorId)
        return await deleteMirrorTopic(this.#context, row)
    }
    if (row.state.name === 'PENDING_STOPPED') this.#stops.begin(mirrorId)
    else if (isPumping(row.state)) await this.#runners.ensure(row.linkId).runner.start(mirrorId)
    else await runner?.stop(mirrorId)
  }

  #heard(notice: PumpNotice): void {
    switch (notice.kind) {
      case 'stats':
        this.#context.lags.take(notice.partitions)
        return
      case 'event':
        this.#context.log.debug({ link: notice.linkId, ...notice.event }, 'The pump tells')
        return
      case 'stopped':
        if (notice.reason.cause === 'destination-gone') this.#housekeeping?.kick()
        void this.#fail(notice.mirrorId, failureOf(notice)).catch((error: unknown) => this.#logFailure(error))
    }
  }

  #adoptLink(link: LinkRow): void {
    const mirrored = this.#context.book.ofLink(link.id).length > 0
    if (link.state === 'active' && (mirrored || link.reach === 'kafka')) this.#runners.ensure(link.id)
  }

  async #linkChanged(linkId: LinkId, link: LinkRow | undefined): Promise<void> {
    if (!link) return await this.#linkGone(linkId)
    this.#adoptLink(link)
    const known = this.#runners.get(linkId)
    if (!known) return
    const paused = this.#context.links.config(link).flag('cluster.link.paused')
    for (const { mirrorId } of this.#liveOf(linkId)) {
      await this.#advance(mirrorId, { kind: paused ? 'link-paused' : 'link-resumed' })
    }
    await known.runner.refresh()
    known.tasks.kick()
  }

  /** Its mirrors cannot be told what to do any more: they become ordinary topics, and the history goes. */
  async #linkGone(linkId: LinkId): Promise<void> {
    await this.#failOverAll(linkId)
    await this.#runners.close(linkId)
    await this.#context.book.removeLink(linkId)
  }

  async #failOverAll(linkId: LinkId): Promise<void> {
    const live = this.#liveOf(linkId)
    for (const { mirrorId, state } of live) {
      if (state.name === 'PENDING_MIRROR') {
        await this.#context.book.change('abandon mirror', mirrorId, (row) => ({ ...row, intent: { kind: 'abandon' } }))
        await this.#reconcile(mirrorId)
      } else await this.#advance(mirrorId, { kind: 'stop', how: 'failover' })
    }
    const late = AbortSignal.timeout(forcedDeleteMs)
    for (const { mirrorId } of live) {
      await Promise.race([this.settled(mirrorId), new Promise((resolve) => late.addEventListener('abort', resolve))])
    }
    const left = this.#liveOf(linkId).map(({ topic }) => `'${topic}'`)
    if (left.length === 0) return
    const text = `Mirrors could not be failed over within ${forcedDeleteMs / 1000} s: ${left.slice(0, 5).join(', ')}`
    throw new LinkspanError('in-use', `${text}. Their errors say why; try again when the destination can be reached`)
  }

  async #healthChanged(linkId: LinkId, { state }: LinkHealth): Promise<void> {
    for (const { mirrorId } of this.#liveOf(linkId)) {
      if (state === 'refused') await this.#advance(mirrorId, { kind: 'link-failed' })
      else await this.#advance(mirrorId, { kind: 'link-recovered' })
      if (state !== 'refused') {
        await this.#advance(mirrorId, { kind: state === 'unreachable' ? 'source-lost' : 'source-back' })
      }
    }
  }

  async #keepHouse(): Promise<TaskError[]> {
    const errors: TaskError[] = []
    for (const { mirrorId, intent, state } of this.#context.book.list()) {
      const undone = intent?.kind === 'abandon' || intent?.kind === 'delete' || state.name === 'PENDING_MIRROR'
      if (undone && !this.#creating.has(mirrorId)) await this.#reconcile(mirrorId)
    }
    const { gone, failed } = await this.#watch.look()
    for (const row of gone) await this.#forget(row)
    for (const { row, failure } of failed) await this.#fail(row.mirrorId, failure)
    return errors
  }

  async #forget(row: MirrorRow): Promise<void> {
    this.#context.log.info({ topic: row.topic }, 'The topic of a mirror was deleted: the mirror is forgotten')
    await this.#turns.run(row.mirrorId, async () => {
      await this.#runners.get(row.linkId)?.runner.stop(row.mirrorId)
      await deleteMirrorTopic(this.#context, row)
    })
    const { topic, linkId } = row
    const link = this.#context.links.byId(linkId)?.name ?? linkId
    this.#context.bus.lifecycle({
      action: 'mirror-deleted',
      source: entityUrl({ type: 'topic', name: topic }),
      context: { link },
    })
  }

  async #findLateWrites(): Promise<TaskError[]> {
    const errors: TaskError[] = []
    for (const row of watchedForLateWrites(this.#context)) {
      await findLateWrites(this.#context, row).catch((error: unknown) => errors.push(taskError(error)))
    }
    return errors
  }

  #logFailure(error: unknown): void {
    if (isLinkspanError(error)) {
      this.#context.log.warn({ code: error.code }, `Work on a mirror failed: ${explainError(error)}`)
    } else this.#context.log.error({ err: error }, 'Work on a mirror failed for a reason of ours')
  }
}
