import { createPartitions, describeTopics } from '../../kafka/admin/topics.ts'
import { unwrap } from '../../kafka/rounds.ts'
import type { MirrorContext } from '../context.ts'
import { failureText } from '../failures.ts'
import type { MirrorFailure } from '../lifecycle.ts'
import type { LinkRunner } from '../link-runner.ts'
import { freshPartition, type MirrorRow } from '../rows.ts'
import { type TaskError, taskError } from './task-error.ts'

/** A source cannot make us hold more of one topic than this. */
const partitionsMax = 10_000

export interface GrowthActions {
  /** The mirror has more partitions now, which are to be pumped. */
  grown: (row: MirrorRow) => Promise<void>
  failed: (row: MirrorRow, failure: MirrorFailure) => Promise<void>
}

/** Partitions that the source got are added here, before any of their data is read. */
export async function followPartitions(
  context: MirrorContext,
  runner: LinkRunner,
  mirrors: readonly MirrorRow[],
  actions: GrowthActions,
  signal: AbortSignal,
): Promise<TaskError[]> {
  if (mirrors.length === 0) return []
  const source = await runner.source()
  const there = await describeTopics(
    source,
    mirrors.map(({ sourceTopic }) => sourceTopic),
    { signal },
  )
  const here = await describeTopics(
    context.destination,
    mirrors.map(({ topic }) => topic),
    { signal },
  )
  const errors: TaskError[] = []
  for (const [index, row] of mirrors.entries()) {
    const theirs = there[index]?.value
    const ours = here[index]?.value
    // A topic that is gone or is another one is noticed by the pump, which is the one to say so.
    if (!theirs || !ours || theirs.topicId !== row.sourceTopicId || ours.topicId !== row.topicId) continue
    try {
      const counts = { source: theirs.partitions.length, here: ours.partitions.length }
      await follow(context, row, counts, actions)
    } catch (error) {
      errors.push(taskError(error, `Topic '${row.topic}'`))
    }
  }
  return errors
}

async function follow(
  context: MirrorContext,
  row: MirrorRow,
  counts: { source: number; here: number },
  actions: GrowthActions,
): Promise<void> {
  const known = row.partitions.length
  if (counts.source < known) return await actions.failed(row, fewer(row, counts.source))
  if (counts.here > counts.source) return await actions.failed(row, foreignPartitions(row, counts))
  if (counts.source === known) return
  if (counts.source > partitionsMax) return await actions.failed(row, tooMany(row, counts.source))
  if (counts.here < counts.source) {
    unwrap((await createPartitions(context.destination, [{ name: row.topic, partitions: counts.source }]))[0])
  }
  const grown = await context.book.change('add partitions to mirror', row.mirrorId, (before) => {
    const added = Array.from({ length: Math.max(0, counts.source - before.partitions.length) }, freshPartition)
    return added.length === 0 ? before : { ...before, partitions: [...before.partitions, ...added] }
  })
  if (grown) await actions.grown(grown)
}

function fewer({ topic, partitions }: MirrorRow, count: number): MirrorFailure {
  const message = `The source of '${topic}' has ${count} partitions now, it had ${partitions.length}`
  return failureText({ topicError: 'SOURCE_PARTITIONS_DECREASED', code: 'source-changed', message })
}

function foreignPartitions({ topic }: MirrorRow, counts: { source: number; here: number }): MirrorFailure {
  const message =
    `Somebody has added partitions to the mirror '${topic}': it has ${counts.here}, its source ${counts.source}. ` +
    'Delete the topic and mirror it anew, or fail it over'
  return failureText({ topicError: 'ILLEGAL_STATE', code: 'destination-changed', message })
}

function tooMany({ topic }: MirrorRow, count: number): MirrorFailure {
  const message = `The source of '${topic}' has ${count} partitions, at most ${partitionsMax} are taken over`
  return failureText({ topicError: 'ILLEGAL_STATE', code: 'too-large', message })
}
