import { type Kafka, startKafka } from '../kafka/broker.ts'
import { kcatProduce } from '../kafka/kcat.ts'
import { createTopic } from '../kafka/produce.ts'
import { adminOf, assertSameLog } from '../kafka/raw-log.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { waitFor } from '../support/process.ts'
import { caughtUp, cli, linkDaemons } from '../support/sites.ts'

export type SiteName = 'west' | 'east'

const topic = 'chaos'
const partitions = 4
const settleTimeoutMs = 120_000

/** Two sites with a mirror between them; every part can be killed, stopped and started again. */
export class ChaosWorld implements AsyncDisposable {
  readonly #kafkas: Record<SiteName, Kafka>
  readonly #daemons: Record<SiteName, Daemon>
  readonly #closing: AsyncDisposableStack
  #batches = 0
  #refused = 0

  constructor(kafkas: Record<SiteName, Kafka>, daemons: Record<SiteName, Daemon>, closing: AsyncDisposableStack) {
    this.#kafkas = kafkas
    this.#daemons = daemons
    this.#closing = closing
  }

  static async open(): Promise<ChaosWorld> {
    await using closing = new AsyncDisposableStack()
    const [west, east] = await Promise.all([startKafka({ version: '3.9' }), startKafka({ version: '4' })])
    closing.use(west)
    closing.use(east)
    const daemons = {
      west: await startDaemon({ name: 'west', kafka: west.bootstrap }),
      east: await startDaemon({ name: 'east', kafka: east.bootstrap }),
    }
    // They own the state directories, also those of daemons that take their places.
    closing.use(daemons.west)
    closing.use(daemons.east)
    await linkDaemons(daemons.west, daemons.east, ['topic can_read'])
    await createTopic(west, topic, { partitions })
    const world = new ChaosWorld({ west, east }, daemons, closing.move())
    await world.write(0)
    await cli(daemons.east, `kafka mirror create ${topic} --link west`)
    return world
  }

  /** Batches that were acknowledged, and those whose end is not known. */
  get written(): { batches: number; refused: number } {
    return { batches: this.#batches, refused: this.#refused }
  }

  /** One batch at the source; it may be down. What counts in the end is what its log holds. */
  async write(partition: number): Promise<void> {
    const records = Array.from({ length: 50 }, (_, index) => ({ key: `k${index}`, value: `${this.#batches} ${index}` }))
    const config = { 'message.timeout.ms': '2000' }
    const codec = (['none', 'lz4', 'zstd', 'snappy', 'gzip'] as const)[this.#batches % 5] as 'none'
    try {
      await kcatProduce(this.#kafkas.west, topic, records, { partition: partition % partitions, codec, config })
      this.#batches += 1
    } catch {
      this.#refused += 1
    }
  }

  async killBroker(site: SiteName): Promise<void> {
    const kafka = this.#kafkas[site]
    const { nodeId } = kafka.nodes[0]!
    await kafka.kill(nodeId, 'SIGKILL')
    await kafka.restart(nodeId)
  }

  async freezeBroker(site: SiteName, hold: () => Promise<void>): Promise<void> {
    const kafka = this.#kafkas[site]
    const { nodeId } = kafka.nodes[0]!
    await kafka.kill(nodeId, 'SIGSTOP')
    try {
      await hold()
    } finally {
      await kafka.kill(nodeId, 'SIGCONT')
    }
  }

  async killDaemon(site: SiteName): Promise<void> {
    const daemon = this.#daemons[site]
    await daemon.kill('SIGKILL')
    const { stateDir, ready } = daemon
    const args = ['--listen', ready.https]
    this.#daemons[site] = await startDaemon({ name: site, kafka: this.#kafkas[site].bootstrap, stateDir, args })
    this.#closing.use(this.#daemons[site])
  }

  async freezeDaemon(site: SiteName, hold: () => Promise<void>): Promise<void> {
    const { process } = this.#daemons[site]
    process.kill('SIGSTOP')
    try {
      await hold()
    } finally {
      process.kill('SIGCONT')
    }
  }

  async pauseMirror(hold: () => Promise<void>): Promise<void> {
    const { mirrors } = this.#daemons.east.client.kafka
    await mirrors.pause('west', [topic])
    await hold()
    await mirrors.resume('west', [topic])
  }

  /** Waits until the mirror has everything; throws where it is not equal. Returns the batches compared. */
  async prove(): Promise<number> {
    await using west = adminOf(this.#kafkas.west)
    await using east = adminOf(this.#kafkas.east)
    const ends = await waitFor(() => endsOf(west), { timeoutMs: settleTimeoutMs, what: 'the log ends of the source' })
    await caughtUp(this.#daemons.east, 'west', topic, ends, settleTimeoutMs)
    let compared = 0
    for (let partition = 0; partition < partitions; partition += 1) {
      compared += await assertSameLog({ cluster: west, topic }, { cluster: east, topic }, partition)
    }
    await cli(this.#daemons.east, `verify ${topic} --link west`)
    return compared
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing[Symbol.asyncDispose]()
  }
}

async function endsOf(cluster: ReturnType<typeof adminOf>): Promise<number[]> {
  const { logEnd } = await import('../../src/kafka/admin/offsets.ts')
  const parts = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const outcomes = await logEnd(cluster, parts)
  return outcomes.map(({ value, error }) => {
    if (value) return value.offset
    throw error
  })
}
