import assert from 'node:assert/strict'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { PumpHost } from '../../src/mirror/pump/host.ts'
import type {
  EventNotice,
  PartitionStats,
  PumpNotice,
  StopFacts,
  StoppedNotice,
} from '../../src/mirror/pump/protocol.ts'
import type { PumpSettings } from '../../src/mirror/pump/settings.ts'
import { sameContent } from '../../src/records/content.ts'
import * as header from '../../src/records/header.ts'
import { produce } from '../../src/wire/api/00-produce.ts'
import { FakeCluster, type ProduceRequest } from './fake-broker.ts'
import { PlainDialler } from './fake-kafka.ts'
import { waitFor } from './process.ts'

const quick: Partial<PumpSettings> = {
  drainGraceMs: 300,
  confirmIntervalMs: 20,
  watchIntervalMs: 40,
  statsIntervalMs: 10,
  fetchWaitMs: 20,
}
export const young = systemClock.wallMs()
export const old = young - 30 * 86_400_000

/** A pump between two scripted clusters, with everything that it says. */
export class PumpBench implements AsyncDisposable {
  readonly source = new FakeCluster('source-cluster')
  readonly destination = new FakeCluster('destination-cluster')
  readonly events: EventNotice['event'][] = []
  stats: PartitionStats | undefined
  stopped: StoppedNotice['reason'] | undefined
  #host: PumpHost | undefined

  async start({ nodes = 1, settled = true, settings = {} as Partial<PumpSettings> } = {}): Promise<this> {
    await this.source.listen()
    await this.destination.listen(nodes)
    const host = new PumpHost({
      clock: systemClock,
      log: silentLog,
      notify: (notice) => this.#take(notice),
      dialler: (_, side) => new PlainDialler(this[side].nodes[0]?.port ?? 0),
    })
    this.#host = host
    const spec = { reach: 'kafka', clientId: 'linkspan-test', bootstrap: [] } as const
    await host.handle({
      kind: 'openLink',
      linkId: 'link',
      source: { cluster: { ...spec, bootstrap: [] }, kafkaClusterId: 'source-cluster' },
      destination: { cluster: { ...spec, bootstrap: [] }, kafkaClusterId: 'destination-cluster' },
      settings: { ...quick, ...settings },
    })
    const names = { sourceTopic: 'orders', topic: 'orders' }
    const ids = { sourceTopicId: this.source.topicId, topicId: this.destination.topicId }
    const where = { linkId: 'link', mirrorId: 'mirror', partition: 0 }
    await host.handle({ kind: 'startPartition', ...where, ...names, ...ids, settled })
    return this
  }

  async stop(mode: 'drain' | 'now'): Promise<StopFacts> {
    const where = { linkId: 'link', mirrorId: 'mirror', partition: 0 }
    return (await this.#host?.handle({ kind: 'stopPartition', ...where, mode })) as StopFacts
  }

  async mirrored(): Promise<void> {
    const end = this.source.log.end
    await this.until(() => this.stats?.confirmedEnd === end && this.destination.log.end === end, `the mirror at ${end}`)
    this.assertExact()
  }

  async until(condition: () => unknown, what: string): Promise<void> {
    await waitFor(() => Boolean(condition()), { timeoutMs: 8000, intervalMs: 5, what }).catch((error: Error) => {
      const { stats, stopped, events } = this
      throw new Error(`${error.message}: ${JSON.stringify({ stats, stopped, events: events.slice(-4) })}`)
    })
  }

  /** Every batch of the mirror is the source's at the same offset. */
  assertExact(): void {
    const source = this.source.log.batches
    for (const [index, batch] of this.destination.log.batches.entries()) {
      const original = source[index]
      assert.ok(original)
      assert.equal(header.baseOffset(batch, 0), header.baseOffset(original, 0))
      assert.ok(sameContent(batch, 0, original, 0))
    }
  }

  appends(): ProduceRequest[] {
    return this.destination.nodes.flatMap((node) => node.seen(produce))
  }

  #take(notice: PumpNotice): void {
    if (notice.kind === 'stats') this.stats = notice.partitions[0]
    else if (notice.kind === 'stopped') this.stopped = notice.reason
    else this.events.push(notice.event)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host?.[Symbol.asyncDispose]()
    await this.source[Symbol.asyncDispose]()
    await this.destination[Symbol.asyncDispose]()
  }
}

/** Records of so many batches. */
export function sizes(count: number): number[] {
  return Array.from({ length: count }, (_, index) => 1 + (index % 5))
}
