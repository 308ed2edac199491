import type { MirrorId } from '../../base/ids.ts'
import { baseSequence, producerEpoch, producerId } from '../../records/header.ts'
import { judgeBatch } from '../../records/judge.ts'
import { faithfulProducerId, sequenceOf } from '../../records/producer-id.ts'
import { remapProducer, rewriteHeader } from '../../records/rewrite.ts'
import type { StopReason } from './protocol.ts'
import { unplainStop } from './reasons.ts'

/** What may pass to the destination, and as what. */
export interface Passing {
  /** Batches go to the offsets that they have: gaps are no obstacle, and late appends are refused by their offset. */
  readonly raw: boolean
  /** Why a batch cannot pass; undefined when it can. */
  obstacle(records: Buffer, at: number, offset: number): StopReason | undefined
  /** Makes the stored batch the one that is sent. */
  rewrite(records: Buffer, at: number, size: number, offset: number): void
}

/** Through a producer, as any client: plain data alone, by compare-and-append. */
export function producedBy(ownId: bigint): Passing {
  const fields = { producerId: ownId, producerEpoch: 0, baseSequence: 0 }
  return {
    raw: false,
    obstacle(records, at, offset) {
      const unplain = judgeBatch(records, at)
      return unplain && unplainStop(unplain, offset)
    },
    rewrite(records, at, size, offset) {
      fields.baseSequence = sequenceOf(offset)
      rewriteHeader(records, at, size, fields)
    },
  }
}

/** The source's producers are as many as it has; more at a time are mapped anew. */
const mappedMax = 10_000

/** As it is stored, to our embedded broker; only the source's producer ids do not get there. */
export function storedAs(mirrorId: MirrorId, partition: number): Passing {
  const mapped = new Map<bigint, bigint>()
  const mappedId = (sourceId: bigint) => {
    const known = mapped.get(sourceId)
    if (known !== undefined) return known
    if (mapped.size >= mappedMax) mapped.clear()
    const made = faithfulProducerId(mirrorId, partition, sourceId)
    mapped.set(sourceId, made)
    return made
  }
  return {
    raw: true,
    obstacle(records, at, offset) {
      const unplain = judgeBatch(records, at)
      return unplain === 'old-format' || unplain === 'unknown-codec' ? unplainStop(unplain, offset) : undefined
    },
    rewrite(records, at, size) {
      const sourceId = producerId(records, at)
      if (sourceId < 0n) return
      const [epoch, sequence] = [producerEpoch(records, at), baseSequence(records, at)]
      const fields = { producerId: mappedId(sourceId), producerEpoch: epoch, baseSequence: sequence }
      remapProducer(records, at, size, fields)
    },
  }
}
