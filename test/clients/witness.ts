import { describeTopicConfigs } from '../../src/kafka/admin/configs.ts'
import { logEnd } from '../../src/kafka/admin/offsets.ts'
import { describeTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import * as header from '../../src/records/header.ts'
import { readLog } from '../kafka/raw-log.ts'
import { waitFor } from '../support/process.ts'
import type { Json, ProduceStep, Step } from './steps.ts'

/** How long records that nobody answers for may take, and how often they are sent. */
const arrivalMs = 5000
const attemptsMax = 3

interface Run {
  from: number
  to: number
  codec: string
  timestamps: string
  idempotent: boolean
  transactional: boolean
  leaderEpoch: number
}

/** The batches of a partition as they are stored; those alike in a row are told as one, however a client cut them. */
export async function storedBatches(cluster: KafkaCluster, topic: string, partition: number): Promise<Json> {
  const runs: Run[] = []
  for (const { offset: from, end, bytes } of await readLog(cluster, topic, partition)) {
    const run = {
      from,
      to: end - 1,
      codec: header.codecs[header.codec(bytes, 0)]!,
      timestamps: header.isLogAppendTime(bytes, 0) ? 'LogAppendTime' : 'CreateTime',
      idempotent: header.producerId(bytes, 0) >= 0n,
      transactional: header.isTransactional(bytes, 0),
      leaderEpoch: header.leaderEpoch(bytes, 0),
    }
    const last = runs.at(-1)
    if (
      last &&
      last.to + 1 === from &&
      JSON.stringify({ ...run, from: last.from, to: last.to }) === JSON.stringify(last)
    )
      last.to = run.to
    else runs.push(run)
  }
  return runs as unknown as Json
}

/** Apache answers before all of it knows: the next step is to find what this one did. */
export async function settle(cluster: KafkaCluster, step: Step): Promise<void> {
  switch (step.do) {
    case 'createTopic':
      return await settled(step.do, async () => (await partitionsOf(cluster, step.topic)) === (step.partitions ?? 1))
    case 'addPartitions':
      return await settled(step.do, async () => (await partitionsOf(cluster, step.topic)) === step.total)
    case 'deleteTopic':
      return await settled(step.do, async () => (await partitionsOf(cluster, step.topic)) === 0)
    case 'alterConfigs':
      return await settled(step.do, async () => {
        const entries = unwrap((await describeTopicConfigs(cluster, [step.topic]))[0])
        const set = (name: string) => entries.find((entry) => entry.name === name)
        const { set: wanted = {}, unset = [] } = step
        return (
          Object.entries(wanted).every(([name, value]) => set(name)?.value === value) &&
          unset.every((name) => set(name)?.source !== 'topic')
        )
      })
  }
}

/**
 * Nobody answers for what is sent without acknowledgement: a client that closes its connection at once, with an answer
 * of the broker still on its way, takes it back. Then it is sent again.
 */
export async function untilArrived(
  cluster: KafkaCluster,
  { topic, partition, records }: ProduceStep,
  send: () => Promise<Json>,
): Promise<Json> {
  const end = async () => unwrap((await logEnd(cluster, [{ topic, partition }]))[0]).offset
  const wanted = (await end()) + records.length
  for (let attempt = 1; ; attempt += 1) {
    const answer = await send()
    try {
      await waitFor(async () => (await end()) >= wanted, { timeoutMs: arrivalMs, what: 'the arrival of the records' })
      return answer
    } catch (error) {
      if (attempt >= attemptsMax) throw error
    }
  }
}

async function settled(what: string, condition: () => Promise<boolean>): Promise<void> {
  await waitFor(condition, { timeoutMs: 5000, what: `the effect of ${what}` })
}

/** Those that are led and served. */
async function partitionsOf(cluster: KafkaCluster, topic: string): Promise<number> {
  const [described] = await describeTopics(cluster, [topic])
  const led = (described?.value?.partitions ?? []).filter(({ leader }) => leader >= 0)
  const ends = await logEnd(
    cluster,
    led.map(({ partition }) => ({ topic, partition })),
  )
  return ends.filter(({ error }) => error === undefined).length
}
