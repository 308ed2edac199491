import { basename, join } from 'node:path'
import * as header from '../../records/header.ts'
import { type Checkpoint, emptyRecovery, type RecoveryPoint } from './checkpoint.ts'
import type { FileStat } from './files.ts'
import {
  checkpointDraftName,
  parseSegmentFileName,
  parseSnapshotName,
  type SegmentFileKind,
  segmentFileKinds,
  segmentFileName,
  snapshotDraftName,
} from './layout.ts'
import { LogState } from './log-state.ts'
import { Producers } from './producers.ts'
import type { LogRoom } from './room.ts'
import { scanSegment } from './scan.ts'
import {
  abortedEntryBytes,
  emptyTail,
  offsetEntryBytes,
  relativeOffsetMax,
  Segment,
  timeEntryBytes,
} from './segment.ts'
import { readSnapshot } from './snapshot.ts'

export interface LoaderOptions {
  room: LogRoom
  folder: string
  names: readonly string[]
  checkpoint: Checkpoint
  indexIntervalBytes: number
}

/** The steps of `loadLog`, in its order. */
export class Loader {
  state: LogState
  scannedBytes = 0
  readonly #room: LogRoom
  readonly #folder: string
  readonly #names: Set<string>
  readonly #checkpoint: Checkpoint
  readonly #indexIntervalBytes: number
  /** Of segments with records, in order. */
  #bases: number[]
  #recovery: RecoveryPoint
  /** Files whose content has to reach the disk before anybody may rely on it. */
  readonly #unsynced = new Set<string>()
  #isFolderChanged = false

  constructor(options: LoaderOptions) {
    this.#room = options.room
    this.#folder = options.folder
    this.#names = new Set(options.names)
    this.#checkpoint = options.checkpoint
    this.#indexIntervalBytes = options.indexIntervalBytes
    this.#recovery = options.checkpoint.recovery
    this.#bases = options.names
      .map((name) => parseSegmentFileName(name))
      .filter((file) => file?.kind === 'log')
      .map((file) => file!.baseOffset)
      .sort((left, right) => left - right)
    this.state = this.#emptyState(this.#recovery)
  }

