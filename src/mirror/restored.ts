import { LinkspanError } from '../base/errors.ts'
import { newMirrorId } from '../base/ids.ts'
import { logEnd } from '../kafka/admin/offsets.ts'
import { unwrap } from '../kafka/rounds.ts'
import type { RowChange } from '../store/row-log.ts'
import type { RowsView } from '../store/rows.ts'
import { type MirrorContext, partitionsOf } from './context.ts'
import { includedKeys } from './creation.ts'
import { isEmbedded } from './embedded.ts'
import { isLive } from './lifecycle.ts'
import type { LinkRunner } from './link-runner.ts'
import { mirrorConfigs } from './plan/topic-config.ts'
import { freshPartition, type MirrorRow, mirrorTable } from './rows.ts'
import { batchStarts, type Survey, surveySource } from './survey.ts'
import { findTopic } from './topic-making.ts'
import { provePrefix } from './verify/prefix.ts'

/**
 * What becomes of mirrors in a backup that is restored. Nobody knows what was written since: so each is another mirror
 * from now on, as after an adoption, and its topic is proven before anything is written to it.
 */
export function restoredMirrorChanges(rows: RowsView): RowChange[] {
  return rows.list(mirrorTable).flatMap(({ key, row }) => {
    if (!isLive(row.state) || row.intent?.kind === 'create') return []
    const mirror = restored(row)
    return [mirrorTable.remove(key), mirrorTable.put(mirror.mirrorId, mirror)]
  })
}

function restored(row: MirrorRow): MirrorRow {
  const { state } = row
  // A stop that was under way is for its operator to ask for again.
  const paused =
    state.name === 'PAUSED' || state.name === 'PENDING_STOPPED' || ('topicPaused' in state && state.topicPaused)
  const isFailed = state.name === 'FAILED'
  return {
    ...row,
    mirrorId: newMirrorId(),
    state: isFailed ? state : { name: 'PENDING_MIRROR' },
    partitions: row.partitions.map((partition) => ({ ...partition, quiet: false })),
    adopted: true,
    intent: { kind: 'restore', paused },
    stop: null,
  }
}

/**
 * Proves that the topic of a restored mirror is still the beginning of its source; then it is set up as any other. One
 * that is gone with the embedded broker's own files is made again from the source. Throws `difference`,
 * `source-changed`, `destination-changed`, and what Kafka answers.
 */
export async function takeUpMirror(context: MirrorContext, runner: LinkRunner, row: MirrorRow): Promise<void> {
  const { book, destination, destinationSpec } = context
  const { mirrorId, topic, sourceTopic } = row
  const present = await findTopic(destination, topic)
  const source = await runner.source()
  const survey = await surveySource(source, { topic: sourceTopic, startSpec: 'earliest', signal: context.stopping })
  checkSource(survey, row)
  if (!present && isEmbedded(destinationSpec)) {
    const again = await madeAgain(context, runner, row, survey)
    await book.change('restored mirror begun again', mirrorId, () => again)
    return
  }
  if (present?.topicId !== row.topicId) {
    const text = `Topic '${topic}' is ${present ? 'another one than' : 'not there as'} when the backup was made`
    throw new LinkspanError('destination-changed', `${text}: delete this mirror, and mirror the source anew`)
  }
  const ends = await logEnd(destination, partitionsOf(topic, present!.partitions.length))
  const copy = {
    source,
    sourceTopic,
    destination,
    topic,
    ends: ends.map((end) => unwrap(end).offset),
    log: context.log,
  }
  checkEnds(survey, copy)
  await provePrefix(copy, context.stopping)
  await book.change('restored mirror proven', mirrorId, (before) => ({
    ...before,
    intent: { kind: 'create', configs: {} },
  }))
}

function checkSource(survey: Survey, { sourceKafkaClusterId, sourceTopic, sourceTopicId }: MirrorRow): void {
  if (survey.kafkaClusterId === sourceKafkaClusterId && survey.topic.topicId === sourceTopicId) return
  const text = `The source topic '${sourceTopic}' is another one than when the backup was made`
  throw new LinkspanError('source-changed', `${text}: delete this mirror, and mirror the source anew`)
}

function checkEnds({ facts }: Survey, { topic, ends }: { topic: string; ends: readonly number[] }): void {
  for (const [partition, end] of ends.entries()) {
    const highWatermark = facts.partitions[partition]?.highWatermark ?? 0
    if (end <= highWatermark) continue
    const text =
      `Partition ${partition} of '${topic}' ends at offset ${end} here, but at ${highWatermark} at the source: ` +
      'it was written by others since the backup. Keep it as it is by a failover, or mirror the source anew'
    throw new LinkspanError('difference', text, { details: { partition, end, highWatermark } })
  }
}

async function madeAgain(
  context: MirrorContext,
  runner: LinkRunner,
  row: MirrorRow,
  survey: Survey,
): Promise<MirrorRow> {
  const source = await runner.source()
  const logStarts = await batchStarts(source, survey, context.stopping)
  const include = includedKeys(runner.config)
  const configs = mirrorConfigs({
    source: row.sourceConfigs,
    local: row.localConfigs,
    include,
    replicationFactor: undefined,
  })
  return {
    ...row,
    topicId: null,
    adopted: false,
    partitions: survey.topic.partitions.map(freshPartition),
    intent: { kind: 'create', configs, logStarts },
  }
}
