import type { RowChange, StoredRow } from './row-log.ts'
import { decodeEntry, type Entry, type Table } from './table.ts'

/** What commands and readers see: today's rows, typed by their table. Rows are frozen. */
export interface RowsView {
  get<Row extends object>(table: Table<Row>, key: string): Row | undefined
  has(table: Table<object>, key: string): boolean
  /** In the order of their keys. */
  list<Row extends object>(table: Table<Row>): { key: string; row: Row }[]
  count(table: Table<object>): number
}

/** One row before and after; a missing entry means that there was, or is, none. */
export interface CommittedChange {
  readonly kind: string
  readonly key: string
  readonly before: Entry | undefined
  readonly after: Entry | undefined
}

export interface TypedChange<Row> {
  key: string
  before: Row | undefined
  after: Row | undefined
}

/** The changes that are about one table's rows. */
export function changesOf<Row extends object>(
  table: Table<Row>,
  changes: readonly CommittedChange[],
): TypedChange<Row>[] {
  const read = (entry: Entry | undefined) => (entry === undefined ? undefined : table.read(entry))
  return changes
    .filter(({ kind }) => kind === table.kind)
    .map(({ key, before, after }) => ({ key, before: read(before), after: read(after) }))
}

/** All rows in memory. */
export class Rows implements RowsView {
  readonly #kinds = new Map<string, Map<string, Entry>>()

  constructor(stored: readonly StoredRow[]) {
    for (const { kind, key, value } of stored) this.#set(kind, key, decodeEntry(kind, key, value))
  }

  get<Row extends object>(table: Table<Row>, key: string): Row | undefined {
    const entry = this.#kinds.get(table.kind)?.get(key)
    return entry === undefined ? undefined : table.read(entry)
  }

  has(table: Table<object>, key: string): boolean {
    return this.#kinds.get(table.kind)?.has(key) ?? false
  }

  list<Row extends object>(table: Table<Row>): { key: string; row: Row }[] {
    const entries = [...(this.#kinds.get(table.kind)?.values() ?? [])]
    return entries.sort(byKindAndKey).map((entry) => ({ key: entry.key, row: table.read(entry) }))
  }

  count(table: Table<object>): number {
    return this.#kinds.get(table.kind)?.size ?? 0
  }

  /** The stored rows, sorted: equal dumps mean equal states. */
  dump(): StoredRow[] {
    const entries = [...this.#kinds.values()].flatMap((kind) => [...kind.values()])
    return entries.sort(byKindAndKey).map(({ kind, key, text }) => ({ kind, key, value: text }))
  }

  /** Applies a batch in order; what it returns undoes it. Changes that change nothing are left out. */
  apply(changes: readonly RowChange[]): CommittedChange[] {
    const decoded = changes.map(({ kind, key, value }) => {
      return { kind, key, after: value === null ? undefined : decodeEntry(kind, key, value) }
    })
    const applied = decoded.map(({ kind, key, after }) => {
      const before = this.#kinds.get(kind)?.get(key)
      if (before?.text !== after?.text) this.#set(kind, key, after)
      return { kind, key, before, after }
    })
    return applied.filter(({ before, after }) => before?.text !== after?.text)
  }

  undo(changes: readonly CommittedChange[]): void {
    for (const { kind, key, before } of changes.toReversed()) this.#set(kind, key, before)
  }

  /** Becomes what is stored; returns what that changed. */
  replace(stored: readonly StoredRow[]): CommittedChange[] {
    const there = new Rows(stored)
    const puts: RowChange[] = stored.map(({ kind, key, value }) => ({ kind, key, value }))
    const gone = this.dump().filter(({ kind, key }) => !there.#kinds.get(kind)?.has(key))
    return this.apply([...gone.map(({ kind, key }) => ({ kind, key, value: null })), ...puts])
  }

  #set(kind: string, key: string, entry: Entry | undefined): void {
    const entries = this.#kinds.get(kind) ?? new Map<string, Entry>()
    if (entry === undefined) entries.delete(key)
    else entries.set(key, entry)
    if (entries.size === 0) this.#kinds.delete(kind)
    else this.#kinds.set(kind, entries)
  }
}

/** By code units, as every back end can: not by anybody's language. */
function byKindAndKey(one: { kind: string; key: string }, other: { kind: string; key: string }): number {
  if (one.kind !== other.kind) return one.kind < other.kind ? -1 : 1
  if (one.key === other.key) return 0
  return one.key < other.key ? -1 : 1
}
