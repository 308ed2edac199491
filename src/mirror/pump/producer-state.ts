import { sequenceAfter, sequenceCount, sequenceOf } from '../../records/producer-id.ts'
import type { ActiveProducer } from './asks.ts'
import type { PumpPartition } from './partition.ts'
import type { StopReason } from './protocol.ts'
import { stopReason } from './reasons.ts'

/**
 * Whether what the destination's leader remembers of our producer fits a log that ends at `logEnd`; the reason to stop
 * when it does not. A forgotten producer proves nothing either way: brokers forget those of old data, and of emptied
 * logs. Other producers are no proof of a foreign write: they may be older than the mirror.
 */
export function judgeProducer(
  producers: readonly ActiveProducer[],
  partition: PumpPartition,
  logEnd: number,
): StopReason | undefined {
  const ours = producers.find((one) => one.producerId === partition.producerId)
  if (!ours) return undefined
  const details = { producerId: String(ours.producerId), lastSequence: ours.lastSequence, epoch: ours.producerEpoch }
  if (ours.producerEpoch > 0 || ours.currentTxnStartOffset >= 0) {
    const text = 'Somebody else writes as the producer of this mirror (a newer epoch or a transaction): find and end it'
    return stopReason('fenced', text, logEnd, details)
  }
  if (ours.lastSequence < 0 || sequenceAfter(ours.lastSequence, 1) === sequenceOf(logEnd)) return undefined
  const ownEnd = ownEndBefore(ours.lastSequence, logEnd)
  const others = foreignIds(producers, partition)
  const text =
    `Somebody else wrote to the mirror: its log ends at offset ${logEnd}, but our own writing ended at ${ownEnd}. ` +
    `${others.length > 0 ? `Other producers there: ${others.join(', ')}. ` : ''}` +
    'Take the right to write from them, then rebuild the partition'
  return stopReason('foreign-write', text, ownEnd, { ...details, logEnd, foreignProducerIds: others })
}

/** Ids of other producers that the leader remembers, as text: they are 64 bits wide. */
export function foreignIds(producers: readonly ActiveProducer[], partition: PumpPartition): string[] {
  return producers
    .filter((one) => one.producerId !== partition.producerId)
    .map((one) => String(one.producerId))
    .slice(0, 16)
}

/** The highest end at or below `logEnd` that a log with this last sequence of ours can have. */
function ownEndBefore(lastSequence: number, logEnd: number): number {
  const next = sequenceAfter(lastSequence, 1)
  const wraps = Math.floor((logEnd - next) / sequenceCount)
  return wraps < 0 ? next : next + wraps * sequenceCount
}
