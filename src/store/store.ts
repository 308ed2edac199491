import { join } from 'node:path'
import { explainError, LinkspanError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { prepareDirectory } from './directory.ts'
import { lockDirectory } from './lock.ts'
import type { RowChange, RowLog, StoredRow } from './row-log.ts'
import { type CommittedChange, Rows, type RowsView } from './rows.ts'
import { openSqliteRowLog } from './sqlite.ts'
import type { Table } from './table.ts'

export interface StoreOptions {
  /** The state directory; made when missing, locked while the store is open. */
  directory: string
  log: Log
  /** Tables whose rows are checked, and upgraded, before the store opens: `state-too-new` then stops the start. */
  tables?: readonly Table<object>[]
  /** See `SqliteOptions`. */
  pagesMax?: number
}

/** What a command wants to change, and what its caller is told once that is durable. */
export interface Outcome<Result> {
  changes: RowChange[]
  result: Result
}

export type CommittedListener = (changes: readonly CommittedChange[]) => void

/** Commands that wait for one commit; more means that the disk hangs. */
const queuedCommandsMax = 10_000

interface Command {
  name: string
  changes: RowChange[]
  applied: CommittedChange[]
  done: () => void
  fail: (error: LinkspanError) => void
}

/** Opens the state directory: `state-locked`, `state-too-new`, `corrupt`, `invalid-config` and `storage` stop it. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { directory, log, tables = [], pagesMax } = options
  await prepareDirectory(directory)
  const lock = lockDirectory(directory)
  try {
    const path = join(directory, 'linkspan.db')
    return await openStoreOn(openSqliteRowLog(pagesMax === undefined ? { path } : { path, pagesMax }), {
      log,
      tables,
      lock,
    })
  } catch (error) {
    lock[Symbol.dispose]()
    throw error
  }
}

/** A store on any back end; `lock` is given back after the log is closed. */
export async function openStoreOn(
  rowLog: RowLog,
  options: { log: Log; tables?: readonly Table<object>[]; lock?: Disposable },
): Promise<Store> {
  try {
    const rows = new Rows(await rowLog.load())
    for (const table of options.tables ?? []) rows.list(table)
    return new Store(rowLog, rows, options.log, options.lock)
  } catch (error) {
    await rowLog[Symbol.asyncDispose]()
    throw error
  }
}

/**
 * All state of the daemon: rows in memory, changed by named commands, one after another. A command that resolved
 * survives power loss. What was asked for within one turn of the event loop is committed together.
 */
export class Store implements AsyncDisposable {
  readonly #rowLog: RowLog
  readonly #rows: Rows
  readonly #log: Log
  readonly #lock: Disposable | undefined
  readonly #listeners = new Set<CommittedListener>()
  #queue: Command[] = []
  #flushing: Promise<void> | undefined
  /** A commit failed, so only the back end knows which rows are stored: it is asked before the next command. */
  #unsure = false
  #reloading: Promise<void> | undefined
  #closed = false

  constructor(rowLog: RowLog, rows: Rows, log: Log, lock: Disposable | undefined) {
    this.#rowLog = rowLog
    this.#rows = rows
    this.#log = log
    this.#lock = lock
  }

  /** Today's rows, those of commands that are being committed included. */
  get rows(): RowsView {
    return this.#rows
  }

  /** All rows as they are stored, sorted. */
  dump(): StoredRow[] {
    return this.#rows.dump()
  }

  /**
   * Runs a command against today's rows, at once and alone. What it throws is thrown, and nothing has changed. Its
   * changes come all or not at all; once they are durable, the promise resolves with its result. Throws `storage` when
   * they could not be stored: then nothing has changed either.
   */
  async execute<Result>(name: string, command: (rows: RowsView) => Outcome<Result>): Promise<Result> {
    if (this.#unsure) await this.#reload(name)
    if (this.#closed) throw new LinkspanError('closed', `"${name}" was not done: the daemon is stopping`)
    if (this.#queue.length >= queuedCommandsMax) {
      throw new LinkspanError('rate-limited', `"${name}" was not done: the disk is behind, try again later`)
    }
    const { changes, result } = command(this.#rows)
    const applied = this.#rows.apply(changes)
    await new Promise<void>((done, fail) => {
      this.#queue.push({ name, changes, applied, done, fail })
      this.#flushing ??= new Promise<void>((next) => setImmediate(next)).then(() => this.#flush())
    })
    return result
  }

  /** `listener` gets what was committed, in order and before the commands' callers; returns what ends that. */
  onCommitted(listener: CommittedListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Commits what was asked for, takes no more, and frees the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#flushing
    await this.#rowLog[Symbol.asyncDispose]()
    this.#lock?.[Symbol.dispose]()
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#queue
      this.#queue = []
      try {
        const changes = lastOfEach(group.flatMap((command) => command.changes))
        if (changes.length > 0) await this.#rowLog.append(changes)
      } catch (error) {
        await this.#undo(group, error)
        continue
      }
      this.#announce(group.flatMap((command) => command.applied))
      for (const command of group) command.done()
    }
    this.#flushing = undefined
  }

  /** Commands behind the failed ones were judged by rows that never came to be: they fail with them. */
  async #undo(group: Command[], error: unknown): Promise<void> {
    const failed = [...group, ...this.#queue]
    this.#queue = []
    this.#unsure = true
    this.#rows.undo(failed.flatMap((command) => command.applied))
    this.#log.error({ err: error, commands: failed.length }, 'State could not be stored')
    await this.#reload('reload').catch((reason: unknown) => {
      this.#log.error({ err: reason }, 'State could not be read again, it is tried with the next change')
    })
    for (const command of failed) command.fail(notStored(command.name, error))
  }

  /** Throws what `load` throws, told of the command that had to wait for it. */
  async #reload(name: string): Promise<void> {
    this.#reloading ??= this.#readAgain().finally(() => {
      this.#reloading = undefined
    })
    try {
      await this.#reloading
    } catch (error) {
      throw notStored(name, error)
    }
  }

  async #readAgain(): Promise<void> {
    const differing = this.#rows.replace(await this.#rowLog.load())
    this.#unsure = false
    // A commit that failed in our eyes can have reached the disk all the same.
    if (differing.length > 0) this.#announce(differing)
  }

  #announce(changes: readonly CommittedChange[]): void {
    if (changes.length === 0) return
    for (const listener of this.#listeners) {
      try {
        listener(changes)
      } catch (error) {
        this.#log.error({ err: error }, 'A listener to committed changes failed')
      }
    }
  }
}

/** One row is written once per commit, however often it changed since the last. */
function lastOfEach(changes: readonly RowChange[]): RowChange[] {
  const last = new Map(changes.map((change) => [`${change.kind}\0${change.key}`, change]))
  return [...last.values()]
}

function notStored(name: string, cause: unknown): LinkspanError {
  const code = cause instanceof LinkspanError ? cause.code : 'storage'
  return new LinkspanError(code, `"${name}" was not done: ${explainError(cause)}`, { cause })
}
