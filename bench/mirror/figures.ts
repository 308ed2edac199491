import type { ProcessCpu } from './accounting.ts'
import type { Comparison } from './compare.ts'
import type { BenchCodec } from './events.ts'
import type { MirrorKind } from './options.ts'
import type { SourceTopic } from './source-topic.ts'
import type { Span, Window } from './window.ts'

/** More than this of other load, in cores, makes a pair noisy: CPU seconds per GB are not proof against it. */
const quietCoresMax = 0.1

/** What one run costs, as data for a script: GB are 10^9 bytes of the source log unless the name says raw. */
export interface RunFigures {
  kind: MirrorKind
  codec: BenchCodec
  pair: number
  noisy: boolean
  seconds: number
  megabytesPerSecond: number
  /** Of all processes of the mirror together. */
  cpuPerGb: number
  cpuPerRawGb: number
  /** The part of `cpuPerGb` inside of the system. */
  kernelCpuPerGb: number
  /** In the last third of the records; null when that took no time to speak of. */
  lastThirdCpuPerGb: number | null
  /** Of each of its processes: `mirror`, or `source` and `destination` of a tunnel. */
  cpuPerGbByEnd: Record<string, number>
  peakMegabytesByEnd: Record<string, number>
  sourceBrokerCpuPerGb: number
  destinationBrokerCpuPerGb: number
  otherCores: number
  stolenCores: number
  benchCores: number
  /** Before the first record arrived, outside of the window. */
  startCpuSeconds: number
  startSeconds: number
  /** Batches that were compared byte for byte; 0 where only counts could be. */
  batchesCompared: number
  difference: string | null
  /** Of the batches: those that are at the destination as they were at the source. Null where batches are made anew. */
  passedRawShare: number | null
}

export interface RunFacts {
  kind: MirrorKind
  pair: number
  topic: SourceTopic
  window: Window
  /** Processes of the mirror. */
  ends: readonly { name: string; peakBytes: number }[]
  comparison: Comparison
}

export const brokerNames = ['source broker', 'destination broker'] as const
export const benchName = 'bench'

export function figuresOf({ kind, pair, topic, window, ends, comparison }: RunFacts): RunFigures {
  const { whole, lastThird, startCpuSeconds, startSeconds } = window
  const gigabytes = topic.wireBytes / 1e9
  const names = ends.map(({ name }) => name)
  const cpu = sumOf(whole, names)
  const other = (whole.busySeconds - sumOf(whole, Object.keys(whole.cpu))) / whole.seconds
  const stolen = whole.stolenSeconds / whole.seconds
  const third = gigabytes * (lastThird.records / whole.records)
  return {
    kind,
    codec: topic.codec,
    pair,
    noisy: Math.max(other, stolen) > quietCoresMax,
    seconds: rounded(whole.seconds),
    megabytesPerSecond: rounded(topic.wireBytes / 1e6 / whole.seconds),
    cpuPerGb: rounded(cpu / gigabytes),
    cpuPerRawGb: rounded(cpu / (topic.rawBytes / 1e9)),
    kernelCpuPerGb: rounded(sumOf(whole, names, 'kernelSeconds') / gigabytes),
    lastThirdCpuPerGb: lastThird.records > 0 ? rounded(sumOf(lastThird, names) / third) : null,
    cpuPerGbByEnd: Object.fromEntries(names.map((name) => [name, rounded(sumOf(whole, [name]) / gigabytes)])),
    peakMegabytesByEnd: Object.fromEntries(ends.map(({ name, peakBytes }) => [name, rounded(peakBytes / 1e6)])),
    sourceBrokerCpuPerGb: rounded(sumOf(whole, [brokerNames[0]]) / gigabytes),
    destinationBrokerCpuPerGb: rounded(sumOf(whole, [brokerNames[1]]) / gigabytes),
    otherCores: rounded(Math.max(0, other)),
    stolenCores: rounded(stolen),
    benchCores: rounded(sumOf(whole, [benchName]) / whole.seconds),
    startCpuSeconds: rounded(names.reduce((sum, name) => sum + (startCpuSeconds[name] ?? 0), 0)),
    startSeconds: rounded(startSeconds),
    batchesCompared: comparison.batches,
    difference: comparison.difference ?? null,
    passedRawShare: kind === 'mm2' ? null : rounded(comparison.batches / topic.batches),
  }
}

export function peakMegabytes(run: RunFigures): number {
  return Object.values(run.peakMegabytesByEnd).reduce((sum, one) => sum + one, 0)
}

function sumOf(span: Span, names: readonly string[], part: keyof ProcessCpu = 'seconds'): number {
  return names.reduce((sum, name) => sum + (span.cpu[name]?.[part] ?? 0), 0)
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
