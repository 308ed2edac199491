import { explainError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { RowChange } from '../../store/row-log.ts'
import { type CommittedChange, changesOf } from '../../store/rows.ts'
import type { Store } from '../../store/store.ts'
import type { KafkaErrorName } from '../../wire/errors.ts'
import type { GroupLimits } from './limits.ts'
import { type OffsetRow, offsetKey, offsetTable } from './rows.ts'
import type { CommitPartition, CommittedOffset, GroupTopicPartition } from './types.ts'

/** Where one group's offset of one partition is kept. */
export interface OffsetSlot extends GroupTopicPartition {
  readonly group: string
  /** Of its row. */
  readonly key: string
  /** What survives power loss; undefined while nothing was committed, or not for certain yet. */
  durable: OffsetRow | undefined
  /** Commits that are not durable yet. */
  pending: number
  /** What it was counted with. */
  characters: number
}

/** Deletions of one commit to the store: the thread is held by one at a time. */
const removalsMax = 1000

/**
 * All committed offsets, as far as they are durable: what is read here was read before by nobody who could lose it.
 * The store holds the rows; here they are found by group and partition.
 */
export class Offsets implements Disposable {
  readonly #store: Store
  readonly #log: Log
  readonly #limits: GroupLimits
  readonly #groups = new Map<string, Map<string, OffsetSlot>>()
  readonly #stopListening: () => void
  #count = 0
  #characters = 0
  #refused = false

  constructor(options: { store: Store; log: Log; limits: GroupLimits }) {
    this.#store = options.store
    this.#log = options.log
    this.#limits = options.limits
    for (const { row } of this.#store.rows.list(offsetTable)) this.#settle(row, row)
    this.#stopListening = this.#store.onCommitted((changes) => this.#onCommitted(changes))
  }

  /** Groups that have offsets. */
  groups(): Iterable<string> {
    return this.#groups.keys()
  }

  has(group: string): boolean {
    return this.#groups.has(group)
  }

  get(group: string, at: GroupTopicPartition): CommittedOffset | undefined {
    return this.#groups.get(group)?.get(placeOf(at))?.durable
  }

  slots(group: string): Iterable<OffsetSlot> {
    return this.#groups.get(group)?.values() ?? []
  }

  /** One error for each partition; resolves once all that were taken are durable, or could not be made so. */
  async commit(group: string, partitions: readonly CommitPartition[], times: CommitTimes): Promise<KafkaErrorName[]> {
    const places = partitions.map((partition) => this.#reserve(group, partition))
    const taken = places.filter((slot) => slot !== undefined)
    const stored = taken.length === 0 || (await this.#write(group, partitions, places, times))
    for (const slot of taken) this.#release(slot)
    return places.map((slot) => {
      if (!slot) return 'INVALID_COMMIT_OFFSET_SIZE'
      return stored ? 'NONE' : 'COORDINATOR_NOT_AVAILABLE'
    })
  }

  /** What takes away everything that a group has committed, or has under way. */
  removalsOf(group: string): RowChange[] {
    return [...this.slots(group)].map(({ key }) => offsetTable.remove(key))
  }

  /** Throws what the store throws. */
  async remove(slots: readonly OffsetSlot[]): Promise<void> {
    await this.#removeEach(slots, () => true)
  }

  /** Takes away those that were judged, unless a newer commit has come meanwhile. Throws what the store throws. */
  async expire(judged: readonly OffsetSlot[]): Promise<void> {
    const rows = new Map(judged.map((slot) => [slot, slot.durable]))
    await this.#removeEach(judged, (slot) => slot.pending === 0 && slot.durable === rows.get(slot))
  }

  of(matching: (slot: OffsetSlot) => boolean): OffsetSlot[] {
    return [...this.#groups.values()].flatMap((slots) => [...slots.values()].filter(matching))
  }

  [Symbol.dispose](): void {
    this.#stopListening()
  }

  async #removeEach(slots: readonly OffsetSlot[], still: (slot: OffsetSlot) => boolean): Promise<void> {
    for (let start = 0; start < slots.length; start += removalsMax) {
      const part = slots.slice(start, start + removalsMax)
      await this.#store.execute('offsets.remove', () => {
        return { changes: part.filter(still).map(({ key }) => offsetTable.remove(key)), result: undefined }
      })
    }
  }

  async #write(
    group: string,
    partitions: readonly CommitPartition[],
    slots: readonly (OffsetSlot | undefined)[],
    times: CommitTimes,
  ): Promise<boolean> {
    try {
      await this.#store.execute('offsets.commit', () => {
        const changes = partitions.flatMap((partition, index) => {
          const slot = slots[index]
          return slot ? [offsetTable.put(slot.key, rowOf(group, partition, times))] : []
        })
        return { changes, result: undefined }
      })
      return true
    } catch (error) {
      // The store has told of it already, once for all that failed together.
      this.#log.debug({ group, reason: explainError(error) }, 'Committed offsets could not be stored')
      return false
    }
  }

  /** Counts what is to come; undefined when it is more than is kept. */
  #reserve(group: string, partition: CommitPartition): OffsetSlot | undefined {
    const known = this.#groups.get(group)?.get(placeOf(partition))
    const characters = charactersOf(group, partition)
    const more = Math.max(0, characters - (known?.characters ?? 0))
    const { offsetsMax, offsetCharactersMax } = this.#limits
    const fits = this.#characters + more <= offsetCharactersMax && (known || this.#count < offsetsMax)
    if (!fits) return this.#refuse(group)
    const slot = known ?? this.#createSlot(group, partition)
    slot.pending += 1
    this.#recount(slot, slot.characters + more)
    return slot
  }

  /** Told once until there is room again: whoever commits too much does so often. */
  #refuse(group: string): undefined {
    if (!this.#refused) this.#log.warn({ group, offsets: this.#count }, 'No room for more committed offsets')
    this.#refused = true
  }

  #release(slot: OffsetSlot): void {
    slot.pending -= 1
    this.#dropIfUnused(slot)
    if (slot.pending === 0 && slot.durable) this.#recount(slot, charactersOf(slot.group, slot.durable))
  }

  #onCommitted(changes: readonly CommittedChange[]): void {
    for (const { before, after } of changesOf(offsetTable, changes)) this.#settle((after ?? before)!, after)
  }

  #settle(at: OffsetRow, durable: OffsetRow | undefined): void {
    const slot = this.#groups.get(at.group)?.get(placeOf(at)) ?? this.#createSlot(at.group, at)
    slot.durable = durable
    this.#dropIfUnused(slot)
    if (slot.pending === 0 && durable) this.#recount(slot, charactersOf(at.group, durable))
  }

  #createSlot(group: string, { topic, partition }: GroupTopicPartition): OffsetSlot {
    const at = { topic, partition }
    const slot = { ...at, group, key: offsetKey(group, at), durable: undefined, pending: 0, characters: 0 }
    const slots = this.#groups.get(group) ?? new Map<string, OffsetSlot>()
    this.#groups.set(group, slots)
    slots.set(placeOf(at), slot)
    this.#count += 1
    return slot
  }

  #dropIfUnused(slot: OffsetSlot): void {
    const slots = this.#groups.get(slot.group)
    if (slot.durable || slot.pending > 0 || slots?.get(placeOf(slot)) !== slot) return
    slots.delete(placeOf(slot))
    if (slots.size === 0) this.#groups.delete(slot.group)
    this.#count -= 1
    this.#recount(slot, 0)
    this.#refused = false
  }

  #recount(slot: OffsetSlot, characters: number): void {
    this.#characters += characters - slot.characters
    slot.characters = characters
  }
}

export interface CommitTimes {
  commitTimestampMs: number
  expireTimestampMs: number | null
}

function rowOf(group: string, partition: CommitPartition, times: CommitTimes): OffsetRow {
  const { topic, offset, leaderEpoch, metadata } = partition
  return { group, topic, partition: partition.partition, offset, leaderEpoch, metadata, ...times }
}

function placeOf({ topic, partition }: GroupTopicPartition): string {
  return `${partition}/${topic}`
}

function charactersOf(group: string, { topic, metadata }: { topic: string; metadata: string }): number {
  return group.length + topic.length + metadata.length
}
