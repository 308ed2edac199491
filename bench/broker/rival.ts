import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { deleteTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { bootstrapOf } from '../../src/kafka/config-file.ts'
import { openCluster } from '../../src/kafka/open-cluster.ts'
import { embeddedBroker, startDaemon } from '../../test/support/daemon.ts'
import { ProcessMeter } from '../mirror/accounting.ts'
import { startBenchKafka } from '../mirror/brokers.ts'

export type RivalName = 'embedded' | 'Apache Kafka'

/** One of the two brokers, each a process of its own, and our client of it. */
export interface Rival extends AsyncDisposable {
  name: RivalName
  admin: KafkaCluster
  meter: ProcessMeter
  forget(topic: string): Promise<void>
}

/** `linkspand` as it comes, with nothing to do but its broker. */
export async function startEmbedded(): Promise<Rival> {
  const daemon = await startDaemon({ name: 'bench', kafka: embeddedBroker, args: ['--log-level', 'warn'] })
  return rivalOf('embedded', daemon.ready.kafka, daemon.process.pid, () => daemon[Symbol.asyncDispose]())
}

export async function startApache(): Promise<Rival> {
  const { kafka } = await startBenchKafka('Apache Kafka')
  return rivalOf('Apache Kafka', kafka.bootstrap, kafka.nodes[0]!.pid, () => kafka.stop())
}

function rivalOf(name: RivalName, bootstrap: string, pid: number, stop: () => Promise<void>): Rival {
  const spec = { reach: 'kafka', clientId: 'linkspan-bench', bootstrap: bootstrapOf(bootstrap) } as const
  const admin = openCluster(spec, { log: silentLog, clock: systemClock })
  return {
    name,
    admin,
    meter: new ProcessMeter(name, pid),
    forget: async (topic) => void (await deleteTopics(admin, [topic])),
    [Symbol.asyncDispose]: async () => {
      await admin[Symbol.asyncDispose]()
      await stop()
    },
  }
}
