import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { guardFolder, releaseFolder } from '../../test/support/watchdog.ts'
import { ProcessMeter } from './accounting.ts'
import type { BenchKafka } from './brokers.ts'
import { compareBatches, compareCounts } from './compare.ts'
import { startDirect, startTunnel } from './daemons.ts'
import { benchName, figuresOf, type RunFigures } from './figures.ts'
import { startMirrorMaker } from './mirror-maker.ts'
import type { MirrorContext, MirrorRun } from './mirror-run.ts'
import type { BenchOptions, MirrorKind } from './options.ts'
import { startPump } from './pump.ts'
import type { SourceTopic } from './source-topic.ts'
import { watchCopy } from './window.ts'

const starters: Record<MirrorKind, (context: MirrorContext) => Promise<MirrorRun>> = {
  tunnel: startTunnel,
  direct: startDirect,
  pump: startPump,
  mm2: startMirrorMaker,
}

const stallMs = 120_000
const benchMeter = new ProcessMeter(benchName, process.pid)

export interface World {
  source: BenchKafka
  destination: BenchKafka
  options: BenchOptions
}

/** One copy of the whole topic into a destination without topics, measured and checked. */
export async function runOnce(world: World, kind: MirrorKind, topic: SourceTopic, pair: number): Promise<RunFigures> {
  const { source, destination } = world
  await destination.removeTopics()
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-bench-'))
  guardFolder(folder)
  try {
    const { window, ends } = await copy(world, kind, topic, folder)
    const compare = kind === 'mm2' ? compareCounts : compareBatches
    const comparison = await compare(source, destination, topic.name)
    return figuresOf({ kind, pair, topic, window, ends, comparison })
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    releaseFolder(folder)
  }
}

async function copy(world: World, kind: MirrorKind, topic: SourceTopic, folder: string) {
  const { source, destination, options } = world
  await using mirror = await starters[kind]({ source, destination, topic, options, folder })
  const window = await watchCopy({
    meters: [...mirror.meters, source.meter, destination.meter, benchMeter],
    begin: () => mirror.begin(),
    records: () => destination.recordCount(topic.name),
    total: topic.records,
    stallMs,
    check: () => mirror.check(),
  })
  const ends = mirror.meters.map((meter) => ({ name: meter.name, peakBytes: meter.peakBytes() }))
  await mirror.verify()
  return { window, ends }
}
