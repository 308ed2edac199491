import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/base/clock.ts'
import { LinkspanError } from '../src/base/errors.ts'
import { fetchBatches } from '../src/kafka/admin/fetch.ts'
import { lastOffset } from '../src/records/header.ts'
import { BatchCursor } from '../src/records/walk.ts'
import { type Rival, type RivalName, startApache, startEmbedded } from './broker/rival.ts'
import type { BenchCodec } from './mirror/events.ts'
import { describeMachine } from './mirror/machine.ts'
import { EventProducer, partitionCount, type SourceTopic } from './mirror/source-topic.ts'
import { type Spread, spreadOf } from './mirror/verdict.ts'

const usage = `npm run bench -- broker [flags]

  --codec none    which data: none, lz4 or zstd
  --pairs N       measured pairs (3)
  --records N     order events of 1024 B in each run (1000000)
  --json FILE     the JSON line goes there too
`

const codecs: readonly BenchCodec[] = ['none', 'lz4', 'zstd']
const throughputMin = 0.7
const memoryMin = 3
const readBytes = 8 << 20

interface RunFigures {
  rival: RivalName
  pair: number
  writeMegabytesPerSecond: number
  writeCpuPerGb: number
  readMegabytesPerSecond: number
  readCpuPerGb: number
  peakMegabytes: number
}

/** The embedded broker against Apache Kafka's single node: the same client, data and machine, acks=all. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args)
  if (!options) {
    process.stdout.write(usage)
    return 0
  }
  await using embedded = await startEmbedded()
  await using apache = await startApache()
  const producer = new EventProducer(options.codec, -1)
  const runs: RunFigures[] = []
  for (let pair = 0; pair <= options.pairs; pair += 1) {
    for (const rival of [embedded, apache]) {
      const figures = await measure(rival, producer, pair, options.records)
      process.stderr.write(`${pair === 0 ? 'warm-up' : `pair ${pair}`}: ${describe(figures)}\n`)
      if (pair > 0) runs.push(figures)
    }
  }
  return await report(options, runs)
}

async function measure(rival: Rival, producer: EventProducer, pair: number, records: number): Promise<RunFigures> {
  const name = `bench-${pair}`
  const wrote = await timed(rival, () => producer.create(rival.admin, name, records))
  const topic = wrote.result
  const read = await timed(rival, () => readAll(rival, topic))
  if (read.result !== topic.wireBytes) {
    throw new Error(`${rival.name}: ${topic.wireBytes} bytes were written and ${read.result} read`)
  }
  await rival.forget(name)
  const gigabytes = topic.wireBytes / 1e9
  return {
    rival: rival.name,
    pair,
    writeMegabytesPerSecond: (gigabytes * 1000) / wrote.seconds,
    writeCpuPerGb: wrote.cpuSeconds / gigabytes,
    readMegabytesPerSecond: (gigabytes * 1000) / read.seconds,
    readCpuPerGb: read.cpuSeconds / gigabytes,
    peakMegabytes: rival.meter.peakBytes() / 1e6,
  }
}

async function timed<T>(rival: Rival, work: () => Promise<T>) {
  const [startMs, cpu] = [systemClock.monotonicMs(), rival.meter.cpu().seconds]
  const result = await work()
  const seconds = (systemClock.monotonicMs() - startMs) / 1000
  return { result, seconds, cpuSeconds: rival.meter.cpu().seconds - cpu }
}

/** Bytes of all batches, all partitions at the same time. */
async function readAll({ admin }: Rival, { name, records }: SourceTopic): Promise<number> {
  const reads = Array.from({ length: partitionCount }, (_, partition) => readPartition(admin, name, partition))
  const all = await Promise.all(reads)
  const found = all.reduce((sum, one) => sum + one.records, 0)
  if (found !== records) throw new Error(`${found} of ${records} records were read`)
  return all.reduce((sum, one) => sum + one.bytes, 0)
}

async function readPartition(admin: Rival['admin'], topic: string, partition: number) {
  const cursor = new BatchCursor()
  let [offset, bytes] = [0, 0]
  for (;;) {
    const { records, highWatermark } = await fetchBatches(admin, { topic, partition, offset }, { bytesMax: readBytes })
    cursor.open(records, 0, records.length, 1 << 30)
    while (cursor.next()) {
      if (lastOffset(records, cursor.at) < offset) continue
      offset = lastOffset(records, cursor.at) + 1
      bytes += cursor.size
    }
    if (offset >= highWatermark) return { records: offset, bytes }
  }
}

