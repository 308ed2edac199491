/** A row as it is stored: what it is about, its key among its kind, and its JSON text. */
export interface StoredRow {
  kind: string
  key: string
  value: string
}

/** One row's new text; null takes the row away. */
export interface RowChange {
  kind: string
  key: string
  value: string | null
}

/**
 * Where rows are kept. SQLite is one; a compacted topic can be another, so nothing here knows more than keyed rows and
 * atomic appends. There is one writer at a time.
 */
export interface RowLog extends AsyncDisposable {
  /** For messages: where the rows are, in words that an operator can act on. */
  readonly place: string
  /** All rows as they are stored now; also after a failed append, whose outcome it settles. */
  load(): Promise<StoredRow[]>
  /** All of the changes or none; resolves once they survive power loss. Throws `storage` or `corrupt`. */
  append(changes: readonly RowChange[]): Promise<void>
}
