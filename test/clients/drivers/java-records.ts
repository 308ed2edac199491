import type { KafkaAddress } from '../../kafka/tools.ts'
import { byPartition, type Member, type ReadRecord } from '../client.ts'
import { refusalIn } from '../errors-by-text.ts'
import type { ConsumeStep, JoinStep, Json, ProduceStep } from '../steps.ts'
import { runTool, startTool } from './java-tool.ts'

/** Stands for null in what the console tools read and write. */
const nullText = 'NULL'

/** It cannot choose the partition: topics that it writes have one. Headers hold no commas and no colons. */
export async function produceByJava(kafka: KafkaAddress, step: ProduceStep): Promise<Json> {
  const { topic, records, codec = 'none', acks = 'all', idempotent = false } = step
  const settings = [
    ...[`enable.idempotence=${idempotent}`, `acks=${acks}`, 'linger.ms=200', 'max.block.ms=3000'],
    // Nothing may be on its way back when it closes: records that ask for no answer could go with it.
    'enable.metrics.push=false',
    // The broker is to judge sizes, not the client.
    ...['max.request.size=50000000', 'batch.size=1000000'],
  ]
  const reader = ['parse.key=true', 'parse.headers=true', `null.marker=${nullText}`]
  const args = [
    ...['--topic', topic, '--compression-codec', codec],
    ...settings.flatMap((setting) => ['--command-property', setting]),
    ...reader.flatMap((property) => ['--reader-property', property]),
  ]
  const lines = records.map(({ key = null, value, headers = [] }) => {
    const told = headers.map(([name, text]) => `${name}:${text}`).join(',')
    return `${told || nullText}\t${key ?? nullText}\t${value ?? nullText}\n`
  })
  await runTool(kafka, 'producer', args, { input: lines.join('') })
  return 'done'
}

const printed = ['partition', 'offset', 'timestamp', 'headers', 'key'].map((name) => `print.${name}=true`)
const formatter = [...printed, `null.literal=${nullText}`].flatMap((property) => ['--formatter-property', property])

export async function consumeByJava(kafka: KafkaAddress, step: ConsumeStep): Promise<Json> {
  const { topic, partition, from, count, reset = 'earliest', fetchBytes } = step
  const where =
    partition === undefined ? ['--from-beginning'] : ['--partition', String(partition), '--offset', String(from)]
  const settings = [
    ...['fetch.max.wait.ms=50', `auto.offset.reset=${reset}`],
    ...(fetchBytes === undefined ? [] : [`max.partition.fetch.bytes=${fetchBytes}`]),
  ]
  const args = [
    ...['--topic', topic, ...where, '--max-messages', String(count), '--timeout-ms', '20000', ...formatter],
    ...settings.flatMap((setting) => ['--command-property', setting]),
  ]
  const { stdout, stderr } = await runTool(kafka, 'consumer', args, { logLevel: 'info' })
  const records = recordsIn(stdout)
  if (records.length < count) {
    const places = records.map(({ partition, offset }) => `${partition}/${offset}`)
    throw new Error(`only ${records.length} of ${count} records came, ${places.join(' ')}:\n${stderr}`)
  }
  return byPartition(records)
}

function recordsIn(output: string): ReadRecord[] {
  const lines = output.slice(0, output.lastIndexOf('\n') + 1).split('\n')
  return lines.filter((line) => /^(CreateTime|LogAppendTime):/.test(line)).map(parseLine)
}

function parseLine(line: string): ReadRecord {
  const [timestamp, partition, offset, headers, key, value] = line.split('\t')
  const text = (field: string | undefined) => (field === nullText ? null : field!)
  const pairs = headers === 'NO_HEADERS' ? [] : headers!.split(',').map((pair) => pair.split(':'))
  return {
    partition: Number(partition!.replace('Partition:', '')),
    offset: Number(offset!.replace('Offset:', '')),
    key: text(key),
    value: text(value),
    headers: pairs.map(([name, found]) => [name!, text(found)]),
    timestampMs: Number(timestamp!.split(':')[1]),
  }
}

export async function joinByJava(kafka: KafkaAddress, step: JoinStep): Promise<Member> {
  const { group, topic, assignor, instanceId, protocol } = step
  const settings = [
    ...['fetch.max.wait.ms=50', 'auto.offset.reset=earliest'],
    ...(protocol ? [`group.protocol=${protocol}`] : ['session.timeout.ms=10000', 'heartbeat.interval.ms=300']),
    ...(assignor ? ['partition.assignment.strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor'] : []),
    ...(instanceId ? [`group.instance.id=${instanceId}`] : []),
  ]
  const args = ['--topic', topic, '--group', group, ...formatter]
  const flags = settings.flatMap((setting) => ['--command-property', setting])
  const child = await startTool(kafka, 'consumer', [...args, ...flags], { logLevel: 'info' })
  let hasLeft = false
  const running = () => {
    if (child.exit && !hasLeft) throw refusalIn(child.output) ?? new Error(`it ended:\n${child.tail()}`)
    return child
  }
  return {
    partitions: () => assignedIn(running().stderr),
    seen: () => recordsIn(running().stdout),
    leave: async () => {
      hasLeft = true
      // As its own handler of signals ends it.
      const { code, signal } = await child.stop()
      if (code !== 130 && code !== 143 && code !== 0)
        throw new Error(`it ended with ${code ?? signal}:\n${child.tail()}`)
    },
  }
}

/** The client's own log, at its level `info`. */
function assignedIn(log: string): number[] {
  const held = new Set<number>()
  const changes = /(Adding newly assigned|Revoke previously assigned|Lost previously assigned) partitions:? (.*)\n/g
  for (const [, change, list] of log.matchAll(changes)) {
    for (const [, partition] of list!.matchAll(/-(\d+)(?=[,\])\s]|$)/g)) {
      if (change!.startsWith('Adding')) held.add(Number(partition))
      else held.delete(Number(partition))
    }
  }
  return [...held].sort((left, right) => left - right)
}
