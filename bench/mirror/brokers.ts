import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { logEnd } from '../../src/kafka/admin/offsets.ts'
import { deleteTopics, listTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { openCluster } from '../../src/kafka/open-cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import type { DirectSpec } from '../../src/kafka/spec.ts'
import { type Kafka, startKafka } from '../../test/kafka/broker.ts'
import { waitFor } from '../../test/support/process.ts'
import { ProcessMeter } from './accounting.ts'
import { partitionCount } from './source-topic.ts'

/** What Kafka's own start scripts give every Java of theirs. */
export const scriptFlags = [
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
]

export const brokerHeapMb = 1024

/** Kafka's defaults, in the place of what makes test brokers quick to start; and room on the disk soon after a run. */
const config = {
  'num.network.threads': '3',
  'num.io.threads': '8',
  'log.cleaner.dedupe.buffer.size': '134217728',
  'broker.heartbeat.interval.ms': '2000',
  'broker.session.timeout.ms': '9000',
  'log.segment.delete.delay.ms': '1000',
}

/** One of the two Kafkas between which everything is copied, and what the benchmark asks it. */
export class BenchKafka implements AsyncDisposable {
  readonly kafka: Kafka
  readonly admin: KafkaCluster
  readonly meter: ProcessMeter

  constructor(name: string, kafka: Kafka) {
    this.kafka = kafka
    this.admin = openCluster(specOf(kafka.bootstrap), { log: silentLog, clock: systemClock })
    this.meter = new ProcessMeter(name, kafka.nodes[0]!.pid)
  }

  get spec(): DirectSpec {
    return specOf(this.kafka.bootstrap)
  }

  /** Records of a topic that was written once from offset 0, in all partitions; 0 while it does not exist. */
  async recordCount(topic: string): Promise<number> {
    const ends = await this.logEnds(topic)
    return ends.reduce((sum, end) => sum + end, 0)
  }

  async logEnds(topic: string): Promise<number[]> {
    if (!this.admin.cache.topic(topic)) await this.admin.refresh([topic]).catch(() => {})
    const known = this.admin.cache.topic(topic)?.partitions
    if (!known || known.length < partitionCount || known.some(({ leader }) => leader < 0)) return []
    const ends = await logEnd(
      this.admin,
      known.map((_, partition) => ({ topic, partition })),
    )
    return ends.map((end) => unwrap(end).offset)
  }

  /** As fresh as a new cluster, but with a warm Java. The brokers' own topics stay. */
  async removeTopics(): Promise<void> {
    const names = async () => {
      const all = (await listTopics(this.admin)).map(({ name }) => name)
      return all.filter((name) => !name.startsWith('__'))
    }
    await deleteTopics(this.admin, await names())
    await waitFor(async () => (await names()).length === 0, { what: 'the end of the topics of the run before' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.admin[Symbol.asyncDispose]()
    await this.kafka.stop()
  }
}

export async function startBenchKafka(name: string): Promise<BenchKafka> {
  const flags = [`-Xms${brokerHeapMb}m`, ...scriptFlags]
  return new BenchKafka(name, await startKafka({ version: '4', heapMb: brokerHeapMb, flags, config }))
}

function specOf(bootstrap: string): DirectSpec {
  const servers = bootstrap.split(',').map((address) => {
    const [host, port] = address.split(':')
    return { host: host as string, port: Number(port) }
  })
  return { reach: 'kafka', clientId: 'linkspan-bench', bootstrap: servers }
}
