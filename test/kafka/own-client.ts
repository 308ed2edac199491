import assert from 'node:assert/strict'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { createTopics, type NewTopic } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import type { ClusterOptions } from '../../src/kafka/cluster-options.ts'
import { parseClientConfig } from '../../src/kafka/config-file.ts'
import { openCluster } from '../../src/kafka/open-cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { buildBatch } from '../../src/records/build.ts'
import type { DirectSpec } from '../../src/transport/spec.ts'
import { formatProperties, type Properties } from './properties.ts'
import type { KafkaAddress } from './tools.ts'

/** Our own client, configured by the same properties as Java's. */
export async function ownClient(config: Properties, options: Partial<ClusterOptions> = {}): Promise<KafkaCluster> {
  return openCluster(await specOfConfig(config), { log: silentLog, clock: systemClock, ...options })
}

/** How we log in to a test cluster as one of its users. */
export function specOfUser(kafka: Pick<KafkaAddress, 'config'>, user?: string): Promise<DirectSpec> {
  return specOfConfig(kafka.config(user))
}

async function specOfConfig(config: Properties): Promise<DirectSpec> {
  const text = formatProperties(config)
  return (await parseClientConfig(text, { clientId: 'linkspan-test' }, () => assert.fail('no file is named'))).spec
}

/** A batch of an idempotent producer, always with the same id and sequence. */
export function batchOf(...values: string[]): Buffer {
  const records = values.map((value) => ({ timestampMs: 1_700_000_000_000, key: null, value: Buffer.from(value) }))
  return buildBatch(records, { producerId: batchProducerId, producerEpoch: 0, baseSequence: 0 })
}

export const batchProducerId = 2n ** 62n + 7n

export async function makeTopic(cluster: KafkaCluster, name: string, options: Partial<NewTopic> = {}) {
  return unwrap((await createTopics(cluster, [{ name, partitions: 1, ...options }]))[0])
}
