import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BenchCodec } from './events.ts'
import type { RunFigures } from './figures.ts'
import type { MirrorKind } from './options.ts'
import { gatesOf, spreadOf, summarize } from './verdict.ts'

function runOf(kind: MirrorKind, pair: number, cpuPerGb: number, more: Partial<RunFigures> = {}): RunFigures {
  return {
    kind,
    codec: 'none',
    pair,
    noisy: false,
    seconds: 10,
    megabytesPerSecond: 200,
    cpuPerGb,
    cpuPerRawGb: cpuPerGb,
    kernelCpuPerGb: cpuPerGb / 2,
    lastThirdCpuPerGb: cpuPerGb,
    cpuPerGbByEnd: { mirror: cpuPerGb },
    peakMegabytesByEnd: { mirror: 100 },
    sourceBrokerCpuPerGb: 1,
    destinationBrokerCpuPerGb: 4,
    otherCores: 0,
    stolenCores: 0,
    benchCores: 0,
    startCpuSeconds: 1,
    startSeconds: 1,
    batchesCompared: 1,
    difference: null,
    passedRawShare: 1,
    ...more,
  }
}

function tunnelRun(pair: number, source: number, destination: number): RunFigures {
  return runOf('tunnel', pair, source + destination, { cpuPerGbByEnd: { source, destination } })
}

function verdicts(codec: BenchCodec, runs: RunFigures[]): Record<string, boolean> {
  return Object.fromEntries(gatesOf(summarize(codec, runs)).map(({ name, passed }) => [name, passed]))
}

test('the median is that of the middle, or between the two in the middle', () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { min: 1, median: 2, max: 3, n: 3 })
  assert.deepEqual(spreadOf([4, 1, 2, 3]), { min: 1, median: 2.5, max: 4, n: 4 })
  assert.deepEqual(spreadOf([7]), { min: 7, median: 7, max: 7, n: 1 })
})

test('ratios are taken within pairs, and every codec has its own limit', () => {
  const runs = [1, 2, 3].flatMap((pair) => [runOf('direct', pair, pair), runOf('mm2', pair, pair * 8)])
  const { ratios } = summarize('none', runs)
  assert.deepEqual(ratios?.cpu, { min: 8, median: 8, max: 8, n: 3 })
  assert.deepEqual(Object.values(verdicts('none', runs)), [true, true])
  assert.deepEqual(Object.values(verdicts('lz4', runs)), [true, true])
  assert.deepEqual(Object.values(verdicts('zstd', runs)), [false, false])
})

test('a MirrorMaker 2 that gets better while it runs is judged by its last third too', () => {
  const runs = [runOf('direct', 1, 2), runOf('mm2', 1, 10, { lastThirdCpuPerGb: 3 })]
  assert.deepEqual(Object.values(verdicts('none', runs)), [true, false])
})

test('each end of the tunnel may cost 1.2 CPU seconds per GB more than direct, which has no source end', () => {
  assert.deepEqual(Object.values(verdicts('none', [runOf('direct', 1, 2), tunnelRun(1, 1.1, 3.1)])), [true, true])
  assert.deepEqual(Object.values(verdicts('none', [runOf('direct', 1, 2), tunnelRun(1, 1.3, 3.1)])), [false, true])
  assert.deepEqual(Object.values(verdicts('none', [runOf('direct', 1, 2), tunnelRun(1, 1.1, 3.3)])), [true, false])
  assert.deepEqual(verdicts('lz4', [runOf('direct', 1, 2), tunnelRun(1, 9, 9)]), {})
})

test('without MirrorMaker 2 nothing is said of ratios', () => {
  const summary = summarize('none', [runOf('direct', 1, 2)])
  assert.equal(summary.ratios, null)
  assert.deepEqual(gatesOf(summary), [])
})
