import { BoundedQueue } from '../../base/queue.ts'
import type { PinnedFile } from './open-files.ts'
import type { LogRoom } from './room.ts'
import type { Segment, SegmentTail } from './segment.ts'
import { copiedBytesMax, type StagingLog } from './staging.ts'
import type { AppendOutcome, AppendRefusal } from './types.ts'

/** Appends of one log that wait for the disk; more means that it hangs. */
const waitingMax = 20_000

/** Where a log ends, or ended. */
export interface LogEnd {
  offset: number
  segment: Segment
  tail: SegmentTail
}

/** The end of what is on disk and what a checkpoint keeps besides. */
export interface Capture {
  end: LogEnd
  producers: number
  /** Undefined without producers. */
  snapshot: Buffer | undefined
}

export interface CommitOwner {
  /** Where the log ends with all that was appended. */
  end(): LogEnd
  capture(): Capture
  /** `durable` has moved. */
  onDurable(): void
  /** Nothing is written or synced any more until `restart`; what is not durable is to be refused. */
  onFailed(error: unknown): void
}

interface Waiter {
  endOffset: number
  outcome: AppendOutcome
  resolve: (outcome: AppendOutcome) => void
}

interface Failure {
  error: unknown
  isTold: boolean
}

interface StagedWrite {
  segment: Segment
  position: number
  bytes: number
  buffers: Uint8Array[]
}

/**
 * Group commit of one log: what one turn of the event loop appends is written together and synced together; what is
 * written while a sync runs waits for the next. After a failure nothing that was not synced before it is believed.
 */
export class Commit implements StagingLog {
  readonly #room: LogRoom
  readonly #folder: string
  readonly #owner: CommitOwner
  /** End of what is on disk for certain. */
  durable: LogEnd
  #staged: StagedWrite[] = []
  /** Segments that were written since the last sync began. */
  #dirty = new Map<Segment, PinnedFile>()
  #isFolderDirty = false
  readonly #waiters = new BoundedQueue<Waiter>(waitingMax)
  #captures: ((capture: Capture | undefined) => void)[] = []
  #idlers: (() => void)[] = []
  #isSyncing = false
  #failure: Failure | undefined

  constructor(room: LogRoom, folder: string, owner: CommitOwner, durable: LogEnd) {
    this.#room = room
    this.#folder = folder
    this.#owner = owner
    this.durable = durable
  }

  get isFull(): boolean {
    return this.#waiters.full
  }

  /** Bytes of whole batches that come to stand at `position`; they are written or copied before this returns. */
  write(segment: Segment, position: number, bytes: Uint8Array): void {
    if (bytes.length > copiedBytesMax) {
      this.writeStaged()
      this.#writeNow({ segment, position, bytes: bytes.length, buffers: [bytes] })
      this.#room.staging.schedule(this)
      return
    }
    const copy = this.#room.staging.copy(this, bytes)
    const last = this.#staged.at(-1)
    if (last?.segment === segment) {
      last.buffers.push(copy)
      last.bytes += copy.length
    } else this.#staged.push({ segment, position, bytes: copy.length, buffers: [copy] })
  }

