import { LinkspanError } from '../../base/errors.ts'

/** How files and folders of the logs are called: `docs/broker-log.md` shows the whole. */

export const checkpointName = 'checkpoint'
/** Files that are being written; worth nothing. */
export const checkpointDraftName = 'checkpoint.new'
export const snapshotDraftName = 'snapshot.new'

const offsetDigits = 20
const segmentFilePattern = /^(\d{20})\.(log|index|timeindex|txnindex)$/
const snapshotPattern = /^(\d{20})\.snapshot$/
const topicIdPattern = /^[A-Za-z0-9_-]{1,64}$/
const deletedSuffix = '.deleted'
const restartSuffix = '.restart'

export interface LogKey {
  topicId: string
  partition: number
}

export function logFolderName({ topicId, partition }: LogKey): string {
  if (!topicIdPattern.test(topicId) || !Number.isInteger(partition) || partition < 0) {
    throw new LinkspanError('invalid-request', `"${topicId}" and ${partition} name no partition`)
  }
  return `${topicId}-${partition}`
}

/** Undefined when the name is not that of a log's folder. */
export function parseLogFolderName(name: string): LogKey | undefined {
  const match = /^([A-Za-z0-9_-]{1,64})-(\d{1,10})$/.exec(name)
  return match ? { topicId: match[1]!, partition: Number(match[2]) } : undefined
}

/** What a deleted log is called until its files are gone; a new log of the same name may come and go meanwhile. */
export function deletedName(name: string): string {
  return `${name}.${crypto.randomUUID().slice(0, 8)}${deletedSuffix}`
}

export function isDeletedName(name: string): boolean {
  return name.endsWith(deletedSuffix)
}

/** Where a log that starts over is prepared. */
export function restartName(name: string): string {
  return name + restartSuffix
}

/** The log's own name, when `name` is where its restart is prepared. */
export function restartedName(name: string): string | undefined {
  return name.endsWith(restartSuffix) ? name.slice(0, -restartSuffix.length) : undefined
}

export const segmentFileKinds = ['log', 'index', 'timeindex', 'txnindex'] as const
export type SegmentFileKind = (typeof segmentFileKinds)[number]

export function segmentFileName(baseOffset: number, kind: SegmentFileKind): string {
  return `${padded(baseOffset)}.${kind}`
}

/** Base offset of the segment that a file belongs to. */
export function parseSegmentFileName(name: string): { baseOffset: number; kind: SegmentFileKind } | undefined {
  const match = segmentFilePattern.exec(name)
  const baseOffset = parseOffset(match)
  return baseOffset === undefined ? undefined : { baseOffset, kind: match![2] as SegmentFileKind }
}

export function snapshotName(offset: number): string {
  return `${padded(offset)}.snapshot`
}

export function parseSnapshotName(name: string): number | undefined {
  return parseOffset(snapshotPattern.exec(name))
}

function parseOffset(match: RegExpExecArray | null): number | undefined {
  const offset = Number(match?.[1] ?? Number.NaN)
  return Number.isSafeInteger(offset) ? offset : undefined
}

function padded(offset: number): string {
  return String(offset).padStart(offsetDigits, '0')
}
