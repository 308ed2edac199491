import { deleteTopics } from '../kafka/admin/topics.ts'
import { unwrap } from '../kafka/rounds.ts'
import type { MirrorContext } from './context.ts'
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

async function protectMirror(context: MirrorContext, row: MirrorRow): Promise<ReadOnlyPlan> {
  const { book, destination, destinationSpec, clock } = context
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
  if (!newest.adopted && newest.topicId !== null) {
    const found = await findTopic(destination, newest.topic)
    if (found?.topicId === newest.topicId) unwrap((await deleteTopics(destination, [newest.topic]))[0])
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
