import { sleep } from '../base/clock.ts'
import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import type { LinkId } from '../base/ids.ts'
import { describeBrokerConfigs } from '../kafka/admin/configs.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import { openCluster } from '../kafka/open-cluster.ts'
import type { LinkConfig } from '../link/config.ts'
import type { LinkRow } from '../link/rows.ts'
import type { ClusterSpec } from '../transport/spec.ts'
import type { MirrorContext } from './context.ts'
import type { StopFacts } from './pump/protocol.ts'
import type { PumpSettings } from './pump/settings.ts'
import type { MirrorRow } from './rows.ts'
import { Turns } from './turns.ts'

const sourceDeadlineMs = 20_000
/** When the daemon stops: a broker that does not answer must not hold it up. */
const lastStopMs = 3000
const expirationKey = 'producer.id.expiration.ms'

/** How a link is reached and pumped, as of one moment of its config. */
interface Opened {
  /** Changes when the link has to be opened anew. */
  key: string
  source: KafkaCluster
  spec: ClusterSpec
}

/**
 * One link at work: our client of its source, and its partitions in the pump. Nothing is decided here, only done, one
 * thing after another.
 */
export class LinkRunner implements AsyncDisposable {
  readonly linkId: LinkId
  readonly #context: MirrorContext
  readonly #turns = new Turns()
  readonly #running = new Map<string, { row: MirrorRow; partitions: Set<number> }>()
  #opened: Opened | undefined
  #pumped = false

  constructor(linkId: LinkId, context: MirrorContext) {
    this.linkId = linkId
    this.#context = context
  }

  /** Throws `not-found` when the link is gone. */
  get link(): LinkRow {
    const link = this.#context.links.byId(this.linkId)
    if (!link) throw new LinkspanError('not-found', 'The cluster link of this mirror was deleted')
    return link
  }

  get config(): LinkConfig {
    return this.#context.links.config(this.link)
  }

  /** Our client of the source; it belongs to this runner. */
  source(): Promise<KafkaCluster> {
    return this.#turns.run('open', async () => (await this.#open()).source)
  }

  /** Whether any partition of the mirror is in the pump. */
  isRunning(row: Pick<MirrorRow, 'mirrorId'>): boolean {
    return this.#running.has(row.mirrorId)
  }

