import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Access } from '../../src/access/access.ts'
import { systemClock } from '../../src/base/clock.ts'
import { createLog, type Log, silentLog } from '../../src/base/log.ts'
import { EventBus } from '../../src/events/bus.ts'
import type { LinkspanEvent } from '../../src/events/event.ts'
import { loadHostIdentity } from '../../src/identity/keys.ts'
import { openSealer } from '../../src/identity/sealing.ts'
import { Links } from '../../src/link/links.ts'
import type { LinkRow } from '../../src/link/rows.ts'
import { MirrorBook } from '../../src/mirror/book.ts'
import { type Mirrors, type MirrorView, openMirrors } from '../../src/mirror/mirrors.ts'
import type { PumpSettings } from '../../src/mirror/pump/settings.ts'
import { openStore } from '../../src/store/store.ts'
import type { ClusterSpec } from '../../src/transport/spec.ts'
import { waitFor } from '../support/process.ts'

export interface WorldOptions {
  /** Where mirrors are made. */
  destination: ClusterSpec
  pumpSettings?: Partial<PumpSettings>
}

/** The rooms that mirrors need, as the daemon has them, in this process; `restart` is what a daemon's restart does. */
export class MirrorWorld implements AsyncDisposable {
  readonly #directory: string
  readonly #options: WorldOptions
  readonly events: LinkspanEvent[] = []
  #stack = new AsyncDisposableStack()
  #bus: EventBus | undefined
  #links: Links | undefined
  #mirrors: Mirrors | undefined

  constructor(directory: string, options: WorldOptions) {
    this.#directory = directory
    this.#options = options
  }

  get links(): Links {
    return this.#links!
  }

  get bus(): EventBus {
    return this.#bus!
  }

  get mirrors(): Mirrors {
    return this.#mirrors!
  }

  async open(): Promise<void> {
    const clock = systemClock
    const log = testLog()
    const directory = this.#directory
    const stack = new AsyncDisposableStack()
    const store = stack.use(await openStore({ directory, log }))
    const access = stack.use(new Access({ store, clock, log }))
    const identity = await loadHostIdentity({ directory, name: 'test', hostNames: [], addresses: [], clock })
    const sealer = await openSealer(directory)
    const bus = stack.use(new EventBus({ clock, log }))
    void this.#collect(bus)
    const links = stack.use(new Links({ store, access, sealer, identity, clock, log, addresses: () => [] }))
    const { destination, pumpSettings = {} } = this.#options
    const settings = { drainGraceMs: 1000, ...pumpSettings }
    const mirrors = stack.use(
      openMirrors({
        store,
        links,
        bus,
        clock,
        log,
        destination,
        logLevel: 'warn',
        logFormat: 'text',
        pumpSettings: settings,
      }),
    )
    mirrors.start()
    this.#stack = stack
    this.#bus = bus
    this.#links = links
    this.#mirrors = mirrors
  }

  async restart(): Promise<void> {
    await this.#stack[Symbol.asyncDispose]()
    await this.open()
  }

  /** A restart with rows changed while nothing runs: what a crash at some moment would have left. */
  async crashedWith(change: (book: MirrorBook) => Promise<void>): Promise<void> {
    await this.#stack[Symbol.asyncDispose]()
    const store = await openStore({ directory: this.#directory, log: silentLog })
    await change(new MirrorBook(store, systemClock))
    await store[Symbol.asyncDispose]()
    await this.open()
  }

  /** A link straight to a Kafka. */
  async link(name: string, bootstrap: string, configs: Record<string, string> = {}): Promise<LinkRow> {
    const all = {
      'bootstrap.servers': bootstrap,
      'topic.config.sync.ms': '1000',
      'metadata.max.age.ms': '1000',
      ...configs,
    }
    return await this.links.createKafkaLink({
      name,
      configs: Object.entries(all).map(([key, value]) => ({ name: key, value })),
      validateLink: true,
      validateOnly: false,
    })
  }

  view(link: string, topic: string): MirrorView {
    return this.mirrors.get(this.links.require(link), topic)
  }

  /** Until the mirror is in this state. */
  async until(link: string, topic: string, state: string, timeoutMs = 15_000): Promise<MirrorView> {
    const reached = () => (this.view(link, topic).row.state.name === state ? this.view(link, topic) : undefined)
    return await waitFor(reached, { timeoutMs, what: `mirror ${topic} in state ${state}` }).catch((error: Error) => {
      const { row, lags, transitionErrors } = this.view(link, topic)
      throw new Error(`${error.message}: ${JSON.stringify({ state: row.state, lags, transitionErrors })}`)
    })
  }

  /** Until nothing of the source is missing, as the mirror itself says, and it has seen at least `records`. */
  async caughtUp(link: string, topic: string, records: number, timeoutMs = 30_000): Promise<void> {
    const sum = () => this.view(link, topic).lags.reduce((total, { end }) => total + Math.max(0, end), 0)
    const reached = () => sum() >= records && this.view(link, topic).lags.every(({ lagRecords }) => lagRecords === 0)
    await waitFor(reached, { timeoutMs, what: `mirror ${topic} caught up` }).catch((error: Error) => {
      const { row, lags } = this.view(link, topic)
      throw new Error(`${error.message}: ${JSON.stringify({ state: row.state, lags })}`)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]()
    await rm(this.#directory, { recursive: true })
  }

  async #collect(bus: EventBus): Promise<void> {
    for await (const event of bus.subscribe()) this.events.push(event)
  }
}

export async function openWorld(options: WorldOptions): Promise<MirrorWorld> {
  const world = new MirrorWorld(await mkdtemp(join(tmpdir(), 'linkspan-mirror-')), options)
  await world.open()
  return world
}

function testLog(): Log {
  if (!process.env.LINKSPAN_TEST_LOG) return silentLog
  return createLog({ level: 'debug', format: 'text', write: (line) => void process.stderr.write(line) })
}