  /** What a crash has left: drafts, snapshots of other offsets, files of segments that are gone or below the start. */
  async removeLeftovers(): Promise<void> {
    const { logStartOffset, recovery } = this.#checkpoint
    this.#bases = this.#bases.filter((base, index) => {
      const next = this.#bases[index + 1]
      return base >= recovery.segment || next === undefined || next > logStartOffset
    })
    const kept = new Set([...this.#bases, recovery.segment])
    const strays = [...this.#names].filter((name) => {
      const base = parseSegmentFileName(name)?.baseOffset
      const snapshot = parseSnapshotName(name)
      const isStraySegment = base !== undefined && !kept.has(base)
      const isStraySnapshot = snapshot !== undefined && (snapshot !== recovery.offset || recovery.producers === 0)
      const isDraft = name === checkpointDraftName || name === snapshotDraftName
      return isStraySegment || isStraySnapshot || isDraft
    })
    // The checkpoint that makes them strays may have got its name just before a kill: the older one needs them.
    if (strays.length > 0) await this.#room.files.syncFolder(this.#folder)
    for (const name of strays) await this.#remove(name)
  }

  /** Takes away what was written behind the durable end. */
  async cutBehind(segment: number, position: number): Promise<void> {
    await this.#removeSegments(this.#bases.filter((base) => base > segment))
    if (!this.#bases.includes(segment)) return
    const { path } = new Segment(this.#folder, segment, emptyTail)
    // Twice, so that there is something to sync: an earlier attempt may have failed after it cut the file in memory.
    this.#truncate(path, position + 1)
    this.#truncate(path, position)
  }

  /** Up to the recovery point; false when something that the checkpoint speaks of is not there. */
  async restore(): Promise<boolean> {
    const { offset, segment, tail, producers } = this.#recovery
    const restored = producers === 0 ? [] : await readSnapshot(this.#room.files, this.#folder, offset)
    const active = new Segment(this.#folder, segment, tail)
    const sizeBytes = (await this.#stat(active.path))?.sizeBytes ?? 0
    if (restored === undefined || sizeBytes < tail.sizeBytes) {
      const fields = { folder: this.#folder, offset, sizeBytes, expectedBytes: tail.sizeBytes }
      this.#room.log.error(fields, 'A log lacks files that were on disk; what is left of it is read again')
      return false
    }
    const older = this.#bases.filter((base) => base < segment)
    const segments = await Promise.all(older.map((base) => this.#oldSegment(base)))
    this.state = new LogState([...segments, active], new Producers(), offset)
    this.state.producers.restore(restored)
    for (const index of active.indexes) await this.#trimIndex(index.path, index.count * index.entryBytes)
    return true
  }

  /** Believes no checkpoint: everything is walked. */
  startOver(): void {
    this.#recovery = emptyRecovery(this.#bases[0] ?? this.#checkpoint.recovery.offset)
    this.state = this.#emptyState(this.#recovery)
  }

  /** Walks what the recovery point does not cover. */
  async scan(): Promise<void> {
    const later = this.#bases.filter((base) => base > this.#recovery.segment)
    let isWhole = await this.#scanActive(this.#recovery.tail.sizeBytes)
    for (const base of later) {
      // One that begins where the last good batch ends was begun there: what was cut before it was never the log's.
      const isNext = base === this.state.endOffset || (isWhole && base > this.state.endOffset)
      isWhole = isNext && (await this.#scanNext(base))
      if (this.state.active.baseOffset !== base) await this.#removeSegments([base])
    }
  }

  /** Offsets that were given out are never given out again, even when their records are lost. */
  keepOffsets(): void {
    const { offset } = this.#checkpoint.recovery
    if (this.state.endOffset >= offset) return
    const fields = { folder: this.#folder, from: this.state.endOffset, to: offset }
    this.#room.log.error(fields, 'Records that were on disk are gone: the log has a gap')
    this.state.active.seal()
    this.state.segments.push(new Segment(this.#folder, offset, emptyTail))
    this.state.endOffset = offset
  }

  async makeDurable(): Promise<void> {
    for (const path of this.#unsynced) {
      const pinned = this.#room.openFiles.pin(path, 'existing')
      try {
        await this.#room.syncs.run(() => pinned.file.sync())
      } finally {
        this.#room.openFiles.unpin(pinned)
      }
    }
    if (this.#unsynced.size > 0 || this.#isFolderChanged) await this.#room.files.syncFolder(this.#folder)
  }

  /** A segment that follows the one before, or, behind a gap too wide for one segment, begins with its first batch. */
  async #scanNext(base: number): Promise<boolean> {
    const before = this.state.active
    const endBefore = this.state.endOffset
    this.state.segments.push(new Segment(this.#folder, base, emptyTail))
    for (const index of this.state.active.indexes) await this.#trimIndex(index.path, 0)
    const isWhole = await this.#scanActive(0)
    if (base === endBefore || this.state.active.sizeBytes > 0) {
      before.seal()
      return isWhole
    }
    this.state.segments.pop()
    return false
  }

  /** False when the file had to be cut. */
  async #scanActive(start: number): Promise<boolean> {
    const { state } = this
    const segment = state.active
    const fileBytes = (await this.#stat(segment.path))?.sizeBytes ?? 0
    const range = { start, end: fileBytes, checkCrc: true }
    const end = await scanSegment(this.#room, segment.path, range, (bytes, at, size) => {
      if (!this.#follows(header.baseOffset(bytes, at), header.lastOffset(bytes, at))) return false
      state.add(bytes, at, size, this.#indexIntervalBytes)
      return true
    })
    this.scannedBytes += end.position - start
    if (end.position > start) this.#unsynced.add(segment.path)
    if (end.problem === undefined) return true
    const cutBytes = fileBytes - end.position
    const fields = { file: segment.path, problem: end.problem, endOffset: state.endOffset, cutBytes }
    this.#room.log.warn(fields, 'The end of a log was cut off: it was being written when the broker stopped')
    this.#truncate(segment.path, end.position)
    return false
  }

  /** Within a segment a mirror's batches may leave gaps; a new segment begins where the last one ended. */
  #follows(baseOffset: number, lastOffset: number): boolean {
    const { active, endOffset } = this.state
    if (baseOffset < endOffset || baseOffset < active.baseOffset) return false
    if (active.sizeBytes > 0 || active.baseOffset === endOffset) return true
    return baseOffset === active.baseOffset && lastOffset - endOffset > relativeOffsetMax
  }

  async #oldSegment(base: number): Promise<Segment> {
    const count = async (kind: SegmentFileKind, entryBytes: number) => Math.floor((await size(kind)) / entryBytes)
    const size = async (kind: SegmentFileKind) => {
      return (await this.#stat(join(this.#folder, segmentFileName(base, kind))))?.sizeBytes ?? 0
    }
    const [sizeBytes, offsetEntries, timeEntries, abortedEntries] = await Promise.all([
      size('log'),
      count('index', offsetEntryBytes),
      count('timeindex', timeEntryBytes),
      count('txnindex', abortedEntryBytes),
    ])
    return new Segment(this.#folder, base, {
      sizeBytes,
      firstTimestampMs: -1,
      offsetEntries,
      timeEntries,
      abortedEntries,
    })
  }

  #emptyState(recovery: RecoveryPoint): LogState {
    return new LogState([new Segment(this.#folder, recovery.segment, emptyTail)], new Producers(), recovery.offset)
  }

  /** Entries behind a checkpoint are made again by the walk; left standing, they would be believed one day. */
  async #trimIndex(path: string, sizeBytes: number): Promise<void> {
    const found = await this.#stat(path)
    if (found === undefined || found.sizeBytes <= sizeBytes) return
    this.#truncate(path, sizeBytes)
  }

  #truncate(path: string, sizeBytes: number): void {
    const pinned = this.#room.openFiles.pin(path, 'existing')
    try {
      pinned.file.truncate(sizeBytes)
      this.#unsynced.add(path)
    } finally {
      this.#room.openFiles.unpin(pinned)
    }
  }

  async #removeSegments(bases: readonly number[]): Promise<void> {
    for (const base of bases) {
      for (const kind of segmentFileKinds) await this.#remove(segmentFileName(base, kind))
    }
    this.#bases = this.#bases.filter((base) => !bases.includes(base))
  }

  async #remove(name: string): Promise<void> {
    if (!this.#names.delete(name)) return
    const path = join(this.#folder, name)
    this.#room.openFiles.forgetFile(path)
    this.#room.indexes.forget(path)
    this.#unsynced.delete(path)
    await this.#room.files.remove(path)
    this.#isFolderChanged = true
  }

  async #stat(path: string): Promise<FileStat | undefined> {
    return this.#names.has(basename(path)) ? await this.#room.files.stat(path) : undefined
  }
}
