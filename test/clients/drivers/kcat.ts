import { kcat, librdkafkaSettings } from '../../kafka/kcat.ts'
import type { KafkaAddress } from '../../kafka/tools.ts'
import { type RunResult, run, startProcess } from '../../support/process.ts'
import { byPartition, type Client, type Member, type ReadRecord, type SeenRecord } from '../client.ts'
import { refusalIn } from '../errors-by-text.ts'
import type { ConsumeStep, JoinStep, Json, ProduceStep } from '../steps.ts'

/** kcat: librdkafka on the command line, of the release that Debian has. */
export function openKcat(): Client {
  return {
    name: 'kcat',
    codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    writes: { headers: 'batch', timestamps: false },
    prepare: async () => {
      await kcat()
    },
    actions: {
      produce,
      consume,
      describeTopic: async (kafka, { topic }) => {
        const { topics } = JSON.parse(await kcatOutput(kafka, ['-L', '-J', '-t', topic])) as KcatMetadata
        const [found] = topics
        if (found?.error) throw refusalIn(found.error) ?? new Error(found.error)
        return found!.partitions.map(({ partition, leader, replicas, isrs }) => {
          return { partition, leader, replicas: replicas.map(({ id }) => id), inSync: isrs.map(({ id }) => id) }
        })
      },
      listOffsets: async (kafka, { topic, partitions, at }) => {
        const time = typeof at === 'number' ? at : { earliest: -2, latest: -1, maxTimestamp: -3 }[at]
        const asked = Array.from({ length: partitions }, (_, partition) => ['-t', `${topic}:${partition}:${time}`])
        const output = await kcatOutput(kafka, ['-Q', ...asked.flat()])
        const found = [...output.matchAll(/ \[(\d+)\] offset (-?\d+)/g)]
        // For a time after the last record it shows the end as -1.
        return Object.fromEntries(found.map(([, partition, offset]) => [partition!, Number(offset)]))
      },
    },
    join: joinGroup,
    [Symbol.asyncDispose]: async () => {},
  }
}

interface KcatMetadata {
  topics: {
    error?: string
    partitions: { partition: number; leader: number; replicas: { id: number }[]; isrs: { id: number }[] }[]
  }[]
}

async function produce(kafka: KafkaAddress, step: ProduceStep): Promise<Json> {
  const { topic, partition, records, codec = 'none', acks = 'all', idempotent = false } = step
  const headers = records[0]?.headers ?? []
  const args = [
    ...['-P', '-t', topic, '-p', String(partition), '-z', codec, '-Z', '-K', '\t', '-X', `acks=${acks}`],
    // For so long a topic that is not there is taken for one that is not there yet.
    ...['-X', 'topic.metadata.propagation.max.ms=1000'],
    // The broker is to judge sizes, not the client.
    ...['-X', 'message.max.bytes=50000000', '-X', 'linger.ms=50', '-X', `enable.idempotence=${idempotent}`],
    ...headers.flatMap(([name, value]) => ['-H', `${name}=${value}`]),
  ]
  await kcatOutput(kafka, args, records.map(({ key, value }) => `${key ?? ''}\t${value ?? ''}\n`).join(''))
  return 'done'
}

async function consume(kafka: KafkaAddress, step: ConsumeStep): Promise<Json> {
  const { topic, partition, from, count, reset = 'earliest', fetchBytes } = step
  const where = partition === undefined ? [] : ['-p', String(partition)]
  const reads = [
    ...['-C', '-t', topic, ...where, '-o', from === 'earliest' ? 'beginning' : String(from), '-c', String(count)],
    ...['-q', '-J', '-X', 'fetch.wait.max.ms=50'],
    ...['-X', `topic.auto.offset.reset=${reset === 'none' ? 'error' : reset}`],
    ...(fetchBytes === undefined ? [] : ['-X', `max.partition.fetch.bytes=${fetchBytes}`]),
  ]
  const output = await kcatOutput(kafka, reads)
  return byPartition(output.split('\n').filter(Boolean).map(parseRecord))
}

function parseRecord(line: string): ReadRecord {
  const { partition, offset, ts, key, payload, headers = [] } = JSON.parse(line) as KcatLine
  const pairs = Array.from({ length: headers.length / 2 }, (_, index) => {
    return [headers[index * 2]!, headers[index * 2 + 1]!] as [string, string]
  })
  return { partition, offset, key, value: payload, headers: pairs, timestampMs: ts }
}

interface KcatLine {
  partition: number
  offset: number
  ts: number
  key: string | null
  payload: string | null
  headers?: (string | null)[]
}

async function kcatOutput(kafka: KafkaAddress, args: readonly string[], input?: string): Promise<string> {
  const { command, env } = await kcat()
  const options = { env, timeoutMs: 40_000, ...(input === undefined ? {} : { input }) }
  const result: RunResult = await run(command, [...connection(kafka), ...args], options)
  if (result.code === 0) return result.stdout
  throw refusalIn(result.stderr) ?? new Error(`kcat ${args.join(' ')}: ${result.stderr}`)
}

function connection(kafka: KafkaAddress): string[] {
  return Object.entries(librdkafkaSettings(kafka.config())).flatMap(([name, value]) => ['-X', `${name}=${value}`])
}

async function joinGroup(kafka: KafkaAddress, step: JoinStep): Promise<Member> {
  const { group, topic, assignor, instanceId, sessionTimeoutMs = 10_000 } = step
  const { command, env } = await kcat()
  const settings = [
    ...[`session.timeout.ms=${sessionTimeoutMs}`, 'heartbeat.interval.ms=300', 'auto.offset.reset=earliest'],
    ...['fetch.wait.max.ms=50', ...(assignor ? [`partition.assignment.strategy=${assignor}`] : [])],
    ...(instanceId ? [`group.instance.id=${instanceId}`] : []),
  ]
  const args = [...settings.flatMap((setting) => ['-X', setting]), '-J', '-u', '-G', group, topic]
  const child = startProcess(command, [...connection(kafka), ...args], { env })
  let hasLeft = false
  const running = () => {
    if (child.exit && !hasLeft) throw new Error(`kcat ended: ${child.stderr}`)
    return child
  }
  return {
    partitions: () => assignedIn(running().stderr),
    seen: () => completeLines(running().stdout).map((line): SeenRecord => parseRecord(line)),
    leave: async () => {
      hasLeft = true
      const wasAlive = child.exit === undefined
      const { code, signal } = await child.stop()
      if (wasAlive && code !== 0) throw new Error(`kcat ended with ${code ?? signal}: ${child.stderr}`)
    },
    kill: async () => {
      hasLeft = true
      child.kill()
      await child.waitForExit()
    },
  }
}

function completeLines(text: string): string[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
}

/** `% Group g rebalanced (memberid m): assigned: t [0], t [1]`, and `revoked:` alike. */
function assignedIn(stderr: string): number[] {
  const last = completeLines(stderr).findLast((line) => /rebalanced .*(assigned|revoked):/.test(line))
  if (!last || /revoked:/.test(last)) return []
  return [...last.matchAll(/ \[(\d+)\]/g)].map(([, partition]) => Number(partition))
}