async function report(options: Options, runs: RunFigures[]): Promise<number> {
  const of = (rival: RivalName, pair: number) => runs.find((one) => one.rival === rival && one.pair === pair)!
  const pairs = Array.from({ length: options.pairs }, (_, index) => index + 1)
  const ratio = (figure: (ours: RunFigures, theirs: RunFigures) => number): Spread => {
    return spreadOf(pairs.map((pair) => figure(of('embedded', pair), of('Apache Kafka', pair))))
  }
  const ratios = {
    write: ratio((ours, theirs) => ours.writeMegabytesPerSecond / theirs.writeMegabytesPerSecond),
    read: ratio((ours, theirs) => ours.readMegabytesPerSecond / theirs.readMegabytesPerSecond),
    writeCpu: ratio((ours, theirs) => theirs.writeCpuPerGb / ours.writeCpuPerGb),
    memory: ratio((ours, theirs) => theirs.peakMegabytes / ours.peakMegabytes),
  }
  const limits = [
    { name: 'MB/s of acks=all writing, times that of Apache Kafka', limit: throughputMin, found: ratios.write.median },
    { name: 'memory, times less than Apache Kafka', limit: memoryMin, found: ratios.memory.median },
  ]
  const gates = (options.codec === 'none' ? limits : []).map((gate) => ({ ...gate, passed: gate.found >= gate.limit }))
  const lines = [
    ...runs.map((one) => `pair ${one.pair}  ${describe(one)}`),
    ...Object.entries(ratios).map(([name, { min, median, max }]) => {
      return `${name.padEnd(9)} ${[min, median, max].map((value) => value.toFixed(2)).join(' / ')}`
    }),
    ...gates.map(({ name, found, limit, passed }) => {
      return `${passed ? 'passed' : 'FAILED'}  ${name} ${found.toFixed(2)} (≥ ${limit})`
    }),
  ]
  const passed = gates.every((gate) => gate.passed)
  const machine = await describeMachine()
  const line = JSON.stringify({ bench: 'broker', version: 1, passed, machine, options, runs, ratios, gates })
  if (options.jsonFile !== undefined) await writeFile(options.jsonFile, `${line}\n`)
  process.stdout.write(`${lines.join('\n')}\n\n${line}\n`)
  return passed ? 0 : 1
}

function describe(figures: RunFigures): string {
  const { rival, writeMegabytesPerSecond: write, writeCpuPerGb, readMegabytesPerSecond: read, readCpuPerGb } = figures
  return (
    `${rival.padEnd(12)} write ${write.toFixed(0)} MB/s, ${writeCpuPerGb.toFixed(2)} CPU s/GB; ` +
    `read ${read.toFixed(0)} MB/s, ${readCpuPerGb.toFixed(2)} CPU s/GB; peak ${figures.peakMegabytes.toFixed(0)} MB`
  )
}

interface Options {
  codec: BenchCodec
  pairs: number
  records: number
  jsonFile: string | undefined
}

/** Undefined when only help is wanted. Errors: `usage`. */
function parseOptions(args: string[]): Options | undefined {
  const text = (name: string, value: string) => ({ [name]: { type: 'string' as const, default: value } })
  const flags = { ...text('codec', 'none'), ...text('pairs', '3'), ...text('records', '1000000') }
  let values: Record<string, string | boolean | undefined>
  try {
    values = parseArgs({ args, options: { ...flags, json: { type: 'string' }, help: { type: 'boolean' } } }).values
  } catch (cause) {
    throw new LinkspanError('usage', `${(cause as Error).message}\n\n${usage}`)
  }
  if (values.help) return undefined
  const codec = codecs.find((name) => name === values.codec)
  const [pairs, records] = [Number(values.pairs), Number(values.records)]
  if (!codec || !Number.isInteger(pairs) || pairs < 1 || !Number.isInteger(records) || records < 1000) {
    throw new LinkspanError('usage', usage)
  }
  return { codec, pairs, records, jsonFile: values.json as string | undefined }
}
