import {
  attributes,
  codec,
  codecs,
  controlBit,
  lastOffsetDelta,
  logAppendTimeBit,
  magic,
  recordCount,
  transactionalBit,
} from './header.ts'

/**
 * Why a batch is not plain, that is: why it cannot pass with nothing but its header rewritten and be exact. A *delete
 * horizon* is no reason: its bit is cleared and the base timestamp kept, since the cleaner has made the records'
 * timestamps relative to it; the destination's cleaner sets a horizon of its own later.
 */
export const unplainReasons = {
  'old-format': 'The batch has the message format 0 or 1, which no broker takes from a client any more.',
  'unknown-codec': 'The batch is compressed with a codec that does not exist in Kafka.',
  empty: 'The cleaner has removed all records of the batch; brokers take no empty batch.',
  hole: 'The cleaner has removed records from the batch; brokers take no batch with missing offsets.',
  control: 'The batch is a marker, which only a transaction coordinator may write.',
  'log-append-time': 'The records carry the time at which the source appended them, which a client cannot set.',
  transactional: 'The batch belongs to a transaction, whose outcome has to be mirrored with it.',
} as const satisfies Record<string, string>

export type UnplainReason = keyof typeof unplainReasons

/**
 * The reason why a whole batch is not plain, or undefined. What concerns the shape comes before what concerns the
 * transaction: `control` means a marker that is really there (one that the cleaner emptied is `empty`), and
 * `transactional` means that nothing else is in the way.
 */
export function judgeBatch(bytes: Buffer, at: number): UnplainReason | undefined {
  if (magic(bytes, at) !== 2) return 'old-format'
  if (codec(bytes, at) >= codecs.length) return 'unknown-codec'
  const count = recordCount(bytes, at)
  if (count === 0) return 'empty'
  if (count !== lastOffsetDelta(bytes, at) + 1) return 'hole'
  const flags = attributes(bytes, at)
  if ((flags & controlBit) !== 0) return 'control'
  if ((flags & logAppendTimeBit) !== 0) return 'log-append-time'
  if ((flags & transactionalBit) !== 0) return 'transactional'
  return undefined
}
