import { CompressionTypes, type IHeaders, type KafkaConfig, Kafka as KafkaJs, logLevel } from 'kafkajs'
import type { Properties } from './properties.ts'
import type { KafkaAddress } from './tools.ts'

/** kafkajs: topics and records without a Java for each call. It knows the codecs none and gzip; kcat has all. */
export interface DataRecord {
  key?: string | Buffer | null
  value: string | Buffer | null
  headers?: IHeaders
  timestampMs?: number
  partition?: number
}

export interface ProduceOptions {
  user?: string
  gzip?: boolean
  idempotent?: boolean
  /** Makes it a transaction, with the outcome `outcome`. */
  transactionalId?: string
  outcome?: 'commit' | 'abort'
}

export function kafkajs(kafka: KafkaAddress, user?: string): KafkaJs {
  return new KafkaJs({
    ...kafkajsConfig(kafka.config(user)),
    clientId: 'test',
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 8 },
  })
}

export interface TopicOptions {
  partitions?: number
  replicas?: number
  config?: Properties
  user?: string
}

/** Resolves when every partition has a leader. */
export async function createTopic(
  kafka: KafkaAddress,
  topic: string,
  { partitions = 1, replicas = -1, config = {}, user }: TopicOptions = {},
): Promise<void> {
  const admin = kafkajs(kafka, user).admin()
  await admin.connect()
  try {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
    const wanted = { topic, numPartitions: partitions, replicationFactor: replicas, configEntries }
    await admin.createTopics({ topics: [wanted], waitForLeaders: true })
  } finally {
    await admin.disconnect()
  }
}

/** All in one request for each partition, and so in one batch each. */
export async function produce(
  kafka: KafkaAddress,
  topic: string,
  records: readonly DataRecord[],
  { user, gzip = false, idempotent = false, transactionalId, outcome = 'commit' }: ProduceOptions = {},
): Promise<void> {
  const producer = kafkajs(kafka, user).producer({
    createPartitioner: () => choosePartition,
    ...(idempotent || transactionalId ? { idempotent: true, maxInFlightRequests: 1 } : {}),
    ...(transactionalId ? { transactionalId } : {}),
  })
  const batch = {
    topic,
    acks: -1,
    compression: gzip ? CompressionTypes.GZIP : CompressionTypes.None,
    messages: records.map(({ timestampMs, ...record }) => ({
      ...record,
      ...(timestampMs === undefined ? {} : { timestamp: String(timestampMs) }),
    })),
  }
  await producer.connect()
  try {
    if (transactionalId === undefined) {
      await producer.send(batch)
      return
    }
    const transaction = await producer.transaction()
    await transaction.send(batch)
    await transaction[outcome]()
  } finally {
    await producer.disconnect()
  }
}

/** By the sum of the key's bytes, so that a test can foretell it; records without a key go to partition 0. */
function choosePartition({
  partitionMetadata,
  message,
}: {
  partitionMetadata: { partitionId: number }[]
  message: { key?: string | Buffer | null; partition?: number }
}): number {
  if (message.partition !== undefined) return message.partition
  const sum = Buffer.from(message.key ?? '').reduce((total, byte) => total + byte, 0)
  return sum % partitionMetadata.length
}

export function kafkajsConfig(java: Properties): KafkaConfig {
  const protocol = java['security.protocol'] ?? 'PLAINTEXT'
  const [, username] = /username="([^"]*)"/.exec(java['sasl.jaas.config'] ?? '') ?? []
  const [, password] = /password="([^"]*)"/.exec(java['sasl.jaas.config'] ?? '') ?? []
  const mechanism = java['sasl.mechanism']?.toLowerCase() as 'plain' | 'scram-sha-256' | 'scram-sha-512' | undefined
  return {
    brokers: java['bootstrap.servers']!.split(','),
    ...(protocol.endsWith('SSL') ? { ssl: { ca: java['ssl.truststore.certificates']! } } : {}),
    ...(mechanism === undefined ? {} : { sasl: { mechanism, username: username!, password: password! } as never }),
  }
}
