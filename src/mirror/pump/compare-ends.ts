import type { Leader } from '../../kafka/cluster-options.ts'
import { sameContent } from '../../records/content.ts'
import { type DecodedRecord, decodeBatch } from '../../records/decode.ts'
import { baseOffset, lastOffset, leaderEpoch, producerId } from '../../records/header.ts'
import { type PeekAnswer, peekBatch, type TopicPart } from './asks.ts'
import { type Obstacle, type OpenerContext, refused, truncated } from './opening.ts'
import { stopReason } from './reasons.ts'
import type { Side } from './side.ts'
import { fetchVerdict } from './verdicts.ts'

const decompressedBytesMax = 256 * 1024 * 1024

interface End {
  side: Side
  leader: Leader
  part: TopicPart
}

/**
 * Compares the last batch of the destination that a consumer may read with the source's at the same offset: the cheap
 * proof that both still tell the same story. Returns the source's leader epoch of that batch; −1 when there is nothing
 * to compare: an empty mirror, or a batch that one side has deleted already.
 */
export async function compareEnds(
  source: End,
  destination: End,
  logEnd: number,
  context: OpenerContext,
  signal: AbortSignal,
): Promise<{ kind: 'same'; epoch: number } | Obstacle> {
  const nothing = { kind: 'same', epoch: -1 } as const
  if (logEnd === 0) return nothing
  const { batchBytesMax } = context.settings
  const read = async (end: End, offset: number) => {
    return await peekBatch(end.side, end.leader, end.part, { offset, lastFetchedEpoch: -1, batchBytesMax }, signal)
  }
  let offset = logEnd - 1
  let ours = await read(destination, offset)
  if (ours.code === 0 && !ours.batch && ours.highWatermark > 0 && ours.highWatermark < logEnd) {
    offset = ours.highWatermark - 1
    ours = await read(destination, offset)
  }
  if (isGone(ours)) return nothing
  if (ours.code !== 0) return refused('The fetch', 'destination', ours.code, destination.part, offset)
  if (!ours.batch) return nothing
  const theirs = await read(source, offset)
  if (theirs.divergesAt >= 0) return { kind: 'stop', reason: truncated(source.part, logEnd, theirs.divergesAt) }
  if (isGone(theirs)) return nothing
  if (theirs.code !== 0) return refused('The fetch', 'source', theirs.code, source.part, offset)
  if (!theirs.batch) return nothing
  if (!sameAt(ours.batch, theirs.batch, offset)) return differs(destination.part, ours.batch, offset)
  return { kind: 'same', epoch: leaderEpoch(theirs.batch.bytes, theirs.batch.at) }
}

function isGone(peek: PeekAnswer): boolean {
  return fetchVerdict(peek.code).act === 'range'
}

type Batch = NonNullable<PeekAnswer['batch']>

/** Batches may be cut in different ways (an adopted copy): then the one record at `offset` decides. */
function sameAt(left: Batch, right: Batch, offset: number): boolean {
  const sameCut =
    baseOffset(left.bytes, left.at) === baseOffset(right.bytes, right.at) &&
    lastOffset(left.bytes, left.at) === lastOffset(right.bytes, right.at)
  if (sameCut && sameContent(left.bytes, left.at, right.bytes, right.at)) return true
  const ours = recordAt(left, offset)
  const theirs = recordAt(right, offset)
  return ours !== undefined && theirs !== undefined && sameRecord(ours, theirs)
}

function recordAt({ bytes, at }: Batch, offset: number): DecodedRecord | undefined {
  return decodeBatch(bytes, at, { decompressedBytesMax }).find((record) => record.offset === offset)
}

function sameRecord(left: DecodedRecord, right: DecodedRecord): boolean {
  if (left.timestampMs !== right.timestampMs || left.headers.length !== right.headers.length) return false
  if (!sameBytes(left.key, right.key) || !sameBytes(left.value, right.value)) return false
  return left.headers.every(([key, value], index) => {
    const other = right.headers[index]
    return other !== undefined && other[0] === key && sameBytes(other[1], value)
  })
}

function sameBytes(left: Uint8Array | null, right: Uint8Array | null): boolean {
  if (left === null || right === null) return left === right
  return Buffer.compare(left, right) === 0
}

function differs({ topic, partition }: TopicPart, { bytes, at }: Batch, offset: number): Obstacle {
  const writer = String(producerId(bytes, at))
  const text =
    `The mirror's record at offset ${offset} of ${topic}-${partition} is not the source's: somebody else wrote it ` +
    `(producer id ${writer}), or the source lost its tail. Rebuild the partition`
  return { kind: 'stop', reason: stopReason('destination-differs', text, offset, { producerId: writer }) }
}
