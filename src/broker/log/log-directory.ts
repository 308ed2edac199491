import { dirname, join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { LinkspanError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { diskFiles } from './disk-files.ts'
import type { Files } from './files.ts'
import { deleteLogFolder, settleFolders } from './folders.ts'
import { IndexCache } from './index-cache.ts'
import { type LogKey, logFolderName, parseLogFolderName } from './layout.ts'
import { Limiter } from './limiter.ts'
import { OpenFiles } from './open-files.ts'
import { ReadBuffers } from './read-buffers.ts'
import { loadLog } from './recovery.ts'
import type { LogRoom } from './room.ts'
import { Staging } from './staging.ts'
import { StoredLog } from './stored-log.ts'
import { Trash } from './trash.ts'
import type { LogConfig, Logs, PartitionLog } from './types.ts'

/** Of Node's four threads one stays free for reads. */
const syncsMax = 3
/** Logs that are read, maintained or closed at a time. */
const busyLogsMax = 8

export interface LogsOptions {
  /** Made when missing; nobody else may write in it. */
  folder: string
  clock: Clock
  log: Log
  /** How long a producer is remembered, by the timestamp of its last batch. */
  producerExpirationMs: number
  /** Tests record writes and inject failures with one of their own. */
  files?: Files
}

export interface StoredLogs extends Logs {
  /** Logs that are on disk, opened or not: who knows which topics exist finds those that nobody needs. */
  list(): LogKey[]
}

/**
 * Opens the folder of all logs and finishes deletions that a crash has interrupted; each log is recovered when it is
 * opened.
 */
export async function openLogs(options: LogsOptions): Promise<StoredLogs> {
  const { folder, clock, log, producerExpirationMs, files = diskFiles } = options
  const room: LogRoom = {
    folder,
    files,
    openFiles: new OpenFiles(files),
    indexes: new IndexCache(files),
    buffers: new ReadBuffers(),
    staging: new Staging(),
    syncs: new Limiter(syncsMax),
    trash: new Trash(files, log),
    clock,
    log,
    producerExpirationMs,
  }
  await files.makeFolder(folder)
  await files.syncFolder(dirname(folder))
  return new LogDirectory(room, new Set(await settleFolders(room)))
}

class LogDirectory implements StoredLogs {
  readonly #room: LogRoom
  /** Names of the logs' folders. */
  readonly #names: Set<string>
  readonly #open = new Map<string, StoredLog>()
  /** What is being done with a log's folder: the next thing waits for it. */
  readonly #busy = new Map<string, Promise<unknown>>()
  readonly #limiter = new Limiter(busyLogsMax)
  #isClosed = false

  constructor(room: LogRoom, names: Set<string>) {
    this.#room = room
    this.#names = names
  }

  get(topicId: string, partition: number): PartitionLog | undefined {
    return this.#open.get(logFolderName({ topicId, partition }))
  }

  list(): LogKey[] {
    return [...this.#names].flatMap((name) => parseLogFolderName(name) ?? [])
  }

  async open(at: LogKey & { topic: string }, config: LogConfig): Promise<PartitionLog> {
    const name = logFolderName(at)
    return await this.#exclusively(name, async () => {
      if (this.#isClosed) throw new LinkspanError('closed', 'The broker is stopping')
      const known = this.#open.get(name)
      if (known) return known
      const folder = join(this.#room.folder, name)
      if (!this.#names.has(name)) {
        await this.#room.files.makeFolder(folder)
        await this.#room.files.syncFolder(this.#room.folder)
        this.#names.add(name)
      }
      const loaded = await loadLog(this.#room, folder, config.indexIntervalBytes)
      const log = new StoredLog({ ...at, room: this.#room, name, folder, config, loaded })
      this.#open.set(name, log)
      return log
    })
  }

  async delete(topicId: string, partition: number): Promise<void> {
    const name = logFolderName({ topicId, partition })
    const log = this.#open.get(name)
    this.#open.delete(name)
    const retired = log?.retire()
    await this.#exclusively(name, async () => {
      await retired
      // It may have been opened while this waited.
      await this.#open.get(name)?.retire()
      this.#open.delete(name)
      if (!this.#names.has(name)) return
      const folder = join(this.#room.folder, name)
      await deleteLogFolder(this.#room, name)
      this.#names.delete(name)
      this.#room.openFiles.forget(folder)
      this.#room.indexes.forgetFolder(folder)
    })
  }

  async checkRetention(): Promise<void> {
    await this.#forEach((log) => log.maintain())
  }

  async usage(): Promise<{ totalBytes: number; usableBytes: number }> {
    let totalBytes = 0
    for (const log of this.#open.values()) totalBytes += log.sizeBytes
    return { totalBytes, usableBytes: await this.#room.files.usableBytes(this.#room.folder) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.allSettled(this.#busy.values())
    await this.#forEach((log) => log.close())
    await this.#room.trash.idle()
    this.#room.openFiles.closeAll()
  }

  async #forEach(action: (log: StoredLog) => Promise<void>): Promise<void> {
    await Promise.all([...this.#open.values()].map((log) => this.#limiter.run(() => action(log))))
  }

  /** One thing at a time with each log's folder. */
  #exclusively<T>(name: string, task: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(name) ?? Promise.resolve()
    const result = before.then(() => this.#limiter.run(task))
    const settled = result.catch(() => {})
    this.#busy.set(name, settled)
    void settled.then(() => {
      if (this.#busy.get(name) === settled) this.#busy.delete(name)
    })
    return result
  }
}
