import { LinkspanError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { logStart } from '../../kafka/admin/offsets.ts'
import type { KafkaCluster } from '../../kafka/cluster.ts'
import { unwrap } from '../../kafka/rounds.ts'
import { compareLogs } from './compare.ts'
import { LogReader } from './log-reader.ts'

export interface PrefixClaim {
  source: KafkaCluster
  sourceTopic: string
  destination: KafkaCluster
  topic: string
  /** Log ends at the destination, by partition; none is beyond the source's. */
  ends: readonly number[]
  log: Log
}

/** Shorter copies are compared whole. */
const wholeRecords = 20_000
const windowRecords = 5000
const innerWindows = 8
const windowBytes = 16 * 1024 * 1024

/**
 * Shows that a copy is the beginning of its source: both ends of it and windows between, all of it when it is short.
 * `verify` compares everything, later and at leisure. Throws `difference` with partition and offset.
 */
export async function provePrefix(claim: PrefixClaim, signal?: AbortSignal): Promise<void> {
  for (let partition = 0; partition < claim.ends.length; partition += 1) await provePartition(claim, partition, signal)
}

async function provePartition(claim: PrefixClaim, partition: number, signal: AbortSignal | undefined): Promise<void> {
  const { source, sourceTopic, destination, topic, ends, log } = claim
  const end = ends[partition] as number
  const theirStart = unwrap((await logStart(source, [{ topic: sourceTopic, partition }], { signal }))[0]).offset
  const ourStart = unwrap((await logStart(destination, [{ topic, partition }], { signal }))[0]).offset
  const start = Math.max(theirStart, ourStart)
  for (const { from, to } of windowsOf(start, end)) {
    const theirs = new LogReader(source, { topic: sourceTopic, partition, from, to }, signal)
    const ours = new LogReader(destination, { topic, partition, from, to }, signal)
    // A cleaner may have been at work on either side; a difference at an offset that both have is one all the same.
    const { difference, records } = await compareLogs(theirs, ours, { compacted: true, bytesMax: windowBytes, signal })
    log.debug({ topic, partition, from, to, records }, 'Compared a part of a copy')
    if (!difference) continue
    const { offset, what } = difference
    const text =
      `Partition ${partition} of '${topic}' is no copy of the source: at offset ${offset} ${what}. ` +
      'Delete the topic here and mirror it anew'
    throw new LinkspanError('difference', text, { details: { partition, offset: difference.offset } })
  }
}

export function windowsOf(start: number, end: number): { from: number; to: number }[] {
  if (end <= start) return []
  if (end - start <= wholeRecords) return [{ from: start, to: end }]
  const inner = Array.from({ length: innerWindows }, (_, index) => {
    const from = start + Math.floor(((end - start) * (index + 1)) / (innerWindows + 1))
    return { from, to: Math.min(end, from + windowRecords / 5) }
  })
  return [{ from: start, to: start + windowRecords }, ...inner, { from: end - windowRecords, to: end }]
}
