import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { LinkspanError } from '../base/errors.ts'
import type { RowChange, RowLog, StoredRow } from './row-log.ts'
import { damagedFile, storageError } from './sqlite-errors.ts'

export interface SqliteOptions {
  path: string
  /** The most that the file may grow to, in pages of 4 KiB; without it the disk is the limit. */
  pagesMax?: number
}

/** How the tables look, not what rows mean: rows carry versions of their own. */
const layoutVersion = 1

const schema = `
  CREATE TABLE IF NOT EXISTS meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS rows (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, key)
  ) STRICT, WITHOUT ROWID;
  INSERT OR IGNORE INTO meta (name, value) VALUES ('layout', '${layoutVersion}');
`

/** The write-ahead log flushed at each commit, to the platter also where an ordinary flush is not (macOS). */
const pragmas = `
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
  PRAGMA journal_size_limit = 16777216;
  PRAGMA trusted_schema = OFF;
`

/** How long another reader of the file (a backup) may hold us up, in milliseconds; the whole thread waits. */
const busyTimeoutMs = 2000

interface Connection {
  database: DatabaseSync
  put: StatementSync
  remove: StatementSync
  all: StatementSync
}

/** Rows in one SQLite file. Throws `corrupt`, `state-too-new` or `storage`. The directory's lock must be held. */
export function openSqliteRowLog(options: SqliteOptions): RowLog {
  const { path } = options
  let connection = connect(options)
  let unsure = false
  return {
    place: path,
    async load() {
      try {
        // After a failed write only a new connection is sure to see what the disk has, not what it was told.
        if (unsure) {
          close(connection)
          connection = connect(options)
          unsure = false
        }
        return connection.all.all().map(({ kind, key, value }) => ({ kind, key, value }) as unknown as StoredRow)
      } catch (error) {
        throw storageError(error, path, 'read')
      }
    },
    async append(changes) {
      try {
        write(connection, changes)
      } catch (error) {
        unsure = true
        throw storageError(error, path, 'written')
      }
    },
    async [Symbol.asyncDispose]() {
      close(connection)
    },
  }
}

function connect(options: SqliteOptions): Connection {
  const { path, pagesMax } = options
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: busyTimeoutMs })
    const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode
    if (mode !== 'wal') throw new Error(`no write-ahead log on this file system (journal mode ${mode})`)
    database.exec(pragmas)
    if (pagesMax !== undefined) database.exec(`PRAGMA max_page_count = ${pagesMax}`)
    checkFile(database, path)
    return {
      database,
      put: database.prepare('INSERT OR REPLACE INTO rows (kind, key, value) VALUES (?, ?, ?)'),
      remove: database.prepare('DELETE FROM rows WHERE kind = ? AND key = ?'),
      all: database.prepare('SELECT kind, key, value FROM rows'),
    }
  } catch (error) {
    database?.close()
    throw storageError(error, path, 'opened')
  }
}

function checkFile(database: DatabaseSync, path: string): void {
  const found = database.prepare('PRAGMA quick_check(1)').get()?.quick_check
  if (found !== 'ok') throw damagedFile(path, new Error(String(found)))
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  const names = tables.map(({ name }) => name)
  if (names.length === 0) {
    database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`)
    return
  }
  if (!names.includes('meta') || !names.includes('rows')) {
    throw damagedFile(path, new Error('it is a database of something else'))
  }
  const layout = Number(database.prepare("SELECT value FROM meta WHERE name = 'layout'").get()?.value)
  if (!Number.isInteger(layout)) throw damagedFile(path, new Error('its layout has no version'))
  if (layout > layoutVersion) {
    const problem = `${path} was written by a newer Linkspan (layout ${layout}, this one knows ${layoutVersion})`
    throw new LinkspanError('state-too-new', `${problem}: install that version again, or restore an older backup`)
  }
}

function write(connection: Connection, changes: readonly RowChange[]): void {
  const { database, put, remove } = connection
  try {
    database.exec('BEGIN IMMEDIATE')
    for (const { kind, key, value } of changes) {
      if (value === null) remove.run(kind, key)
      else put.run(kind, key, value)
    }
    database.exec('COMMIT')
  } catch (error) {
    rollBack(database)
    throw error
  }
}

function rollBack(database: DatabaseSync): void {
  try {
    if (database.isTransaction) database.exec('ROLLBACK')
  } catch {
    // What made the write fail is the error to tell; the connection is replaced before it is used again.
  }
}

function close(connection: Connection): void {
  if (connection.database.isOpen) connection.database.close()
}
