import { randomUUID } from 'node:crypto'
import { Consumer, type Message, MessagesStreamFallbackModes, MessagesStreamModes } from '@platformatic/kafka'
import type { KafkaAddress } from '../../kafka/tools.ts'
import { waitFor } from '../../support/process.ts'
import { byPartition, type Member, type ReadRecord, type SeenRecord } from '../client.ts'
import type { ConsumeStep, JoinStep, Json } from '../steps.ts'
import { platformaticOptions, refusals } from './platformatic-connection.ts'

const timing = { sessionTimeout: 10_000, rebalanceTimeout: 10_000, heartbeatInterval: 300, maxWaitTime: 50 }
const { EARLIEST, MANUAL, COMMITTED } = MessagesStreamModes

const fallbackModes = {
  earliest: MessagesStreamFallbackModes.EARLIEST,
  latest: MessagesStreamFallbackModes.LATEST,
  none: MessagesStreamFallbackModes.FAIL,
}

export async function consumeByPlatformatic(kafka: KafkaAddress, step: ConsumeStep): Promise<Json> {
  const { topic, partition, from, count, reset = 'earliest', fetchBytes } = step
  const groupId = `linkspan-${randomUUID()}`
  const consumer = new Consumer({ ...platformaticOptions(kafka), groupId, autocreateTopics: false, ...timing })
  try {
    return await refusals(async () => {
      const stream = await consumer.consume({
        topics: [topic],
        autocommit: false,
        fallbackMode: fallbackModes[reset],
        ...(from === 'earliest'
          ? { mode: EARLIEST }
          : { mode: MANUAL, offsets: [{ topic, partition: partition!, offset: BigInt(from) }] }),
        ...(fetchBytes === undefined ? {} : { maxBytesPerPartition: fetchBytes }),
      })
      const found: ReadRecord[] = []
      let failure: Error | undefined
      stream.on('error', (error: Error) => {
        failure = error
      })
      stream.on('data', (message: Message) => {
        if (partition === undefined || message.partition === partition) found.push(readOf(message))
      })
      const complete = () => {
        if (failure) throw failure
        return found.length >= count
      }
      await until(complete, () => failure, `${count} records`)
      return byPartition(found.slice(0, count))
    })
  } finally {
    await consumer.close(true)
  }
}

/** A failure ends the waiting at once. */
async function until(condition: () => boolean, failure: () => Error | undefined, what: string): Promise<void> {
  await waitFor(() => failure() ?? condition(), { timeoutMs: 30_000, what })
  const error = failure()
  if (error) throw error
}

function readOf({ partition, offset, key, value, headerEntries, timestamp }: Message): ReadRecord {
  return {
    partition,
    offset: Number(offset),
    key: textOf(key),
    value: textOf(value),
    headers: headerEntries.map(([name, text]) => [name.toString(), textOf(text)]),
    timestampMs: Number(timestamp),
  }
}

function textOf(bytes: Buffer | null | undefined): string | null {
  return bytes?.toString() ?? null
}

export async function joinByPlatformatic(kafka: KafkaAddress, { group, topic }: JoinStep): Promise<Member> {
  const consumer = new Consumer({ ...platformaticOptions(kafka), groupId: group, autocreateTopics: false, ...timing })
  const seen: SeenRecord[] = []
  let failure: Error | undefined
  const stream = await consumer.consume({
    topics: [topic],
    mode: COMMITTED,
    fallbackMode: MessagesStreamFallbackModes.EARLIEST,
    autocommit: true,
  })
  stream.on('error', (error: Error) => {
    failure = error
  })
  stream.on('data', ({ partition, offset, value }: Message) => {
    seen.push({ partition, offset: Number(offset), value: textOf(value) })
  })
  const checked = <T>(answer: T): T => {
    if (failure) throw failure
    return answer
  }
  return {
    partitions: () => checked((consumer.assignments ?? []).flatMap(({ partitions }) => partitions).sort()),
    seen: () => checked(seen),
    leave: async () => {
      // What the stream is about to commit would be lost with it.
      const held = new Set((consumer.assignments ?? []).flatMap(({ partitions }) => partitions))
      const ends = new Map(
        seen.filter(({ partition }) => held.has(partition)).map((one) => [one.partition, one.offset]),
      )
      const offsets = [...ends].map(([partition, offset]) => {
        return { topic, partition, offset: BigInt(offset + 1), leaderEpoch: -1 }
      })
      await consumer.commit({ offsets })
      await stream.close()
      await consumer.close()
    },
  }
}
