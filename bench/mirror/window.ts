import { setTimeout as sleep } from 'node:timers/promises'
import { type MachineCpu, machineCpu, type ProcessCpu, type ProcessMeter } from './accounting.ts'

/** Everything that is read at one moment while a copy is under way. */
export interface Sample {
  atMs: number
  /** In the destination topic. */
  records: number
  machine: MachineCpu
  /** So far, in the order of the meters. */
  cpu: ProcessCpu[]
}

/** From one sample to another. */
export interface Span {
  seconds: number
  records: number
  /** By the names of the meters. */
  cpu: Record<string, ProcessCpu>
  busySeconds: number
  stolenSeconds: number
}

export interface Window {
  /** From the last sample without a record at the destination to the first one with all of them. */
  whole: Span
  /** From the first sample with two thirds of the records on: the steady state, as far as there is one. */
  lastThird: Span
  /** What each process had used before the window: its start. */
  startCpuSeconds: Record<string, number>
  startSeconds: number
}

const intervalMs = 50

export interface WatchOptions {
  meters: readonly ProcessMeter[]
  /** Starts the copy, after the first sample. */
  begin: () => Promise<void>
  /** Log ends of the destination topic summed up; 0 while there is no such topic. */
  records: () => Promise<number>
  total: number
  /** Without any progress for so long, the run has failed. */
  stallMs: number
  /** Throws when the mirror has ended or says that it failed. */
  check: () => Promise<void>
}

/** Samples until every record is at the destination. */
export async function watchCopy(options: WatchOptions): Promise<Window> {
  const { meters, begin, records, total, stallMs, check } = options
  const samples: Sample[] = []
  let progressMs = performance.now()
  let failure: unknown
  for (;;) {
    const count = await records()
    const sample: Sample = {
      atMs: performance.now(),
      records: count,
      machine: machineCpu(),
      cpu: meters.map((meter) => meter.cpu()),
    }
    const last = samples.at(-1)
    if (count > total) throw new Error(`the destination has ${count} records, the source ${total}`)
    if (count !== last?.records) progressMs = sample.atMs
    samples.push(sample)
    if (count === total) return windowOf(samples, meters)
    if (samples.length === 1) {
      begin().catch((error) => {
        failure = error
      })
    }
    if (failure) throw failure
    await check()
    if (sample.atMs - progressMs > stallMs) throw new Error(`no progress for ${stallMs / 1000} s at ${count} records`)
    await sleep(intervalMs)
  }
}

function windowOf(samples: readonly Sample[], meters: readonly ProcessMeter[]): Window {
  const first = samples[0] as Sample
  const end = samples.at(-1) as Sample
  const start = samples.findLast(({ records }) => records === 0)
  if (!start) throw new Error('the destination had records before the first sample')
  const third = samples.find(({ records }) => records >= (end.records * 2) / 3) as Sample
  const names = meters.map(({ name }) => name)
  const startCpuSeconds = Object.fromEntries(names.map((name, index) => [name, start.cpu[index]!.seconds]))
  return {
    whole: spanOf(start, end, names),
    lastThird: spanOf(third, end, names),
    startCpuSeconds,
    startSeconds: (start.atMs - first.atMs) / 1000,
  }
}

function spanOf(from: Sample, to: Sample, names: readonly string[]): Span {
  const used = (index: number): ProcessCpu => {
    const [before, after] = [from.cpu[index] as ProcessCpu, to.cpu[index] as ProcessCpu]
    return { seconds: after.seconds - before.seconds, kernelSeconds: after.kernelSeconds - before.kernelSeconds }
  }
  return {
    seconds: (to.atMs - from.atMs) / 1000,
    records: to.records - from.records,
    cpu: Object.fromEntries(names.map((name, index) => [name, used(index)])),
    busySeconds: to.machine.busySeconds - from.machine.busySeconds,
    stolenSeconds: to.machine.stolenSeconds - from.machine.stolenSeconds,
  }
}
