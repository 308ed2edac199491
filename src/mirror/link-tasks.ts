import type { TaskName, TaskState } from '../contract/kafka-v3.ts'
import type { MirrorContext } from './context.ts'
import type { MirrorFailure } from './lifecycle.ts'
import type { LinkRunner } from './link-runner.ts'
import type { MirrorRow } from './rows.ts'
import { type LinkHealth, probeSource, unknownHealth } from './tasks/availability.ts'
import { syncGroupOffsets } from './tasks/group-offsets.ts'
import { followPartitions } from './tasks/growth.ts'
import { followLogStarts } from './tasks/log-start.ts'
import type { TaskError } from './tasks/task-error.ts'
import { TaskLoop } from './tasks/task-loop.ts'
import { syncTopicConfigs } from './tasks/topic-configs.ts'

export interface LinkTaskActions {
  grown: (row: MirrorRow) => Promise<void>
  failed: (row: MirrorRow, failure: MirrorFailure) => Promise<void>
  healthChanged: (health: LinkHealth) => Promise<void>
}

/** One of Confluent's tasks, as it is shown. */
export interface TaskView {
  name: TaskName
  state: TaskState
  errors: TaskError[]
}

const logStartIntervalMs = 10_000

/** What is done for a link again and again, beside its data. */
export class LinkTasks implements AsyncDisposable {
  readonly offsets: TaskLoop
  readonly configs: TaskLoop
  readonly growth: TaskLoop
  readonly #logStarts: TaskLoop
  readonly #availability: TaskLoop
  readonly #context: MirrorContext
  readonly #runner: LinkRunner
  readonly #actions: LinkTaskActions
  #health: LinkHealth = unknownHealth

  constructor(context: MirrorContext, runner: LinkRunner, actions: LinkTaskActions) {
    this.#context = context
    this.#runner = runner
    this.#actions = actions
    this.offsets = this.#loop('offsets', () => this.#every('consumer.offset.sync.ms', 'consumer.offset.sync.enable'), {
      run: (mirrors, signal) => syncGroupOffsets(context, runner, mirrors, signal),
    })
    this.configs = this.#loop('configs', () => this.#every('topic.config.sync.ms'), {
      run: (mirrors, signal) => syncTopicConfigs(context, runner, mirrors, signal),
    })
    this.growth = this.#loop('growth', () => this.#every('metadata.max.age.ms'), {
      run: (mirrors, signal) => followPartitions(context, runner, mirrors, actions, signal),
    })
    this.#logStarts = this.#loop('log-start', () => (this.#paused ? undefined : logStartIntervalMs), {
      run: (mirrors, signal) => followLogStarts(context, runner, mirrors, signal),
    })
    this.#availability = this.#loop('availability', () => this.#probeIntervalMs(), {
      run: (_, signal) => this.#probe(signal),
    })
  }

  get health(): LinkHealth {
    return this.#health
  }

  /** After a change of the link. */
  kick(): void {
    for (const loop of this.#loops) loop.kick()
  }

  /** In Confluent's order. */
  views(): TaskView[] {
    return [
      this.#view('ConsumerOffsetSync', [this.offsets]),
      { name: 'AclSync', state: 'NOT_CONFIGURED', errors: [] },
      { name: 'AutoCreateMirror', state: 'NOT_CONFIGURED', errors: [] },
      this.#view('TopicConfigsSync', [this.configs, this.growth, this.#logStarts]),
    ]
  }

  /** The last of what a link needs before one of its mirrors becomes an ordinary topic. */
  async finishSync(): Promise<TaskError[]> {
    const errors = [...(await this.configs.runNow()), ...(await this.#logStarts.runNow())]
    if (this.#runner.config.flag('consumer.offset.sync.enable')) errors.push(...(await this.offsets.runNow()))
    return errors
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop[Symbol.asyncDispose]()))
  }

  get #loops(): TaskLoop[] {
    return [this.offsets, this.configs, this.growth, this.#logStarts, this.#availability]
  }

  get #paused(): boolean {
    return this.#runner.config.flag('cluster.link.paused')
  }

  #loop(
    name: string,
    intervalMs: () => number | undefined,
    { run }: { run: (mirrors: MirrorRow[], signal: AbortSignal) => Promise<TaskError[]> },
  ): TaskLoop {
    const { clock, log } = this.#context
    return new TaskLoop({ name, intervalMs, clock, log, run: (signal) => run(this.#mirrors(), signal) })
  }

  /** Those that follow their source. */
  #mirrors(): MirrorRow[] {
    return this.#context.book.ofLink(this.#runner.linkId).filter(({ topicId, state, intent }) => {
      if (topicId === null || intent !== null) return false
      if (state.name === 'PENDING_STOPPED') return state.kind === 'promote'
      return state.name !== 'STOPPED' && state.name !== 'FAILED' && state.name !== 'PENDING_MIRROR'
    })
  }

  #every(key: string, switchKey?: string): number | undefined {
    const { config } = this.#runner
    if (this.#paused || (switchKey !== undefined && !config.flag(switchKey))) return undefined
    return config.number(key)
  }

  /** A peer whose topics nobody mirrors here need not let us in. */
  #probeIntervalMs(): number | undefined {
    const { link, config, linkId } = this.#runner
    const needed =
      link.reach === 'kafka' || this.#context.book.ofLink(linkId).some(({ state }) => state.name !== 'STOPPED')
    const dials = config.get('connection.mode') !== 'INBOUND' && config.get('link.mode') !== 'SOURCE'
    return needed && dials && link.state === 'active' ? config.number('availability.check.ms') : undefined
  }

  async #probe(signal: AbortSignal): Promise<TaskError[]> {
    const before = this.#health
    this.#health = await probeSource(this.#runner, before, signal)
    if (this.#health.state !== before.state) await this.#actions.healthChanged(this.#health)
    return []
  }

  #view(name: TaskName, loops: TaskLoop[]): TaskView {
    const [first] = loops
    const { link, config } = this.#runner
    const enabled = name !== 'ConsumerOffsetSync' || config.flag('consumer.offset.sync.enable')
    if (!enabled || link.state !== 'active') return { name, state: 'NOT_CONFIGURED', errors: [] }
    if (this.#paused) return { name, state: 'LINK_PAUSED', errors: [] }
    if (this.#health.state === 'unreachable') return { name, state: 'LINK_UNAVAILABLE', errors: [] }
    if (this.#health.state === 'refused') return { name, state: 'LINK_FAILED', errors: [] }
    const errors = loops.flatMap((loop) => [...loop.errors])
    return { name, state: errors.length > 0 ? 'IN_ERROR' : (first?.state ?? 'ACTIVE'), errors }
  }
}
