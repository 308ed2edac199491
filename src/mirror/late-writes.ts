import { entityUrl } from '../contract/entities.ts'
import { describeProducers } from '../kafka/admin/producers.ts'
import { dataProducerId, sequenceOf } from '../records/producer-id.ts'
import { type MirrorContext, partitionsOf } from './context.ts'
import type { MirrorRow } from './rows.ts'

/** How long after a stop a write of ours is looked for. */
export const lateWriteWatchMs = 10 * 60_000

/** Topics that became ordinary a short while ago. */
export function watchedForLateWrites({ book, clock }: MirrorContext): MirrorRow[] {
  const nowMs = clock.wallMs()
  return book.list().filter(({ state, stateMs, stop }) => {
    return state.name === 'STOPPED' && stop !== null && stop.lateWrite === null && nowMs - stateMs < lateWriteWatchMs
  })
}

/** Looks for a batch of ours behind the end of a stopped mirror; what is found is told and kept. */
export async function findLateWrites(context: MirrorContext, row: MirrorRow): Promise<void> {
  const { destination, book, bus, log } = context
  const outcomes = await describeProducers(destination, partitionsOf(row.topic, row.partitions.length))
  for (const [partition, { value }] of outcomes.entries()) {
    const ours = value?.producers.find(({ producerId }) => producerId === dataProducerId(row.mirrorId, partition))
    const end = row.stop?.partitions[partition]?.end
    if (!ours || end === undefined || (end > 0 && ours.lastSequence === sequenceOf(end - 1))) continue
    const text =
      `A late write of the mirror reached partition ${partition} of '${row.topic}' after it had been stopped at ` +
      `offset ${end} (producer id ${ours.producerId}, last sequence ${ours.lastSequence})`
    await book.change('note late write', row.mirrorId, (before) => {
      return before.stop ? { ...before, stop: { ...before.stop, lateWrite: text } } : before
    })
    log.error({ topic: row.topic, partition }, text)
    bus.lifecycle({
      action: 'mirror-late-write',
      source: entityUrl({ type: 'topic', name: row.topic }),
      context: { partition, description: text },
    })
    return
  }
}
