import { logStart } from '../../kafka/admin/offsets.ts'
import { deleteRecords } from '../../kafka/admin/topics.ts'
import { type MirrorContext, partitionsOf } from '../context.ts'
import { includedKeys } from '../creation.ts'
import type { LinkRunner } from '../link-runner.ts'
import { boundsKey } from '../plan/group-offsets.ts'
import { followsRetention } from '../plan/topic-config.ts'
import type { MirrorRow } from '../rows.ts'
import { readBounds } from './group-offsets.ts'
import { type TaskError, taskError } from './task-error.ts'

/**
 * Records that the source has deleted are deleted here too: the mirror's own retention is off, so that it never loses
 * what the source still has. Never beyond what is safe here.
 */
export async function followLogStarts(
  context: MirrorContext,
  runner: LinkRunner,
  mirrors: readonly MirrorRow[],
  signal: AbortSignal,
): Promise<TaskError[]> {
  const include = includedKeys(runner.config)
  const following = mirrors.filter((row) => {
    const policies = (row.sourceConfigs['cleanup.policy'] ?? 'delete').split(',')
    return policies.includes('delete') && followsRetention({ include, local: row.localConfigs })
  })
  if (following.length === 0) return []
  const source = await runner.source()
  const there = following.flatMap((row) => {
    return partitionsOf(row.sourceTopic, row.partitions.length).map((at) => ({ ...at, here: row.topic }))
  })
  const starts = await logStart(source, there, { signal })
  const bounds = await readBounds(
    context.destination,
    there.map(({ here, partition }) => ({ topic: here, partition })),
    signal,
  )
  const deletions = there.flatMap(({ here, partition }, index) => {
    const start = starts[index]?.value?.offset
    const found = bounds.get(boundsKey(here, partition))
    if (start === undefined || !found) return []
    const offset = Math.min(start, found.highWatermark)
    return offset > found.logStart ? [{ topic: here, partition, offset }] : []
  })
  if (deletions.length === 0) return []
  const outcomes = await deleteRecords(context.destination, deletions, { signal })
  return outcomes.flatMap(({ error }) => (error ? [taskError(error)] : []))
}
