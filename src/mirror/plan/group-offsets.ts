import { type NameFilter, nameSelected } from '../../contract/filters.ts'

/** A consumer group of the source, as listed there. */
export interface SourceGroup {
  group: string
  type: string
  protocolType: string
}

export interface PlainOffset {
  topic: string
  partition: number
  offset: number
  metadata: string | null
}

/** Where consumers may stand at the destination: from the log start to the high watermark, both included. */
export interface Bounds {
  logStart: number
  highWatermark: number
}

export interface GroupCommitPlan {
  group: string
  offsets: PlainOffset[]
}

/** Only groups of plain consumers: workers of Connect have their own cluster, share groups no offsets of this kind. */
const syncedTypes: ReadonlySet<string> = new Set(['classic', 'consumer'])
const syncedProtocols: ReadonlySet<string> = new Set(['', 'consumer'])
const ownPrefix = 'linkspan-'

/** Whose offsets are copied: selected by a filter, excluded by none, and not ours. */
export function selectGroups(groups: readonly SourceGroup[], filters: readonly NameFilter[]): string[] {
  return groups
    .filter(({ type, protocolType }) => syncedTypes.has(type) && syncedProtocols.has(protocolType))
    .map(({ group }) => group)
    .filter((group) => !group.startsWith(ownPrefix) && nameSelected(filters, group))
}

/** Where a consumer that stands at `offset` at the source can stand here now. */
export function clampOffset(offset: number, { logStart, highWatermark }: Bounds): number {
  return Math.max(logStart, Math.min(offset, highWatermark))
}

export interface GroupOffsetsFacts {
  /** As called here. */
  group: string
  /** Committed at the source, topics already named as here. */
  source: readonly PlainOffset[]
  /** Committed here. */
  destination: readonly PlainOffset[]
  /** By `topic\npartition`; what is missing is not ours to write. */
  bounds: ReadonlyMap<string, Bounds>
}

/** What to commit so that the group stands here where it stands at the source, as far as the data has come. */
export function planGroupCommit(facts: GroupOffsetsFacts): GroupCommitPlan {
  const here = new Map(facts.destination.map((one) => [boundsKey(one.topic, one.partition), one]))
  const offsets = facts.source.flatMap((one) => {
    const key = boundsKey(one.topic, one.partition)
    const bounds = facts.bounds.get(key)
    if (!bounds) return []
    const offset = clampOffset(one.offset, bounds)
    const known = here.get(key)
    if (known && known.offset === offset && (known.metadata ?? '') === (one.metadata ?? '')) return []
    return [{ ...one, offset }]
  })
  return { group: facts.group, offsets }
}

/** Of groups that we wrote: what stands beyond the end of a log that will not grow by us any more. */
export function planClamp(committed: readonly PlainOffset[], bounds: ReadonlyMap<string, Bounds>): PlainOffset[] {
  return committed.flatMap((one) => {
    const found = bounds.get(boundsKey(one.topic, one.partition))
    if (!found || one.offset <= found.highWatermark) return []
    return [{ ...one, offset: found.highWatermark }]
  })
}

export function boundsKey(topic: string, partition: number): string {
  return `${topic}\n${partition}`
}
