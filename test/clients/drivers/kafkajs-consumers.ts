import { randomUUID } from 'node:crypto'
import type { Consumer, KafkaMessage } from 'kafkajs'
import { kafkajs } from '../../kafka/produce.ts'
import type { KafkaAddress } from '../../kafka/tools.ts'
import { waitFor } from '../../support/process.ts'
import { byPartition, type Member, type ReadRecord, type SeenRecord } from '../client.ts'
import type { ConsumeStep, JoinStep, Json } from '../steps.ts'
import { refusals } from './kafkajs-refusals.ts'

const timing = { sessionTimeout: 10_000, heartbeatInterval: 300, maxWaitTimeInMs: 50, retry: { retries: 3 } }

/** It reads in groups only: one of its own for each time. */
export async function consumeByKafkajs(kafka: KafkaAddress, step: ConsumeStep): Promise<Json> {
  const { topic, partition, from, count, reset = 'earliest', fetchBytes } = step
  const consumer = kafkajs(kafka).consumer({
    groupId: `linkspan-${randomUUID()}`,
    allowAutoTopicCreation: false,
    ...timing,
    ...(fetchBytes === undefined ? {} : { maxBytesPerPartition: fetchBytes }),
  })
  const found: ReadRecord[] = []
  const crash = crashOf(consumer)
  await consumer.connect()
  try {
    return await refusals(async () => {
      await consumer.subscribe({ topics: [topic], fromBeginning: reset === 'earliest' })
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          if (partition !== undefined && batch.partition !== partition) return
          for (const message of batch.messages) found.push(readOf(batch.partition, message))
        },
      })
      if (from !== 'earliest') consumer.seek({ topic, partition: partition!, offset: String(from) })
      await waitFor(() => crash.check() || found.length >= count, { timeoutMs: 30_000, what: `${count} records` })
      return byPartition(found.slice(0, count))
    })
  } finally {
    await consumer.disconnect()
  }
}

function crashOf(consumer: Consumer): { check: () => false } {
  let failure: Error | undefined
  consumer.on('consumer.crash', ({ payload }) => {
    failure = payload.error
  })
  return {
    check: () => {
      if (failure) throw failure
      return false
    },
  }
}

/** Headers of one name come as one list. */
function readOf(partition: number, message: KafkaMessage): ReadRecord {
  const headers = Object.entries(message.headers ?? {}).flatMap(([name, values]) => {
    return [values].flat().map((value): [string, string | null] => [name, value?.toString() ?? null])
  })
  return {
    partition,
    offset: Number(message.offset),
    key: message.key?.toString() ?? null,
    value: message.value?.toString() ?? null,
    headers,
    timestampMs: Number(message.timestamp),
  }
}

export async function joinByKafkajs(kafka: KafkaAddress, { group, topic }: JoinStep): Promise<Member> {
  const consumer = kafkajs(kafka).consumer({ groupId: group, allowAutoTopicCreation: false, ...timing })
  const seen: SeenRecord[] = []
  const crash = crashOf(consumer)
  let partitions: number[] = []
  consumer.on('consumer.group_join', ({ payload }) => {
    partitions = (payload.memberAssignment[topic] ?? []).toSorted((left, right) => left - right)
  })
  consumer.on('consumer.rebalancing', () => {
    partitions = []
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      seen.push({ partition, offset: Number(message.offset), value: message.value?.toString() ?? null })
    },
  })
  return {
    partitions: () => crash.check() || partitions,
    seen: () => crash.check() || seen,
    leave: () => consumer.disconnect(),
  }
}
