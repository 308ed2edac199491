import { baseOffset, baseSequence, lastOffset, producerId } from '../../records/header.ts'
import { sequenceOf } from '../../records/producer-id.ts'
import { askLogEnd, askProducers, peekBatch } from './asks.ts'
import type { PumpPartition } from './partition.ts'
import { foreignIds } from './producer-state.ts'
import type { StopReason } from './protocol.ts'
import { stopReason } from './reasons.ts'
import type { PumpSettings } from './settings.ts'
import type { Side } from './side.ts'

const investigateMs = 2000

/**
 * Finds out who wrote at `offset`, where our next batch belonged: the producer of the batch that stands there, else
 * those that the leader remembers. The answer says as much as could be learnt in a short time. `found`: where the
 * leader put ours.
 */
export async function investigate(
  partition: PumpPartition,
  context: { destination: Side; settings: PumpSettings; offset: number; found: number | undefined },
): Promise<StopReason> {
  const { destination, settings, offset, found } = context
  const { topic, topicId, partition: index } = partition.start
  const facts: Record<string, unknown> = { offset, ...(found === undefined ? {} : { found }) }
  const leader = destination.leader(topic, index)
  const signal = AbortSignal.timeout(investigateMs)
  const part = { topic, topicId, partition: index }
  let writer: string | undefined
  try {
    if (leader) {
      const end = await askLogEnd(destination, leader, part, signal)
      if (end.code === 0) facts.logEnd = end.offset
      const producers = await askProducers(destination, leader, part, signal)
      if (producers) facts.foreignProducerIds = foreignIds(producers, partition)
      const at = { offset, lastFetchedEpoch: -1, batchBytesMax: settings.batchBytesMax }
      const { batch } = await peekBatch(destination, leader, part, at, signal)
      if (batch) {
        writer = String(producerId(batch.bytes, batch.at))
        facts.producerId = writer
        facts.firstOffset = baseOffset(batch.bytes, batch.at)
        facts.lastOffset = lastOffset(batch.bytes, batch.at)
        facts.own = isOwn(partition, batch)
      }
    }
  } catch {
    // What is known so far has to do: the partition has stopped already, and says so now.
  }
  const [remembered] = (facts.foreignProducerIds ?? []) as string[]
  return stopReason(
    'foreign-write',
    describe(topic, index, offset, describeWriter(partition, writer, remembered)),
    offset,
    {
      ...facts,
      producerId: writer ?? remembered,
    },
  )
}

/** An append of ours that came late, and where it belongs. */
function isOwn(partition: PumpPartition, { bytes, at }: { bytes: Buffer; at: number }): boolean {
  const inPlace = baseSequence(bytes, at) === sequenceOf(baseOffset(bytes, at))
  return inPlace && producerId(bytes, at) === partition.producerId
}

function describeWriter(partition: PumpPartition, writer: string | undefined, remembered: string | undefined): string {
  if (writer === String(partition.producerId)) return 'a late copy of an append of our own'
  if (writer === '-1') return 'a producer without id'
  const id = writer ?? remembered
  return id === undefined ? 'an unknown producer' : `producer id ${id}`
}

function describe(topic: string, index: number, offset: number, who: string): string {
  return (
    `Somebody else wrote to the mirror ${topic}-${index} at offset ${offset} (${who}): its offsets are no longer the ` +
    "source's from there on. Take the right to write from them, then rebuild the partition"
  )
}
