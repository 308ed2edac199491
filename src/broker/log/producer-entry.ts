/** Batches by which a resend is recognised: as many as clients have in flight at most. */
export const rememberedBatchesMax = 5

/** Sequences run from 0 to 2^31 − 1 and start over. */
const sequenceCount = 2 ** 31

export interface RememberedBatch {
  lastSequence: number
  lastOffset: number
  /** Offsets, and so sequences, of the batch less one. */
  offsetDelta: number
  timestampMs: number
}

/** What a partition knows of one producer: Kafka's `ProducerStateEntry`. */
export interface ProducerEntry {
  readonly producerId: bigint
  /** −1 before the first batch or marker. */
  epoch: number
  /** Oldest first, all of this epoch. */
  readonly batches: RememberedBatch[]
  lastTimestampMs: number
  /** Of the last marker; −1 before one. */
  coordinatorEpoch: number
  /** −1: none is open. */
  transactionStartOffset: number
}

export function newProducerEntry(producerId: bigint): ProducerEntry {
  return {
    producerId,
    epoch: -1,
    batches: [],
    lastTimestampMs: -1,
    coordinatorEpoch: -1,
    transactionStartOffset: -1,
  }
}

/** −1 when this epoch has had no batch. */
export function lastSequence(entry: ProducerEntry): number {
  return entry.batches.at(-1)?.lastSequence ?? -1
}

/** After the largest sequence comes 0. */
export function sequencePlus(sequence: number, count: number): number {
  return (sequence + count) % sequenceCount
}

/** The batch of this epoch that had exactly these sequences, if it is one of the last. */
export function findDuplicate(
  entry: ProducerEntry,
  epoch: number,
  first: number,
  last: number,
): RememberedBatch | undefined {
  if (epoch !== entry.epoch) return undefined
  return entry.batches.find((batch) => {
    return batch.lastSequence === last && sequencePlus(first, batch.offsetDelta) === last
  })
}

/** A new epoch starts with nothing remembered. */
export function setEpoch(entry: ProducerEntry, epoch: number): void {
  if (epoch === entry.epoch) return
  entry.batches.length = 0
  entry.epoch = epoch
}

export function addBatch(entry: ProducerEntry, epoch: number, batch: RememberedBatch): void {
  setEpoch(entry, epoch)
  if (entry.batches.length === rememberedBatchesMax) entry.batches.shift()
  entry.batches.push(batch)
  entry.lastTimestampMs = batch.timestampMs
}