  /** Resolves with `outcome` once everything before `endOffset` is on disk. There must be room: see `isFull`. */
  wait(endOffset: number, outcome: AppendOutcome): Promise<AppendOutcome> {
    if (endOffset <= this.durable.offset && this.#waiters.length === 0) return Promise.resolve(outcome)
    return new Promise((resolve) => {
      this.#waiters.push({ endOffset, outcome, resolve })
      this.#room.staging.schedule(this)
    })
  }

  /** The next end that is on disk, together with what a checkpoint needs of that moment; undefined after a failure. */
  capture(): Promise<Capture | undefined> {
    return new Promise((resolve) => {
      this.#captures.push(resolve)
      this.#room.staging.schedule(this)
    })
  }

  /** Resolves when nothing is written or synced any more: everything is on disk or refused. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idlers.push(resolve)
      this.#room.staging.schedule(this)
    })
  }

  /** After a failure, once the log is as it was at `durable`. */
  restart(durable: LogEnd): void {
    this.durable = durable
    this.#failure = undefined
  }

  /** Nothing more is written; who waits is refused as soon as what is being synced has ended. */
  stop(error: unknown): void {
    this.#failure ??= { error, isTold: false }
    this.#room.staging.schedule(this)
  }

  refuseWaiters(refusal: AppendRefusal): void {
    for (let waiter = this.#waiters.shift(); waiter; waiter = this.#waiters.shift()) {
      waiter.resolve({ ok: false, ...refusal })
    }
  }

  writeStaged(): void {
    const staged = this.#staged
    if (staged.length === 0) return
    this.#staged = []
    for (const write of staged) this.#writeNow(write)
  }

  endTurn(): void {
    if (!this.#isSyncing) void this.#sync()
  }

  #writeNow(write: StagedWrite): void {
    if (this.#failure) return
    try {
      const file = this.#dirty.get(write.segment) ?? this.#pin(write.segment, write.position)
      file.file.write(write.buffers, write.position)
    } catch (error) {
      this.#failure ??= { error, isTold: false }
    }
  }

  #pin(segment: Segment, position: number): PinnedFile {
    const isNew = position === 0
    const pinned = this.#room.openFiles.pin(segment.path, isNew ? 'create' : 'existing')
    this.#dirty.set(segment, pinned)
    if (isNew) {
      this.#isFolderDirty = true
      pinned.file.truncate(0)
    }
    return pinned
  }

  async #sync(): Promise<void> {
    this.#isSyncing = true
    while (!this.#failure && (this.#dirty.size > 0 || this.#staged.length > 0 || this.#captures.length > 0)) {
      await this.#room.syncs.run(() => this.#round())
    }
    this.#isSyncing = false
    if (this.#failure) this.#fail(this.#failure)
    else this.#settle()
    for (const resume of this.#idlers.splice(0)) resume()
  }

  /** Makes durable what has been appended up to now, which is more the longer it had to wait for its turn. */
  async #round(): Promise<void> {
    this.writeStaged()
    if (this.#failure) return // `end` would count what is not written
    const end = this.#owner.end()
    const resolvers = this.#captures.splice(0)
    const capture = resolvers.length > 0 ? this.#owner.capture() : undefined
    const dirty = this.#dirty
    const isFolderDirty = this.#isFolderDirty
    this.#dirty = new Map()
    this.#isFolderDirty = false
    const isSynced = await this.#syncFiles([...dirty.values()], isFolderDirty)
    for (const pinned of dirty.values()) this.#room.openFiles.unpin(pinned)
    if (isSynced) {
      // Also when a later write has failed meanwhile: all of `end` was written before.
      this.durable = end
      this.#settle()
      this.#owner.onDurable()
    }
    for (const resolve of resolvers) resolve(isSynced ? capture : undefined)
  }

  async #syncFiles(dirty: readonly PinnedFile[], isFolderDirty: boolean): Promise<boolean> {
    if (dirty.length === 0) return true
    try {
      for (const { file } of dirty) await file.sync()
      if (isFolderDirty) await this.#room.files.syncFolder(this.#folder)
      return true
    } catch (error) {
      this.#failure ??= { error, isTold: false }
      return false
    }
  }

  #settle(): void {
    for (;;) {
      const waiter = this.#waiters.peek()
      if (!waiter || waiter.endOffset > this.durable.offset) return
      this.#waiters.shift()
      waiter.resolve(waiter.outcome)
    }
  }

  #fail(failure: Failure): void {
    this.#staged = []
    for (const pinned of this.#dirty.values()) this.#room.openFiles.unpin(pinned)
    this.#dirty.clear()
    this.#isFolderDirty = false
    for (const resolve of this.#captures.splice(0)) resolve(undefined)
    if (failure.isTold) return
    failure.isTold = true
    this.#owner.onFailed(failure.error)
  }
}
