import type { MirrorId } from '../base/ids.ts'
import type { stateCategories } from '../contract/kafka-v3.ts'
import type { MirrorState } from './lifecycle.ts'
import type { PartitionPhase, PartitionStats } from './pump/protocol.ts'
import type { MirrorRow } from './rows.ts'

/** Confluent's word for how one partition is doing. */
export type PartitionCategory = (typeof stateCategories)[number]

export interface PartitionLag {
  partition: number
  /** Records of the source that are not safe here yet; −1: not known. */
  lagRecords: number
  /** Age of the oldest of them, by our clock; 0 when there are none, −1 when it is not known. */
  lagMs: number
  /** The source's high watermark as last seen; −1: never. */
  sourceHighWatermark: number
  /** The destination's; −1: never seen. */
  end: number
  phase: PartitionPhase | 'stopped'
  category: PartitionCategory
  /** Passed since the pump was started. */
  bytes: number
  batches: number
  /** The latest obstacle that did not stop it. */
  trouble: string | null
}

/** The newest numbers of every partition that is pumped, as the pump last told them. */
export class LagBoard {
  readonly #stats = new Map<MirrorId, Map<number, PartitionStats>>()

  take(stats: readonly PartitionStats[]): void {
    for (const one of stats) {
      const known = this.#stats.get(one.mirrorId)
      if (known) known.set(one.partition, one)
      else this.#stats.set(one.mirrorId, new Map([[one.partition, one]]))
    }
  }

  stats(mirrorId: MirrorId, partition: number): PartitionStats | undefined {
    return this.#stats.get(mirrorId)?.get(partition)
  }

  forget(mirrorId: MirrorId): void {
    this.#stats.delete(mirrorId)
  }

  /** Dense from partition 0, ascending. */
  lagsOf(row: MirrorRow): PartitionLag[] {
    return row.partitions.map((_, partition) => this.#lagOf(row, partition))
  }

  #lagOf(row: MirrorRow, partition: number): PartitionLag {
    const stats = this.stats(row.mirrorId, partition)
    const kept = row.partitions[partition]!
    const stop = row.state.name === 'STOPPED' ? row.stop?.partitions[partition] : undefined
    const sourceHighWatermark =
      stop?.sourceHighWatermark ?? Math.max(stats?.sourceHighWatermark ?? -1, kept.sourceHighWatermark)
    const end = stop?.end ?? Math.max(stats?.confirmedEnd ?? -1, kept.end)
    const known = sourceHighWatermark >= 0 && end >= 0
    const phase = stats?.phase ?? 'stopped'
    return {
      partition,
      lagRecords: known ? Math.max(0, sourceHighWatermark - end) : -1,
      lagMs: stats?.lagRecords === undefined ? (known && end >= sourceHighWatermark ? 0 : -1) : Math.round(stats.lagMs),
      sourceHighWatermark,
      end,
      phase,
      category: categoryOf(row.state, phase),
      bytes: stats?.bytes ?? 0,
      batches: stats?.batches ?? 0,
      trouble: stats?.trouble?.message ?? null,
    }
  }
}

/** The one table from our states of mirror and partition to Confluent's categories of partitions. */
export function categoryOf(state: MirrorState, phase: PartitionPhase): PartitionCategory {
  switch (state.name) {
    case 'STOPPED':
      return 'NOT_APPLICABLE'
    case 'PAUSED':
    case 'LINK_PAUSED':
      return 'PAUSED'
    case 'FAILED':
    case 'LINK_FAILED':
    case 'SOURCE_UNAVAILABLE':
      return 'IN_ERROR'
    case 'PENDING_MIRROR':
    case 'PENDING_STOPPED':
      return 'PENDING'
    case 'ACTIVE':
      return runningCategories[phase]
  }
}

const runningCategories: Readonly<Record<PartitionPhase, PartitionCategory>> = {
  waiting: 'PENDING',
  opening: 'PENDING',
  draining: 'PENDING',
  alone: 'ACTIVE',
  flowing: 'ACTIVE',
  finishing: 'PENDING',
  stopped: 'PENDING',
}
