import { parseGroupFilters } from '../../contract/filters.ts'
import { commitGroupOffsets, fetchGroupOffsets, groupIsActive } from '../../kafka/admin/group-offsets.ts'
import { listGroups } from '../../kafka/admin/groups.ts'
import { highWatermark, logStart } from '../../kafka/admin/offsets.ts'
import type { KafkaCluster } from '../../kafka/cluster.ts'
import type { TopicPartition } from '../../kafka/cluster-options.ts'
import type { MirrorContext } from '../context.ts'
import type { LinkRunner } from '../link-runner.ts'
import {
  type Bounds,
  boundsKey,
  type GroupCommitPlan,
  type PlainOffset,
  planGroupCommit,
  selectGroups,
} from '../plan/group-offsets.ts'
import type { MirrorRow } from '../rows.ts'
import { type TaskError, taskError } from './task-error.ts'

/** Groups of one round of questions: bounds the memory that their answers take. */
const groupsAtOnce = 500
/** The most that brokers take beside an offset unless they are told otherwise. */
const metadataBytesMax = 4096

/** A group at both sides. */
interface Pair {
  source: string
  here: string
}

/**
 * One round of `consumer.offset.sync`: every selected group stands here where it stands at the source, as far as the
 * data has come. The source wins. Groups with members here are their own masters, and told of.
 */
export async function syncGroupOffsets(
  context: MirrorContext,
  runner: LinkRunner,
  mirrors: readonly MirrorRow[],
  signal: AbortSignal,
): Promise<TaskError[]> {
  const { config } = runner
  const filters = parseGroupFilters(config.get('consumer.offset.group.filters') ?? '')
  if (filters.length === 0) {
    const message = 'consumer.offset.sync.enable is true, but consumer.offset.group.filters selects no group'
    return [{ code: 'MISCONFIGURATION_ERROR', message }]
  }
  if (mirrors.length === 0) return []
  const source = await runner.source()
  const prefix = config.flag('consumer.group.prefix.enable') ? (config.get('cluster.link.prefix') ?? '') : ''
  const groups = selectGroups(await listGroups(source, { signal }), filters)
  const errors: TaskError[] = []
  for (let first = 0; first < groups.length; first += groupsAtOnce) {
    const pairs = groups.slice(first, first + groupsAtOnce).map((group) => ({ source: group, here: prefix + group }))
    errors.push(...(await syncSome(context, runner, { source, pairs, mirrors, signal })))
  }
  return errors
}

interface Round {
  source: KafkaCluster
  pairs: readonly Pair[]
  mirrors: readonly MirrorRow[]
  signal: AbortSignal
}

async function syncSome(context: MirrorContext, runner: LinkRunner, round: Round): Promise<TaskError[]> {
  const { destination, book } = context
  const { signal } = round
  const errors: TaskError[] = []
  const theirs = await readSource(round, errors)
  if (theirs.size === 0) return errors
  const bounds = await readBounds(destination, [...theirs.values()].flat(), signal)
  const names = [...theirs.keys()]
  const found = await fetchGroupOffsets(
    destination,
    names.map((group) => ({ group })),
    { signal },
  )
  const commits: GroupCommitPlan[] = []
  names.forEach((group, index) => {
    const { value, error } = found[index]!
    if (error) errors.push(taskError(error))
    else commits.push(planGroupCommit({ group, source: theirs.get(group)!, destination: value.offsets, bounds }))
  })
  const needed = commits.filter(({ offsets }) => offsets.length > 0)
  await book.rememberGroups(
    runner.linkId,
    needed.map(({ group, offsets }) => ({ group, topics: [...new Set(offsets.map(({ topic }) => topic))] })),
  )
  errors.push(...(await commit(destination, needed, signal)))
  return errors
}

/** By the group's name here: what it has committed at the source to mirrored topics, as these are called here. */
async function readSource(round: Round, errors: TaskError[]): Promise<Map<string, PlainOffset[]>> {
  const { source, pairs, mirrors, signal } = round
  const topics = new Map(mirrors.map((row) => [row.sourceTopic, row]))
  const found = await fetchGroupOffsets(
    source,
    pairs.map(({ source: group }) => ({ group })),
    { signal },
  )
  const theirs = new Map<string, PlainOffset[]>()
  pairs.forEach(({ here }, index) => {
    const { value, error } = found[index]!
    if (error) {
      errors.push(taskError(error))
      return
    }
    const mirrored = value.failed.filter(({ topic }) => topics.has(topic))
    errors.push(...mirrored.map(({ error }) => taskError(error)))
    const offsets = value.offsets.flatMap(({ topic, partition, offset, metadata }): PlainOffset[] => {
      const row = topics.get(topic)
      if (!row || partition >= row.partitions.length) return []
      return [{ topic: row.topic, partition, offset, metadata: bounded(metadata) }]
    })
    if (offsets.length > 0) theirs.set(here, offsets)
  })
  return theirs
}

function bounded(metadata: string | null): string | null {
  return metadata !== null && Buffer.byteLength(metadata) > metadataBytesMax ? null : metadata
}

/** Where consumers may stand in these partitions here; what cannot be asked now is left out. */
export async function readBounds(
  destination: KafkaCluster,
  offsets: readonly TopicPartition[],
  signal?: AbortSignal,
): Promise<Map<string, Bounds>> {
  const wanted = new Map(offsets.map(({ topic, partition }) => [boundsKey(topic, partition), { topic, partition }]))
  const partitions = [...wanted.values()]
  const [starts, ends] = await Promise.all([
    logStart(destination, partitions, { signal }),
    highWatermark(destination, partitions, { signal }),
  ])
  const bounds = new Map<string, Bounds>()
  partitions.forEach(({ topic, partition }, index) => {
    const start = starts[index]?.value
    const end = ends[index]?.value
    if (start && end) bounds.set(boundsKey(topic, partition), { logStart: start.offset, highWatermark: end.offset })
  })
  return bounds
}

async function commit(
  destination: KafkaCluster,
  commits: readonly GroupCommitPlan[],
  signal: AbortSignal,
): Promise<TaskError[]> {
  const outcomes = await commitGroupOffsets(destination, commits, { signal })
  return outcomes.flatMap(({ value, error }, index) => {
    const { group } = commits[index]!
    const failed = error ?? value.failed[0]?.error
    if (!failed) return []
    if (!groupIsActive(failed)) return [taskError(failed)]
    const message =
      `Consumer group '${group}' has members at the destination, so its offsets cannot be set: stop them, or exclude ` +
      'the group from consumer.offset.group.filters'
    return [{ code: 'CONSUMER_GROUP_IN_USE_ERROR' as const, message }]
  })
}
