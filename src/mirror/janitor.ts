import { logEnd } from '../kafka/admin/offsets.ts'
import { deleteRecords, deleteTopics } from '../kafka/admin/topics.ts'
import { unwrap } from '../kafka/rounds.ts'
import { type MirrorContext, partitionsOf } from './context.ts'
import { claimTopic, isEmbedded, unclaimTopic } from './embedded.ts'
import type { ReadOnlyPlan } from './plan/read-only.ts'
import { protectTopic } from './protection.ts'
import type { MirrorRow } from './rows.ts'
import { planFacts } from './tasks/topic-configs.ts'
import { applyConfigs, findTopic, makeTopic } from './topic-making.ts'
import { removeAcls } from './write-rights.ts'

/**
 * Brings a mirror that is being made to its end: its topic is there, protected, and configured. What was done before a
 * crash is found, not done twice. Throws what Kafka refuses; then `abandonMirror` is what is left to do.
 */
export async function setUpMirror(context: MirrorContext, row: MirrorRow): Promise<MirrorRow | undefined> {
  const configs = row.intent?.kind === 'create' ? row.intent.configs : {}
  const made = row.topicId === null ? await makeMirrorTopic(context, row, configs) : row
  if (!made) return undefined
  const readOnly = await protectMirror(context, made)
  await beginLogs(context, made)
  if (row.adopted) {
    const facts = planFacts(context, Object.keys(row.sourceConfigs), row)
    await applyConfigs(context.destination, row.topic, configs, facts)
  }
  return await context.book.change('mirror set up', row.mirrorId, (before) => ({ ...before, readOnly, intent: null }))
}

async function makeMirrorTopic(
  { destination, book }: MirrorContext,
  row: MirrorRow,
  configs: Readonly<Record<string, string>>,
): Promise<MirrorRow | undefined> {
  const { topic, replicationFactor } = row
  const made = await makeTopic(destination, { topic, partitions: row.partitions.length, replicationFactor, configs })
  return await book.change('mirror topic made', row.mirrorId, (before) => ({ ...before, topicId: made.topicId }))
}

/** Empty logs begin where the source's do; one that has begun already is left alone. */
async function beginLogs({ destination }: MirrorContext, { topic, intent, partitions }: MirrorRow): Promise<void> {
  const logStarts = intent?.kind === 'create' ? (intent.logStarts ?? []) : []
  if (logStarts.length === 0) return
  const ends = await logEnd(destination, partitionsOf(topic, partitions.length))
  const wanted = logStarts.flatMap((offset, partition) => {
    return offset > 0 && unwrap(ends[partition]).offset === 0 ? [{ topic, partition, offset }] : []
  })
  for (const outcome of await deleteRecords(destination, wanted)) unwrap(outcome)
}

async function protectMirror(context: MirrorContext, row: MirrorRow): Promise<ReadOnlyPlan> {
  const { book, destination, destinationSpec, clock } = context
  if (isEmbedded(destinationSpec)) return await claimTopic(destination, row)
  // What an attempt before a crash may have left.
  await removeAcls(destination, row.readOnly.acls)
  const remember = async (acls: ReadOnlyPlan['acls']) => {
    await book.change('protect mirror', row.mirrorId, (before) => {
      return { ...before, readOnly: { ...before.readOnly, acls } }
    })
  }
  return await protectTopic(row.topic, { destination, destinationSpec, clock, remember })
}

/** Takes back what `setUpMirror` has done so far, and forgets the mirror. An adopted topic stays as it is. */
export async function abandonMirror(context: MirrorContext, row: MirrorRow): Promise<void> {
  const { book, destination } = context
  const newest = book.byId(row.mirrorId) ?? row
  await removeAcls(destination, newest.readOnly.acls)
  const found = newest.topicId === null ? undefined : await findTopic(destination, newest.topic)
  if (found?.topicId === newest.topicId && newest.topicId !== null) {
    if (newest.adopted && isEmbedded(context.destinationSpec)) await unclaimTopic(destination, newest)
    if (!newest.adopted) unwrap((await deleteTopics(destination, [newest.topic]))[0])
  }
  await book.remove(newest.mirrorId)
}

/** Deletes the topic of a mirror, and then the mirror. */
export async function deleteMirrorTopic(context: MirrorContext, row: MirrorRow): Promise<void> {
  const { book, destination } = context
  const found = await findTopic(destination, row.topic)
  if (found && (row.topicId === null || found.topicId === row.topicId)) {
    unwrap((await deleteTopics(destination, [row.topic]))[0])
  }
  await removeAcls(destination, row.readOnly.acls)
  await book.remove(row.mirrorId)
}
