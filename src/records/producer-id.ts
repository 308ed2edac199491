import { createHash } from 'node:crypto'
import type { MirrorId } from '../base/ids.ts'

/** Brokers count sequences modulo this, so an offset maps onto a sequence without any state. */
export const sequenceCount = 2 ** 31

const idBase = 2n ** 62n

/**
 * The producer that appends the plain data of one partition of a mirror: 2^62 plus the low 62 bits of the first eight
 * bytes (big-endian) of the SHA-256 of the UTF-8 text `<mirror id>:<partition>`, mirror id in lower case with dashes,
 * partition in decimal. Brokers hand out ids from 0 up and never get there; whoever owns the partition next finds the
 * same id without asking anyone.
 */
export function dataProducerId(mirrorId: MirrorId, partition: number): bigint {
  return idOf(`${mirrorId}:${partition}`)
}

/**
 * Faithful mode with own markers: one producer per producer of the source, as `dataProducerId` but of
 * `<mirror id>:<partition>:<source producer id>`, the latter in decimal.
 */
export function faithfulProducerId(mirrorId: MirrorId, partition: number, sourceProducerId: bigint): bigint {
  return idOf(`${mirrorId}:${partition}:${sourceProducerId}`)
}

/** The sequence of the record at `offset` while every offset below it is data of the one producer. */
export function sequenceOf(offset: number): number {
  return offset % sequenceCount
}

/** The sequence `records` after `sequence`; after −1 (nothing written yet) comes 0, after 2^31 − 1 too. */
export function sequenceAfter(sequence: number, records: number): number {
  return (sequence + records) % sequenceCount
}

function idOf(text: string): bigint {
  const digest = createHash('sha256').update(text, 'utf8').digest()
  return idBase + BigInt.asUintN(62, digest.readBigUInt64BE(0))
}
