import { describeTopicConfigs } from '../../kafka/admin/configs.ts'
import type { MirrorContext } from '../context.ts'
import { includedKeys } from '../creation.ts'
import type { LinkRunner } from '../link-runner.ts'
import { type ConfigPlanFacts, followedConfigs, mirrorConfigs } from '../plan/topic-config.ts'
import type { MirrorRow } from '../rows.ts'
import { applyConfigs } from '../topic-making.ts'
import { type TaskError, taskError } from './task-error.ts'

const topicsAtOnce = 200

/** One round of `topic.config.sync`: what the source says is kept, and the mirror has what follows from it. */
export async function syncTopicConfigs(
  context: MirrorContext,
  runner: LinkRunner,
  mirrors: readonly MirrorRow[],
  signal: AbortSignal,
): Promise<TaskError[]> {
  if (mirrors.length === 0) return []
  const errors: TaskError[] = []
  const source = await runner.source()
  for (let first = 0; first < mirrors.length; first += topicsAtOnce) {
    const part = mirrors.slice(first, first + topicsAtOnce)
    const theirs = await describeTopicConfigs(
      source,
      part.map(({ sourceTopic }) => sourceTopic),
      { signal },
    )
    const ours = await describeTopicConfigs(
      context.destination,
      part.map(({ topic }) => topic),
      { signal },
    )
    for (const [index, row] of part.entries()) {
      const there = theirs[index]!
      const here = ours[index]!
      const failure = there.error ?? here.error
      if (failure) {
        errors.push(taskError(failure, `Topic '${row.topic}'`))
        continue
      }
      const { followed, skipped } = followedConfigs(there.value!, includedKeys(runner.config))
      for (const { name } of skipped) errors.push(valueRefused(row, name))
      try {
        const kept = await keep(context, row, followed)
        if (kept) await applyConfigs(context.destination, row.topic, ...mirrorPlan(context, runner, kept), here.value)
      } catch (error) {
        errors.push(taskError(error, `Topic '${row.topic}'`))
      }
    }
  }
  return errors
}

/** What a mirror's topic shall have, and by which facts. */
export function mirrorPlan(
  context: MirrorContext,
  runner: LinkRunner,
  row: MirrorRow,
): [wanted: Record<string, string>, facts: ConfigPlanFacts] {
  const facts = planFacts(context, includedKeys(runner.config), row)
  return [mirrorConfigs(facts), facts]
}

export function planFacts(context: MirrorContext, include: readonly string[], row: MirrorRow): ConfigPlanFacts {
  const replicas = context.destination.cache.topic(row.topic)?.partitions[0]?.replicas.length
  const replicationFactor = replicas ?? row.replicationFactor ?? undefined
  return { source: row.sourceConfigs, local: row.localConfigs, replicationFactor, include }
}

/** So that a failover can restore them with the source dead. */
async function keep(
  { book }: MirrorContext,
  row: MirrorRow,
  followed: Record<string, string>,
): Promise<MirrorRow | undefined> {
  return await book.change('keep source configs', row.mirrorId, (before) => {
    const same = JSON.stringify(sorted(before.sourceConfigs)) === JSON.stringify(sorted(followed))
    return same ? before : { ...before, sourceConfigs: followed }
  })
}

function sorted(configs: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(configs).sort(([one], [other]) => (one < other ? -1 : 1))
}

function valueRefused({ topic }: MirrorRow, name: string): TaskError {
  const message = `Topic '${topic}': the source's value of "${name}" is outside of what a mirror takes over`
  return { code: 'POLICY_VIOLATION_ERROR', message }
}
