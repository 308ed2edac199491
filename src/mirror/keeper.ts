import { explainError, isLinkspanError, LinkspanError } from '../base/errors.ts'
import type { LinkId, MirrorId } from '../base/ids.ts'
import { entityUrl } from '../contract/entities.ts'
import type { LinkRow } from '../link/rows.ts'
import type { MirrorContext } from './context.ts'
import { DestinationWatch } from './destination-watch.ts'
import { failureOf, failureText } from './failures.ts'
import { abandonMirror, deleteMirrorTopic, setUpMirror } from './janitor.ts'
import { LateWriteWatch } from './late-writes.ts'
import { isLive, isPumping, type MirrorEvent, type MirrorFailure } from './lifecycle.ts'
import type { PumpNotice } from './pump/protocol.ts'
import { takeUpMirror } from './restored.ts'
import type { MirrorRow } from './rows.ts'
import { Runners } from './runners.ts'
import { allowOurselves } from './self-denial.ts'
import { liftSourceFence } from './source-fence.ts'
import { Stops } from './stops.ts'
import type { LinkHealth } from './tasks/availability.ts'
import { type TaskError, taskError } from './tasks/task-error.ts'
import { TaskLoop } from './tasks/task-loop.ts'
import { Turns } from './turns.ts'

const housekeepingIntervalMs = 3000
const lateWriteIntervalMs = 5000
const retryMs = 2000
const forcedDeleteMs = 60_000

/**
 * Rows say what is to be; the keeper sees that pump, tasks and Kafka do it, after every change and after every start of
 * the daemon, and lets happen to the rows what these tell.
 */
export class Keeper implements AsyncDisposable {
  readonly runners: Runners
  readonly stops: Stops
  readonly #context: MirrorContext
  readonly #watch: DestinationWatch
  readonly #turns = new Turns()
  readonly #creating = new Set<MirrorId>()
  readonly #retries = new Map<MirrorId, NodeJS.Timeout>()
  #housekeeping: TaskLoop | undefined
  #lateWrites: TaskLoop | undefined
  #unsubscribe: (() => void) | undefined

  constructor(context: MirrorContext) {
    this.#context = context
    this.#watch = new DestinationWatch(context)
    this.runners = new Runners(context, (linkId) => ({
      grown: (row) => this.reconcile(row.mirrorId),
      failed: (row, failure) => this.#fail(row.mirrorId, failure),
      healthChanged: (health) => this.#healthChanged(linkId, health),
    }))
    this.stops = new Stops({
      context,
      runnerOf: ({ linkId }) => this.runners.ensure(linkId).runner,
      finishSync: ({ linkId }) => this.runners.ensure(linkId).tasks.finishSync(),
      advance: (mirrorId, event) => this.advance(mirrorId, event),
    })
  }

