import { peakMegabytes, type RunFigures } from './figures.ts'
import type { MirrorKind } from './options.ts'
import type { SourceTopic } from './source-topic.ts'
import { type CodecSummary, type Gate, type Spread, spreadOf } from './verdict.ts'

/** For people; the JSON line has the same figures and more. */
export function describeData({ codec, records, batches, wireBytes, rawBytes }: SourceTopic): string {
  const ratio = (rawBytes / wireBytes).toFixed(2)
  const meanKilobytes = (wireBytes / batches / 1000).toFixed(1)
  const wire = `${gigabytes(wireBytes)} on the wire (ratio ${ratio})`
  return `${codec}: ${records} records, ${wire}, ${batches} batches of ${meanKilobytes} kB`
}

const columns = [
  'run',
  'n',
  'MB/s wire',
  'CPU s/GB wire',
  'last third',
  'in kernel',
  'CPU s/GB raw',
  'source broker',
  'dest. broker',
  'peak MB',
  'other cores',
]

/** One line for each kind (and each end of a tunnel), min / median / max over the runs that count. */
export function runTable(runs: readonly RunFigures[]): string {
  const lines: string[][] = [columns]
  for (const [kind, all] of Map.groupBy(runs, (run) => run.kind)) {
    const spread = (of: (run: RunFigures) => number | null, digits = 2) => {
      const values = all.map(of).filter((value) => value !== null)
      return values.length === 0 ? '–' : spreadText(spreadOf(values), digits)
    }
    lines.push([
      labelOf(kind),
      String(all.length),
      spread((run) => run.megabytesPerSecond, 0),
      spread((run) => run.cpuPerGb),
      spread((run) => run.lastThirdCpuPerGb),
      spread((run) => run.kernelCpuPerGb),
      spread((run) => run.cpuPerRawGb),
      spread((run) => run.sourceBrokerCpuPerGb),
      spread((run) => run.destinationBrokerCpuPerGb),
      spread(peakMegabytes, 0),
      spread((run) => run.otherCores + run.stolenCores),
    ])
    for (const end of kind === 'tunnel' ? ['source', 'destination'] : []) {
      const cpu = spread((run) => run.cpuPerGbByEnd[end] ?? null)
      const peak = spread((run) => run.peakMegabytesByEnd[end] ?? null, 0)
      lines.push([`  its ${end} end`, '', '', cpu, '', '', '', '', '', peak, ''])
    }
  }
  return alignedTable(lines)
}

export function summaryLines({ ratios, tunnelMore, pairs, noisyPairs, batchesCompared }: CodecSummary): string[] {
  const lines: string[] = []
  if (batchesCompared > 0) {
    lines.push(`${batchesCompared} batches of ours compared: each at the source's offset, byte for byte`)
  }
  if (ratios) {
    const last = ratios.cpuLastThird ? `, in the last third ${spreadText(ratios.cpuLastThird)}` : ''
    lines.push(`direct against MirrorMaker 2: CPU ${spreadText(ratios.cpu)} times less${last}`)
    lines.push(`  ${spreadText(ratios.throughput)} times the MB/s, ${spreadText(ratios.memory)} times less memory`)
  }
  if (tunnelMore) {
    const { source, destination } = tunnelMore
    const more = `${spreadText(source)} at the source end, ${spreadText(destination)} at the destination end`
    lines.push(`tunnel, CPU s/GB more than direct: ${more}`)
  }
  if (noisyPairs > 0)
    lines.push(`other load was above 0.1 core in ${noisyPairs} of ${pairs} pairs: take no figure as it is`)
  return lines
}

export function gateLine({ name, codec, kind, limit, found, passed }: Gate): string {
  const sign = kind === 'min' ? '≥' : '≤'
  return `${passed ? 'passed' : 'FAILED'}  ${codec}: ${name} ${found.toFixed(2)} (${sign} ${limit})`
}

export function runLine(run: RunFigures): string {
  const noise = run.noisy ? `, other load ${(run.otherCores + run.stolenCores).toFixed(2)} cores` : ''
  const start = `${run.startSeconds.toFixed(1)} s and ${run.startCpuSeconds.toFixed(1)} CPU s before the first record`
  const speed = `${run.megabytesPerSecond.toFixed(0)} MB/s, ${run.cpuPerGb.toFixed(2)} CPU s/GB`
  const peak = `${peakMegabytes(run).toFixed(0)} MB`
  return `${labelOf(run.kind)}: ${run.seconds.toFixed(1)} s, ${speed}, ${peak}; ${start}${noise}`
}

function labelOf(kind: MirrorKind): string {
  return { tunnel: 'tunnel', direct: 'direct', pump: 'pump alone', mm2: 'MirrorMaker 2' }[kind]
}

function spreadText({ min, median, max, n }: Spread, digits = 2): string {
  const text = (value: number) => value.toFixed(digits)
  return n === 1 ? text(median) : `${text(min)}/${text(median)}/${text(max)}`
}

function alignedTable(lines: string[][]): string {
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(3)} GB`
}
