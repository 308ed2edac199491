import type { LogConfig } from './types.ts'

export interface SegmentAge {
  baseOffset: number
  sizeBytes: number
  /** Of its records; of its last write when they have none. */
  timestampMs: number
}

/**
 * How many of the oldest segments have to go (`UnifiedLog.deleteOldSegments`). By size never the one that takes the
 * appends; by age also that one, which has to be rolled first.
 */
export function segmentsToDrop(
  segments: readonly SegmentAge[],
  config: Pick<LogConfig, 'retentionMs' | 'retentionBytes'>,
  nowMs: number,
): number {
  return Math.max(tooOld(segments, config.retentionMs, nowMs), tooMany(segments, config.retentionBytes))
}

function tooOld(segments: readonly SegmentAge[], retentionMs: number, nowMs: number): number {
  if (retentionMs < 0) return 0
  const kept = segments.findIndex(({ sizeBytes, timestampMs }) => sizeBytes === 0 || nowMs - timestampMs <= retentionMs)
  return kept === -1 ? segments.length : kept
}

function tooMany(segments: readonly SegmentAge[], retentionBytes: number): number {
  if (retentionBytes < 0) return 0
  let excessBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) - retentionBytes
  let count = 0
  for (const { sizeBytes } of segments.slice(0, -1)) {
    excessBytes -= sizeBytes
    if (excessBytes < 0) break
    count += 1
  }
  return count
}
