import { assert, LinkspanError } from '../base/errors.ts'
import type { RowChange } from './row-log.ts'

/** A kind of row. Whoever owns the meaning of the rows defines the table; the store knows no meaning. */
export interface Table<Row extends object> {
  readonly kind: string
  readonly version: number
  /** The change that stores `row`, as it is now, under `key`. */
  put(key: string, row: Row): RowChange
  /** The change that takes the row away, if it is there. */
  remove(key: string): RowChange
  /** A stored row in today's version. Throws `state-too-new`. */
  read(entry: Entry): Row
}

/** A row in memory. `text` is what is stored; `row` is frozen, and upgraded when it is first read. */
export interface Entry {
  readonly kind: string
  readonly key: string
  readonly text: string
  version: number
  row: object
}

/** Makes a row of the next versions from one of `version`, which is older than the table's. */
export type Upgrade<Row> = (row: Record<string, unknown>, version: number) => Row

const keyCharactersMax = 1024
/** A compacted topic takes no larger record by default. */
const rowCharactersMax = 900_000

/**
 * @param version Raise it when rows get another shape, and give `upgrade`: a row that was stored in an older version is
 *   upgraded whenever it is read, and stored in the new one when it is next changed.
 */
export function defineTable<Row extends object>(kind: string, version: number, upgrade?: Upgrade<Row>): Table<Row> {
  assert(/^[a-z][a-z0-9-]*$/.test(kind), `a kind of row is lower-case words, not "${kind}"`)
  assert(Number.isInteger(version) && version > 0, `versions of ${kind} count from 1`)
  assert(version === 1 || upgrade, `version ${version} of ${kind} needs an upgrade from those before`)
  return {
    kind,
    version,
    put: (key, row) => ({ kind, key: checkedKey(kind, key), value: encode(kind, key, version, row) }),
    remove: (key) => ({ kind, key: checkedKey(kind, key), value: null }),
    read(entry) {
      if (entry.version > version) throw rowTooNew(entry, version)
      if (entry.version < version) {
        entry.row = freeze(upgrade!(structuredClone(entry.row) as Record<string, unknown>, entry.version))
        entry.version = version
      }
      return entry.row as Row
    },
  }
}

/** Keys reach every back end as they are: whole characters, and none that ends a C string. */
function checkedKey(kind: string, key: string): string {
  const fits = key.length > 0 && key.length <= keyCharactersMax && key.isWellFormed() && !key.includes('\0')
  if (fits) return key
  const shown = JSON.stringify(key.slice(0, 100))
  const expected = `1 to ${keyCharactersMax} whole characters, none of them NUL`
  throw new LinkspanError('invalid-request', `${shown} cannot name a ${kind}: use ${expected}`)
}

function encode(kind: string, key: string, version: number, row: object): string {
  const text = JSON.stringify({ version, row })
  if (text.length <= rowCharactersMax) return text
  const problem = `The ${kind} "${key}" takes ${text.length} characters, of which ${rowCharactersMax} can be stored`
  throw new LinkspanError('too-large', `${problem}: make it smaller`)
}

/** The entry of a stored text. Throws `corrupt` when it is none. */
export function decodeEntry(kind: string, key: string, text: string): Entry {
  try {
    const { version, row } = JSON.parse(text) as { version?: unknown; row?: unknown }
    if (Number.isInteger(version) && typeof row === 'object' && row !== null) {
      return { kind, key, text, version: version as number, row: freeze(row) }
    }
  } catch {
    // Told below; the parser's message would quote the row, which may hold what no log should.
  }
  const problem = `The stored ${kind} "${key}" is damaged`
  throw new LinkspanError('corrupt', `${problem}: stop the daemon and restore the state directory from a backup`)
}

function rowTooNew(entry: Entry, version: number): LinkspanError {
  const { kind, key } = entry
  const problem = `The stored ${kind} "${key}" is of version ${entry.version}, this Linkspan knows ${version}`
  return new LinkspanError('state-too-new', `${problem}: install the newer version again, or restore an older backup`)
}

/** Rows are shared with all readers: whoever wants another one stores it. */
function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) freeze(part)
  return Object.freeze(value)
}
