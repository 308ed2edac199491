import type { BenchCodec } from './events.ts'
import { peakMegabytes, type RunFigures } from './figures.ts'
import type { MirrorKind } from './options.ts'

export interface Spread {
  min: number
  median: number
  max: number
  n: number
}

/** Within pairs, and so that more is better for us: how many times less CPU or memory, how many times the MB/s. */
export interface Ratios {
  cpu: Spread
  /** Both in their last third: MirrorMaker 2 is warm there. */
  cpuLastThird: Spread | null
  throughput: Spread
  memory: Spread
}

export interface CodecSummary {
  codec: BenchCodec
  /** Pairs that count. */
  pairs: number
  noisyPairs: number
  /** Of our own copies, all of them equal; 0 when there is a difference. */
  batchesCompared: number
  ratios: Ratios | null
  /** CPU seconds per GB that each end of the tunnel costs more than the direct path, which has no source end. */
  tunnelMore: { source: Spread; destination: Spread } | null
}

export interface Gate {
  name: string
  codec: BenchCodec
  /** `min`: `found` may not be below the limit; `max`: not above. */
  kind: 'min' | 'max'
  limit: number
  found: number
  passed: boolean
}

/** How many times less CPU the direct path must need, whatever else this machine does. */
const cpuRatioMin: Record<BenchCodec, number> = { none: 2, lz4: 8, zstd: 20 }
const tunnelMoreMax = 1.2

/** Of the pairs that count, each with one run of every kind that was asked for. */
export function summarize(codec: BenchCodec, runs: readonly RunFigures[]): CodecSummary {
  const pairs = [...Map.groupBy(runs, ({ pair }) => pair).values()]
  return {
    codec,
    pairs: pairs.length,
    noisyPairs: pairs.filter((pair) => pair.some(({ noisy }) => noisy)).length,
    batchesCompared: runs.some(({ difference }) => difference !== null)
      ? 0
      : runs.reduce((sum, run) => sum + run.batchesCompared, 0),
    ratios: ratiosOf(matched(pairs, 'direct', 'mm2')),
    tunnelMore: tunnelMoreOf(matched(pairs, 'direct', 'tunnel')),
  }
}

export function gatesOf({ codec, ratios, tunnelMore }: CodecSummary): Gate[] {
  const gates: Gate[] = []
  if (ratios) {
    const kind = 'min'
    const limit = cpuRatioMin[codec]
    gates.push(judged({ name: 'CPU, times less than MirrorMaker 2', codec, kind, limit, found: ratios.cpu.median }))
    if (ratios.cpuLastThird) {
      const found = ratios.cpuLastThird.median
      gates.push(judged({ name: 'CPU of the last third, times less', codec, kind, limit, found }))
    }
  }
  if (tunnelMore && codec === 'none') {
    for (const end of ['source', 'destination'] as const) {
      const name = `CPU of the tunnel's ${end} end, s/GB more than direct`
      gates.push(judged({ name, codec, kind: 'max', limit: tunnelMoreMax, found: tunnelMore[end].median }))
    }
  }
  return gates
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length / 2
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
  return { min: sorted[0]!, median, max: sorted.at(-1)!, n: sorted.length }
}

function judged(gate: Omit<Gate, 'passed'>): Gate {
  return { ...gate, passed: gate.kind === 'min' ? gate.found >= gate.limit : gate.found <= gate.limit }
}

function matched(pairs: RunFigures[][], one: MirrorKind, other: MirrorKind): [RunFigures, RunFigures][] {
  return pairs.flatMap((pair) => {
    const left = pair.find(({ kind }) => kind === one)
    const right = pair.find(({ kind }) => kind === other)
    return left && right ? [[left, right] as [RunFigures, RunFigures]] : []
  })
}

function ratiosOf(pairs: [RunFigures, RunFigures][]): Ratios | null {
  if (pairs.length === 0) return null
  const lastThirds = pairs.flatMap(([direct, mm2]) => {
    if (!direct.lastThirdCpuPerGb || !mm2.lastThirdCpuPerGb) return []
    return [mm2.lastThirdCpuPerGb / direct.lastThirdCpuPerGb]
  })
  return {
    cpu: spreadOf(pairs.map(([direct, mm2]) => mm2.cpuPerGb / direct.cpuPerGb)),
    cpuLastThird: lastThirds.length === 0 ? null : spreadOf(lastThirds),
    throughput: spreadOf(pairs.map(([direct, mm2]) => direct.megabytesPerSecond / mm2.megabytesPerSecond)),
    memory: spreadOf(pairs.map(([direct, mm2]) => peakMegabytes(mm2) / peakMegabytes(direct))),
  }
}

function tunnelMoreOf(pairs: [RunFigures, RunFigures][]): CodecSummary['tunnelMore'] {
  if (pairs.length === 0) return null
  return {
    source: spreadOf(pairs.map(([, tunnel]) => tunnel.cpuPerGbByEnd.source ?? 0)),
    destination: spreadOf(pairs.map(([direct, tunnel]) => (tunnel.cpuPerGbByEnd.destination ?? 0) - direct.cpuPerGb)),
  }
}
