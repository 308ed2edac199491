import { startKafka } from './broker.ts'
import { type KafkaLine, kafkaVersions } from './jars.ts'
import { type KafkaAddress, plainAddress } from './tools.ts'

const started = new Map<KafkaLine, Promise<KafkaAddress>>()

/**
 * A plain single-node cluster that all test files of a run share: use topics and groups of your own names, change no
 * cluster configuration, and start your own cluster to kill it. The test runner starts one of each line and passes the
 * addresses on; a file that runs alone starts it here, and it ends with the process.
 */
export function sharedKafka(version: KafkaLine): Promise<KafkaAddress> {
  const known = started.get(version)
  if (known !== undefined) return known
  const bootstrap = process.env[sharedVariable(version)]
  const kafka = bootstrap ? Promise.resolve(plainAddress(version, bootstrap)) : startKafka({ version })
  started.set(version, kafka)
  return kafka
}

/** Starts one of each line; the environment tells test files where they are. */
export async function startShared(): Promise<{ env: Record<string, string> } & AsyncDisposable> {
  const lines = Object.keys(kafkaVersions) as KafkaLine[]
  const clusters = await Promise.all(lines.map((version) => startKafka({ version })))
  return {
    env: Object.fromEntries(clusters.map(({ bootstrap }, index) => [sharedVariable(lines[index]!), bootstrap])),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clusters.map((cluster) => cluster.stop()))
    },
  }
}

function sharedVariable(version: KafkaLine): string {
  return `LINKSPAN_TEST_SHARED_${version.replace('.', '_')}`
}