  /**
   * Starts the partitions that do not run yet. What the row says of a quiet stop counts once: it is taken back before
   * anything can be written.
   */
  start(mirrorId: string): Promise<void> {
    return this.#turns.run('pump', async () => {
      const settled = new Map<number, boolean>()
      const row = await this.#context.book.change('start mirror', mirrorId, (before) => {
        settled.clear()
        const known = this.#running.get(mirrorId)?.partitions
        before.partitions.forEach(({ quiet }, partition) => {
          if (!known?.has(partition)) settled.set(partition, quiet)
        })
        if (![...settled.values()].includes(true)) return before
        const partitions = before.partitions.map((one, partition) => {
          return settled.has(partition) ? { ...one, quiet: false } : one
        })
        return { ...before, partitions }
      })
      if (!row || settled.size === 0) return
      await this.#openPump(row)
      const running = this.#running.get(mirrorId) ?? { row, partitions: new Set<number>() }
      this.#running.set(mirrorId, running)
      for (const [partition, quiet] of settled) {
        await this.#startPartition(row, partition, quiet)
        running.partitions.add(partition)
      }
    })
  }

  /** Stops the partitions of a mirror and writes down what is known of each. */
  stop(mirrorId: string): Promise<void> {
    return this.#turns.run('pump', () => this.#stopMirror(mirrorId))
  }

  /** Opens the link anew if what it is reached by has changed. */
  refresh(): Promise<void> {
    return this.#turns.run('pump', async () => {
      const before = this.#opened
      if (!before) return
      const { key } = await this.#describe()
      if (key === before.key) return
      const mirrors = [...this.#running.keys()]
      await this.#stopAll()
      await this.#closePump()
      await this.closeSource()
      // Outside of this turn: they wait for it.
      for (const mirrorId of mirrors) void this.start(mirrorId).catch((error: unknown) => this.#failed(error))
    })
  }

  /** Whoever waits for the source gets `closed`; asked for again, there is a new client. */
  closeSource(): Promise<void> {
    return this.#turns.run('open', () => this.#closeSource())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turns.run('pump', async () => {
      await this.#stopAll(lastStopMs)
      await this.#closePump()
    })
    await this.closeSource()
  }

  async #startPartition(row: MirrorRow, partition: number, settled: boolean): Promise<void> {
    const { mirrorId, sourceTopic, sourceTopicId, topic, topicId } = row
    if (topicId === null) throw new LinkspanError('internal', `The topic of mirror ${topic} has not been made yet`)
    const { linkId } = this
    await this.#context.pump.startPartition({
      linkId,
      mirrorId,
      partition,
      sourceTopic,
      sourceTopicId,
      topic,
      topicId,
      settled,
    })
  }

  /** What has not stopped after `limitMs` counts as not quiet. */
  async #stopMirror(mirrorId: string, limitMs?: number): Promise<void> {
    const running = this.#running.get(mirrorId)
    if (!running) return
    const { pump, book, lags } = this.#context
    const { linkId } = this
    const facts = new Map<number, StopFacts | undefined>()
    await Promise.all(
      [...running.partitions].map(async (partition) => {
        const stopping = pump.stopPartition({ linkId, mirrorId, partition }, 'drain').catch(unknownFacts)
        facts.set(partition, await within(stopping, limitMs))
      }),
    )
    this.#running.delete(mirrorId)
    await book.change('stop mirror', mirrorId, (row) => {
      const partitions = row.partitions.map((one, partition) => {
        const found = facts.get(partition)
        const stats = lags.stats(row.mirrorId, partition)
        return {
          quiet: facts.has(partition) ? (found?.quiet ?? false) : one.quiet,
          sourceHighWatermark: Math.max(
            found?.sourceHighWatermark ?? -1,
            stats?.sourceHighWatermark ?? -1,
            one.sourceHighWatermark,
          ),
          end: Math.max(found?.confirmedEnd ?? -1, stats?.confirmedEnd ?? -1),
        }
      })
      return { ...row, partitions }
    })
    lags.forget(mirrorId)
  }

  async #stopAll(limitMs?: number): Promise<void> {
    await Promise.all([...this.#running.keys()].map((mirrorId) => this.#stopMirror(mirrorId, limitMs)))
  }

  async #open(): Promise<Opened> {
    if (this.#opened) return this.#opened
    const described = await this.#describe()
    const { clock, log } = this.#context
    const source = openCluster(described.spec, { clock, log, deadlineMs: sourceDeadlineMs })
    this.#opened = { ...described, source }
    return this.#opened
  }

  async #describe(): Promise<{ key: string; spec: ClusterSpec }> {
    const { link } = this
    const spec = await this.#context.links.source(link)
    return { spec, key: JSON.stringify([spec, pumpSettingsOf(this.config)]) }
  }

  async #openPump(row: MirrorRow): Promise<void> {
    if (this.#pumped) return
    const { spec } = await this.#turns.run('open', () => this.#open())
    const { pump, destination, destinationSpec, pumpSettings } = this.#context
    await pump.openLink({
      linkId: this.linkId,
      source: { cluster: spec, kafkaClusterId: row.sourceKafkaClusterId },
      destination: { cluster: destinationSpec, kafkaClusterId: row.kafkaClusterId },
      settings: { ...(await expirationOf(destination)), ...pumpSettingsOf(this.config), ...pumpSettings },
    })
    this.#pumped = true
  }

  async #closePump(): Promise<void> {
    if (!this.#pumped) return
    this.#pumped = false
    await this.#context.pump.closeLink({ linkId: this.linkId }).catch(() => {})
  }

  async #closeSource(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    await opened?.source[Symbol.asyncDispose]()
  }

  #failed(error: unknown): void {
    this.#context.log.error({ err: error, link: this.linkId }, 'A mirror could not be started again')
  }
}

/** The pump is gone, or hangs: nobody knows what is under way. */
function unknownFacts(): undefined {
  return undefined
}

async function within<T>(work: Promise<T | undefined>, limitMs: number | undefined): Promise<T | undefined> {
  if (limitMs === undefined) return await work
  const timer = new AbortController()
  const late = sleep(limitMs, timer.signal).catch(unknownFacts)
  const result = await Promise.race([work, late])
  timer.abort()
  return result ?? undefined
}

/** What the link's own keys say of reading. */
function pumpSettingsOf(config: LinkConfig): Partial<PumpSettings> {
  return {
    fetchWaitMs: Math.max(1, config.number('replica.fetch.wait.max.ms')),
    fetchBytes: config.number('replica.fetch.max.bytes'),
    requestTimeoutMs: config.number('request.timeout.ms'),
    goneGraceMs: config.number('cluster.link.retry.timeout.ms'),
  }
}

/** How long the destination's brokers remember a producer, by the most forgetful; empty when we may not know. */
async function expirationOf(destination: KafkaCluster): Promise<Partial<PumpSettings>> {
  try {
    await destination.refresh([])
    const nodes = destination.cache.brokers.map(({ nodeId }) => nodeId)
    const found = await Promise.all(
      nodes.map((nodeId) => describeBrokerConfigs(destination, nodeId, { keys: [expirationKey] })),
    )
    const values = found.flatMap((entries) => entries.filter(({ name }) => name === expirationKey))
    const expirations = values.map(({ value }) => Number(value)).filter((ms) => Number.isFinite(ms) && ms > 0)
    return expirations.length > 0 ? { producerExpirationMs: Math.min(...expirations) } : {}
  } catch (error) {
    if (isLinkspanError(error)) return {}
    throw error
  }
}