  /** Takes everything up where it was left. To be called once, after all rooms are there. */
  start(): void {
    const { links, clock, log } = this.#context
    this.#unsubscribe = links.onChange(({ id, after }) => {
      // Not within the commit that tells of it.
      setImmediate(() => void this.#linkChanged(id, after).catch((error: unknown) => this.#logFailure(error)))
    })
    for (const link of links.list()) this.#adoptLink(link)
    for (const row of this.#context.book.list()) void this.reconcile(row.mirrorId)
    this.#housekeeping = new TaskLoop({
      name: 'housekeeping',
      intervalMs: () => housekeepingIntervalMs,
      run: () => this.#keepHouse(),
      clock,
      log,
    })
    const watch = new LateWriteWatch(this.#context)
    this.#lateWrites = new TaskLoop({
      name: 'late-writes',
      intervalMs: () => lateWriteIntervalMs,
      run: () => watch.look(),
      clock,
      log,
    })
  }

  /** Stops all pumps in good order; the context's signal is aborted before. Mirrors keep their states. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#unsubscribe?.()
    for (const timer of this.#retries.values()) clearTimeout(timer)
    await this.runners.closeSources()
    await this.#housekeeping?.[Symbol.asyncDispose]()
    await this.#lateWrites?.[Symbol.asyncDispose]()
    await this.stops[Symbol.asyncDispose]()
    await this.#turns.idle()
    await this.runners[Symbol.asyncDispose]()
  }

  /** Makes a mirror of a row that is not in the book yet: ACTIVE when this resolves, undone when it throws. */
  async create(row: MirrorRow): Promise<void> {
    const { mirrorId, linkId } = row
    this.#creating.add(mirrorId)
    try {
      for (const older of this.#context.book.ofTopic(row.topic)) await this.#takeBack(older)
      await this.#context.book.insert(row)
      await this.#setUp(row)
    } finally {
      this.#creating.delete(mirrorId)
    }
    this.runners.ensure(linkId).tasks.kick()
  }

  /** Lets an event happen, and sees that pump and tasks follow. */
  async advance(mirrorId: MirrorId, event: MirrorEvent): Promise<void> {
    if (await this.#tell(mirrorId, event)) await this.reconcile(mirrorId)
  }

  /** Makes pump and Kafka do what the row says; failures that pass are tried again. */
  async reconcile(mirrorId: MirrorId, { mustSucceed = false } = {}): Promise<void> {
    clearTimeout(this.#retries.get(mirrorId))
    this.#retries.delete(mirrorId)
    if (this.#context.stopping.aborted) return
    try {
      await this.#turns.run(mirrorId, () => this.#follow(mirrorId))
    } catch (error) {
      if (mustSucceed || this.#context.stopping.aborted) throw error
      this.#logFailure(error)
      const timer = setTimeout(() => void this.reconcile(mirrorId), retryMs)
      timer.unref()
      this.#retries.set(mirrorId, timer)
    }
  }

  heard(notice: PumpNotice): void {
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

  async failOverAll(linkId: LinkId): Promise<void> {
    const live = this.liveOf(linkId)
    for (const { mirrorId, state } of live) {
      if (state.name === 'PENDING_MIRROR') {
        await this.#abandon(mirrorId)
        await this.reconcile(mirrorId)
      } else await this.advance(mirrorId, { kind: 'stop', how: 'failover' })
    }
    const late = AbortSignal.timeout(forcedDeleteMs)
    for (const { mirrorId } of live) {
      await Promise.race([
        this.stops.settled(mirrorId),
        new Promise((resolve) => late.addEventListener('abort', resolve)),
      ])
    }
    const left = this.liveOf(linkId).map(({ topic }) => `'${topic}'`)
    if (left.length === 0) return
    const text = `Mirrors could not be failed over within ${forcedDeleteMs / 1000} s: ${left.slice(0, 5).join(', ')}`
    throw new LinkspanError('in-use', `${text}. Their errors say why; try again when the destination can be reached`)
  }

  /** Errors: those of the source. */
  async unfenceSource(row: MirrorRow): Promise<void> {
    await liftSourceFence(this.#context, this.runners.ensure(row.linkId).runner, row)
  }

  liveOf(linkId: LinkId): MirrorRow[] {
    return this.#context.book.ofLink(linkId).filter(({ state }) => isLive(state))
  }

  async #setUp(row: MirrorRow): Promise<void> {
    const { mirrorId } = row
    try {
      await this.#turns.run(mirrorId, async () => {
        if (await setUpMirror(this.#context, row)) await this.#tell(mirrorId, { kind: 'set-up' })
      })
    } catch (error) {
      await this.#abandon(mirrorId)
      await this.reconcile(mirrorId)
      throw error
    }
    await this.#tellIfLinkPaused(row)
    await this.reconcile(mirrorId)
  }

  async #tellIfLinkPaused({ mirrorId, linkId }: MirrorRow): Promise<void> {
    const link = this.#context.links.byId(linkId)
    if (!link || !this.#context.links.config(link).flag('cluster.link.paused')) return
    await this.#tell(mirrorId, { kind: 'link-paused' })
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
    await this.advance(mirrorId, { kind: 'fail', failure })
  }

  async #follow(mirrorId: MirrorId): Promise<void> {
    const row = this.#context.book.byId(mirrorId)
    if (!row) return
    const runner = this.runners.get(row.linkId)?.runner
    switch (row.intent?.kind) {
      case 'create':
        if (this.#creating.has(mirrorId)) return
        return await this.#finishSetUp(row)
      case 'restore':
        if (row.state.name === 'FAILED') break
        return await this.#takeUp(row, row.intent.paused)
      case 'abandon':
        return await abandonMirror(this.#context, row)
      case 'delete':
        await runner?.stop(mirrorId)
        await this.#takeBack(row)
        return await deleteMirrorTopic(this.#context, row)
    }
    if (row.state.name === 'PENDING_STOPPED') this.stops.begin(mirrorId)
    else if (isPumping(row.state)) {
      await allowOurselves(this.#context, row)
      await this.runners.ensure(row.linkId).runner.start(mirrorId)
    } else await runner?.stop(mirrorId)
  }

  /** What a stop has left beside the topic, before the row that remembers it goes. */
  async #takeBack(row: MirrorRow): Promise<void> {
    await allowOurselves(this.#context, row)
    if (row.sourceFence === null) return
    try {
      await this.unfenceSource(row)
    } catch (error) {
      this.#logFailure(error)
      const { sourceTopic } = row
      this.#context.log.warn({ topic: sourceTopic }, "The source's writers stay denied: lift it over there")
    }
  }

  /** After a crash. What cannot be finished now or later is undone: nobody waits for it any more. */
  async #finishSetUp(row: MirrorRow): Promise<void> {
    try {
      await setUpMirror(this.#context, row)
      await this.#tell(row.mirrorId, { kind: 'set-up' })
    } catch (error) {
      if (!isLinkspanError(error) || error.retry !== 'no') throw error
      this.#logFailure(error)
      await this.#abandon(row.mirrorId)
    }
    await this.#follow(row.mirrorId)
  }

  /** From a backup. What cannot be proven stands still, and is tried again when somebody resumes it. */
  async #takeUp(row: MirrorRow, paused: boolean): Promise<void> {
    const { mirrorId, linkId } = row
    try {
      await takeUpMirror(this.#context, this.runners.ensure(linkId).runner, row)
      await setUpMirror(this.#context, this.#context.book.byId(mirrorId)!)
    } catch (error) {
      // Anything else can pass: the other side may not have heard yet that this is the host that it knew.
      if (!isLinkspanError(error, 'difference', 'source-changed', 'destination-changed')) throw error
      const { code, message } = error
      const failure = failureText({ topicError: 'ILLEGAL_STATE', code, message })
      await this.#tell(mirrorId, { kind: 'fail', failure })
      return
    }
    await this.#tell(mirrorId, { kind: 'set-up' })
    if (paused) await this.#tell(mirrorId, { kind: 'pause' })
    await this.#tellIfLinkPaused(row)
    await this.#follow(mirrorId)
  }

  async #abandon(mirrorId: MirrorId): Promise<void> {
    await this.#context.book.change('abandon mirror', mirrorId, (row) => ({ ...row, intent: { kind: 'abandon' } }))
  }

  #adoptLink(link: LinkRow): void {
    const mirrored = this.#context.book.ofLink(link.id).length > 0
    if (link.state === 'active' && (mirrored || link.reach === 'kafka')) this.runners.ensure(link.id)
  }

  async #linkChanged(linkId: LinkId, link: LinkRow | undefined): Promise<void> {
    if (!link) return await this.#linkGone(linkId)
    this.#adoptLink(link)
    const known = this.runners.get(linkId)
    if (!known) return
    const paused = this.#context.links.config(link).flag('cluster.link.paused')
    for (const { mirrorId } of this.liveOf(linkId)) {
      await this.advance(mirrorId, { kind: paused ? 'link-paused' : 'link-resumed' })
    }
    await known.runner.refresh()
    known.tasks.kick()
  }

  /** Its mirrors cannot be told what to do any more: they become ordinary topics, and the history goes. */
  async #linkGone(linkId: LinkId): Promise<void> {
    await this.failOverAll(linkId)
    for (const row of this.#context.book.ofLink(linkId)) await this.#takeBack(row)
    await this.runners.close(linkId)
    await this.#context.book.removeLink(linkId)
  }

  async #healthChanged(linkId: LinkId, { state }: LinkHealth): Promise<void> {
    for (const { mirrorId } of this.liveOf(linkId)) {
      if (state === 'refused') await this.advance(mirrorId, { kind: 'link-failed' })
      else await this.advance(mirrorId, { kind: 'link-recovered' })
      if (state !== 'refused') {
        await this.advance(mirrorId, { kind: state === 'unreachable' ? 'source-lost' : 'source-back' })
      }
    }
  }

  async #keepHouse(): Promise<TaskError[]> {
    const errors: TaskError[] = []
    for (const { mirrorId, intent, state } of this.#context.book.list()) {
      const undone = intent?.kind === 'abandon' || intent?.kind === 'delete' || state.name === 'PENDING_MIRROR'
      if (undone && !this.#creating.has(mirrorId)) await this.reconcile(mirrorId)
    }
    for (const row of this.#context.book.list()) {
      // A promotion that did not come to its end.
      const overtaken = row.sourceFence !== null && isLive(row.state) && row.state.name !== 'PENDING_STOPPED'
      if (overtaken) await this.unfenceSource(row).catch((error: unknown) => errors.push(taskError(error)))
    }
    const { gone, failed } = await this.#watch.look()
    for (const row of gone) await this.#forget(row)
    for (const { row, failure } of failed) await this.#fail(row.mirrorId, failure)
    return errors
  }

  async #forget(row: MirrorRow): Promise<void> {
    this.#context.log.info({ topic: row.topic }, 'The topic of a mirror was deleted: the mirror is forgotten')
    await this.#turns.run(row.mirrorId, async () => {
      await this.runners.get(row.linkId)?.runner.stop(row.mirrorId)
      await this.#takeBack(row)
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

  #logFailure(error: unknown): void {
    if (isLinkspanError(error)) {
      this.#context.log.warn({ code: error.code }, `Work on a mirror failed: ${explainError(error)}`)
    } else this.#context.log.error({ err: error }, 'Work on a mirror failed for a reason of ours')
  }
}
