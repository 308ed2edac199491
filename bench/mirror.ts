import { writeFile } from 'node:fs/promises'
import { systemClock } from '../src/base/clock.ts'
import { deleteTopics } from '../src/kafka/admin/topics.ts'
import { startBenchKafka } from './mirror/brokers.ts'
import type { BenchCodec } from './mirror/events.ts'
import { fairness } from './mirror/fairness.ts'
import { brokerNames, type RunFigures } from './mirror/figures.ts'
import { describeMachine } from './mirror/machine.ts'
import { type BenchOptions, type MirrorKind, parseOptions, usage } from './mirror/options.ts'
import { describeData, gateLine, runLine, runTable, summaryLines } from './mirror/report.ts'
import { runOnce, type World } from './mirror/run-once.ts'
import { EventProducer, type SourceTopic } from './mirror/source-topic.ts'
import { type CodecSummary, type Gate, gatesOf, summarize } from './mirror/verdict.ts'

/** A strict run gives up on a machine that is never quiet. */
const strictAttemptsFactor = 3
/** The measured rate is not the rate of every run. */
const windowMargin = 1.1

interface CodecResult {
  data: SourceTopic
  /** All that were made, in their order; `discarded` ones count nowhere. */
  runs: (RunFigures & { discarded: boolean })[]
  summary: CodecSummary
  gates: Gate[]
  /** What is not as it must be, beside the gates. */
  failures: string[]
}

/** The mirror against MirrorMaker 2 on the same brokers and data: see `usage`. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args)
  if (!options) {
    process.stdout.write(usage)
    return 0
  }
  const startedAt = new Date(systemClock.wallMs()).toISOString()
  say('starting two brokers')
  await using source = await startBenchKafka(brokerNames[0])
  await using destination = await startBenchKafka(brokerNames[1])
  const results: CodecResult[] = []
  for (const codec of options.codecs) {
    const result = await measureCodec({ source, destination, options }, codec)
    results.push(result)
    printResult(result)
  }
  const failed = results.some(({ gates, failures }) => failures.length > 0 || gates.some(({ passed }) => !passed))
  const machine = { ...(await describeMachine()), kafka: source.kafka.jars.version }
  const header = { bench: 'mirror', version: 1, startedAt, passed: !failed, machine, fairness, options }
  const line = JSON.stringify({ ...header, results })
  if (options.jsonFile !== undefined) await writeFile(options.jsonFile, `${line}\n`)
  process.stdout.write(`\n${line}\n`)
  return failed ? 1 : 0
}

async function measureCodec(world: World, codec: BenchCodec): Promise<CodecResult> {
  const { source, options } = world
  const producer = new EventProducer(codec)
  say(`${codec}: writing ${options.records} records`)
  let topic = await producer.create(source.admin, `orders-${codec}`, options.records)
  say(`${codec}: warming up the brokers`)
  await runOnce(world, warmUpKind(options), topic, 0)
  if (options.secondsMin > 0) topic = await extendFor(world, producer, topic)
  const runs = await measurePairs(world, topic)
  await deleteTopics(source.admin, [topic.name])
  const counted = runs.filter(({ discarded }) => !discarded)
  const summary = summarize(codec, counted)
  return { data: topic, runs, summary, gates: gatesOf(summary), failures: failuresOf(options, runs, summary) }
}

/** A mirror of ours: the one that is measured where there is a choice, since its compiled code is cached then too. */
function warmUpKind({ kinds }: BenchOptions): MirrorKind {
  return kinds.includes('direct') ? 'direct' : 'pump'
}

/** As much data as keeps our own copy busy for `secondsMin`. */
async function extendFor(world: World, producer: EventProducer, topic: SourceTopic): Promise<SourceTopic> {
  const { seconds } = await runOnce(world, warmUpKind(world.options), topic, 0)
  const factor = (world.options.secondsMin / seconds) * windowMargin
  if (factor <= 1) return topic
  const records = Math.ceil(topic.records * factor)
  say(`${topic.codec}: writing up to ${records} records`)
  return await producer.extend(world.source.admin, topic, records)
}

async function measurePairs(world: World, topic: SourceTopic): Promise<CodecResult['runs']> {
  const { pairs, kinds, strict } = world.options
  const runs: CodecResult['runs'] = []
  const attemptsMax = strict ? pairs * strictAttemptsFactor : pairs
  let kept = 0
  for (let pair = 1; kept < pairs && pair <= attemptsMax; pair += 1) {
    const ofPair: RunFigures[] = []
    for (const kind of kinds) {
      ofPair.push(await runOnce(world, kind, topic, pair))
      say(`${topic.codec}, pair ${pair}: ${runLine(ofPair.at(-1)!)}`)
    }
    const discarded = strict && ofPair.some(({ noisy }) => noisy)
    if (!discarded) kept += 1
    runs.push(...ofPair.map((one) => ({ ...one, discarded })))
  }
  return runs
}

function failuresOf({ pairs }: BenchOptions, runs: CodecResult['runs'], summary: CodecSummary): string[] {
  const failures = runs.flatMap(({ kind, pair, difference }) => {
    return difference === null ? [] : [`the copy of ${kind} in pair ${pair} differs: ${difference}`]
  })
  if (summary.pairs < pairs) failures.push(`only ${summary.pairs} of ${pairs} pairs were quiet`)
  return failures
}

function printResult({ data, runs, summary, gates, failures }: CodecResult): void {
  const counted = runs.filter(({ discarded }) => !discarded)
  const lines = [
    '',
    describeData(data),
    ...(counted.length > 0 ? [runTable(counted)] : []),
    ...summaryLines(summary),
    ...gates.map(gateLine),
    ...failures.map((failure) => `FAILED  ${data.codec}: ${failure}`),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
