import { Backoff } from '../base/backoff.ts'
import { sleep } from '../base/clock.ts'
import type { MirrorId } from '../base/ids.ts'
import { syncedTopicConfigs } from '../contract/config-keys-behaviour.ts'
import type { MirrorContext } from './context.ts'
import { includedKeys } from './creation.ts'
import type { MirrorEvent } from './lifecycle.ts'
import type { LinkRunner } from './link-runner.ts'
import { releaseTopic } from './release.ts'
import type { MirrorRow, StopReport } from './rows.ts'
import { failOver, type StopContext, tryPromote } from './stopping.ts'
import { shortened, type TaskError, taskError } from './tasks/task-error.ts'

export interface StopsOptions {
  context: MirrorContext
  runnerOf: (row: MirrorRow) => LinkRunner
  finishSync: (row: MirrorRow) => Promise<TaskError[]>
  advance: (mirrorId: MirrorId, event: MirrorEvent) => Promise<void>
}

const pauses = { initialMs: 100, maxMs: 2000 }

/** Promotions and failovers that are under way: each is tried until it is done, or overtaken by another wish. */
export class Stops implements AsyncDisposable {
  readonly #options: StopsOptions
  readonly #running = new Map<MirrorId, Promise<void>>()
  readonly #errors = new Map<MirrorId, TaskError[]>()

  constructor(options: StopsOptions) {
    this.#options = options
  }

  /** What keeps a mirror from stopping, as of the last attempt. */
  errorsOf(mirrorId: MirrorId): readonly TaskError[] {
    return this.#errors.get(mirrorId) ?? []
  }

  /** Goes on by itself; asked again it does nothing new. */
  begin(mirrorId: MirrorId): void {
    if (this.#running.has(mirrorId)) return
    const running = this.#run(mirrorId)
      .catch((error: unknown) => {
        this.#options.context.log.error(
          { err: error, mirror: mirrorId },
          'Stopping a mirror ended for a reason of ours',
        )
      })
      .finally(() => {
        this.#running.delete(mirrorId)
        this.#errors.delete(mirrorId)
      })
    this.#running.set(mirrorId, running)
  }

  /** Resolves when it is not under way (any more). */
  async settled(mirrorId: MirrorId): Promise<void> {
    await this.#running.get(mirrorId)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.values())
  }

  async #run(mirrorId: MirrorId): Promise<void> {
    const { context } = this.#options
    const backoff = new Backoff(pauses)
    while (!context.stopping.aborted) {
      const row = context.book.byId(mirrorId)
      if (row?.state.name !== 'PENDING_STOPPED') return
      try {
        if (await this.#attempt(row)) return
      } catch (error) {
        if (context.stopping.aborted) return
        this.#errors.set(mirrorId, [taskError(error)])
      }
      await sleep(backoff.nextMs(), context.stopping).catch(() => {})
    }
  }

  /** True when there is nothing left to do. */
  async #attempt(row: MirrorRow): Promise<boolean> {
    if (row.intent?.kind === 'release' && row.stop) {
      await this.#release(row)
      return true
    }
    const context = this.#stopContext(row)
    if (row.state.name === 'PENDING_STOPPED' && row.state.kind === 'failover') {
      await this.#finish(row, await failOver(context, row))
      return true
    }
    const attempt = await tryPromote(context, row)
    switch (attempt.kind) {
      case 'stopped':
        await this.#finish(row, attempt.report)
        return true
      case 'failed':
        await this.#options.advance(row.mirrorId, { kind: 'fail', failure: attempt.failure })
        return true
      case 'blocked':
        this.#errors.set(row.mirrorId, shortened(attempt.errors))
        return false
    }
  }

  /** From here on there is no way back, so it is written down first: a crash is followed by the same release. */
  async #finish(row: MirrorRow, stop: StopReport): Promise<void> {
    const { book } = this.#options.context
    const next = await book.change('release mirror', row.mirrorId, (before) => {
      return { ...before, stop, intent: { kind: 'release' } }
    })
    if (next) await this.#release(next)
  }

  async #release(row: MirrorRow): Promise<void> {
    const { context, advance } = this.#options
    await releaseTopic(context, row, this.#includeOf(row))
    await context.book.change('mirror released', row.mirrorId, (before) => {
      return { ...before, intent: null, readOnly: { ...before.readOnly, acls: [] } }
    })
    await advance(row.mirrorId, { kind: 'stopped' })
  }

  #stopContext(row: MirrorRow): StopContext {
    const { context, runnerOf, finishSync } = this.#options
    return { ...context, runner: runnerOf(row), finishSync: () => finishSync(row) }
  }

  /** The link may be gone already. */
  #includeOf({ linkId }: MirrorRow): readonly string[] {
    const { links } = this.#options.context
    const link = links.byId(linkId)
    return link ? includedKeys(links.config(link)) : syncedTopicConfigs
  }
}
