import type { MirrorId } from '../base/ids.ts'

/**
 * How a Produce request of our own daemon tells the embedded broker that its batches are to be stored as they are, at
 * the offsets that they have, and for which mirror: in the place of a transactional id, since nothing else of a request
 * is free. A topic that is another mirror's by now, or nobody's, refuses them.
 */
const prefix = 'linkspan-mirror:'

export function rawAppendId(mirrorId: MirrorId): string {
  return `${prefix}${mirrorId}`
}

/** Undefined for a request that is no raw append. */
export function mirrorOfRawAppend(transactionalId: string | null): MirrorId | undefined {
  return transactionalId?.startsWith(prefix) ? transactionalId.slice(prefix.length) : undefined
}

/** The topic config by which the embedded broker knows whose mirror a topic is. */
export const mirrorConfigKey = 'linkspan.mirror.id'
