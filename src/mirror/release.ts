import { describeTopicConfigs } from '../kafka/admin/configs.ts'
import { unwrap } from '../kafka/rounds.ts'
import type { MirrorContext } from './context.ts'
import { isEmbedded, unclaimTopic } from './embedded.ts'
import { ordinaryConfigs } from './plan/topic-config.ts'
import type { MirrorRow } from './rows.ts'
import { planFacts } from './tasks/topic-configs.ts'
import { applyConfigs, findTopic } from './topic-making.ts'
import { removeAcls } from './write-rights.ts'

/**
 * Makes a topic an ordinary one: the source's configs and its own, and none of our ACLs. May be repeated. A topic that
 * is gone needs nothing.
 */
export async function releaseTopic(context: MirrorContext, row: MirrorRow, include: readonly string[]): Promise<void> {
  const { destination } = context
  if (await findTopic(destination, row.topic)) {
    const facts = planFacts(context, include, row)
    const entries = unwrap((await describeTopicConfigs(destination, [row.topic]))[0])
    await applyConfigs(destination, row.topic, possibleHere(context, ordinaryConfigs(facts)), facts, entries)
    if (row.readOnly.mode === 'refused-by-broker') await unclaimTopic(destination, row)
  }
  await removeAcls(destination, row.readOnly.acls)
}

/** The embedded broker stores what producers compress, and never anew. */
function possibleHere({ destinationSpec }: MirrorContext, configs: Record<string, string>): Record<string, string> {
  if (!isEmbedded(destinationSpec)) return configs
  const { 'compression.type': _, ...possible } = configs
  return possible
}
