import { parseArgs } from 'node:util'
import { systemClock } from '../../src/base/clock.ts'
import { explainError, LinkspanError } from '../../src/base/errors.ts'
import { startKafka } from '../kafka/broker.ts'
import { type KafkaVersion, kafkaAvailable } from '../kafka/jars.ts'
import { codecs, kcatConsume, kcatProduce } from '../kafka/kcat.ts'
import { createTopic } from '../kafka/produce.ts'
import type { KafkaAddress } from '../kafka/tools.ts'
import { caughtUp, cli, linkSites } from '../support/sites.ts'

/** The releases that are promised, oldest first; every one as source and as destination. */
const releases = ['3.9.1', '4.0.0', '4.1.1', '4.2.0', '4.3.1']
const recordsPerCodec = 500
const topic = 'matrix'

const usage = `Usage: npm run matrix [-- --releases A,B,…]

Mirrors between every two Kafka releases, in all codecs (${releases.join(', ')}).`

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { releases: { type: 'string' }, help: { type: 'boolean', short: 'h' } } })
  if (values.help) {
    print(usage)
    return 0
  }
  const wanted = values.releases?.split(',') ?? releases
  const chosen = await obtainable(wanted)
  print(`${'source'.padEnd(8)}  ${'mirror'.padEnd(8)}  ${'seconds'.padStart(7)}  result`)
  let failed = 0
  for (const from of chosen) {
    for (const to of chosen) if (!(await showPair(from, to))) failed += 1
  }
  const missing = wanted.length - chosen.length
  if (missing > 0) print(`${missing} of ${wanted.length} releases could not be had: their pairs are not proven`)
  print(failed === 0 ? `All ${chosen.length ** 2} pairs are exact` : `${failed} pairs are not exact`)
  if (failed > 0) return 5
  return missing > 0 ? 1 : 0
}

/** One release that cannot be had here is no reason to leave the others untried. */
async function obtainable(wanted: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const release of wanted) {
    const available = await kafkaAvailable(release as KafkaVersion)
    if (available.skip) print(available.skip)
    else found.push(release)
  }
  return found
}

async function showPair(from: string, to: string): Promise<boolean> {
  const startMs = systemClock.monotonicMs()
  const failure = await mirrorPair(from, to).then(
    () => undefined,
    (error: unknown) => explainError(error),
  )
  const seconds = ((systemClock.monotonicMs() - startMs) / 1000).toFixed(1)
  print(`${from.padEnd(8)}  ${to.padEnd(8)}  ${seconds.padStart(7)}  ${failure ?? 'exact'}`)
  return failure === undefined
}

async function mirrorPair(from: string, to: string): Promise<void> {
  type Version = Parameters<typeof startKafka>[0]['version']
  await using source = await startKafka({ version: from as Version })
  await using destination = await startKafka({ version: to as Version })
  await using sites = await linkSites(source, destination)
  await createTopic(source, topic, { partitions: codecs.length })
  for (const [partition, codec] of codecs.entries()) await produceHalf(source, partition, codec)
  await cli(sites.east.daemon, `kafka mirror create ${topic} --link west`)
  for (const [partition, codec] of codecs.entries()) await produceHalf(source, partition, codec)
  await caughtUp(
    sites.east.daemon,
    'west',
    topic,
    codecs.map(() => recordsPerCodec * 2),
  )
  await cli(sites.east.daemon, `verify ${topic} --link west`)
  const [written, mirrored] = [await kcatConsume(source, topic), await kcatConsume(destination, topic)]
  if (JSON.stringify(written) === JSON.stringify(mirrored)) return
  throw new LinkspanError('difference', 'kcat does not read the same on both sides')
}

async function produceHalf(kafka: KafkaAddress, partition: number, codec: (typeof codecs)[number]): Promise<void> {
  const records = Array.from({ length: recordsPerCodec }, (_, index) => ({
    key: `k${index % 7}`,
    value: `value ${index}`,
  }))
  await kcatProduce(kafka, topic, records, { partition, codec, idempotent: partition % 2 === 1 })
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

process.exitCode = await main()
