import { join } from 'node:path'
import { explainError } from '../../base/errors.ts'
import { type Checkpoint, writeCheckpoint } from './checkpoint.ts'
import type { Capture } from './commit.ts'
import { snapshotName } from './layout.ts'
import type { Sequence } from './limiter.ts'
import type { LiveLog } from './live-log.ts'
import { type SegmentAge, segmentsToDrop } from './retention.ts'
import { emptyTail, Segment } from './segment.ts'
import { writeSnapshot } from './snapshot.ts'

/** Appended since the last checkpoint: what a crash makes recovery read, at about 1 GB a second. */
const uncheckpointedBytesMax = 64 * 1024 * 1024

/**
 * Checkpoints, the log start and retention of one log, one after the other in the log's sequence. Files are removed
 * only after a checkpoint that does not need them is on disk.
 */
export class Upkeep {
  readonly #log: LiveLog
  readonly #sequence: Sequence
  #uncheckpointedBytes: number
  #isCheckpointAsked = false

  constructor(log: LiveLog, sequence: Sequence, uncheckpointedBytes: number) {
    this.#log = log
    this.#sequence = sequence
    this.#uncheckpointedBytes = 0
    this.noteAppended(uncheckpointedBytes)
  }

  noteAppended(bytes: number): void {
    this.#uncheckpointedBytes += bytes
    if (this.#uncheckpointedBytes < uncheckpointedBytesMax || this.#isCheckpointAsked) return
    this.#isCheckpointAsked = true
    void this.#sequence.run(async () => {
      this.#isCheckpointAsked = false
      await this.tryCheckpoint()
    })
  }

  /** Without a newer checkpoint nothing is lost; recovery only has more to read. */
  async tryCheckpoint(): Promise<void> {
    try {
      await this.checkpoint()
    } catch (error) {
      const { folder, room } = this.#log
      room.log.warn(
        { folder, error: explainError(error) },
        'A checkpoint could not be written; it is tried again later',
      )
    }
  }

  /** Makes what is on disk by now the point from which recovery reads. */
  async checkpoint(): Promise<void> {
    const asked = this.#uncheckpointedBytes
    const capture = await this.#log.commit.capture()
    if (!capture) return
    const { offset, segment } = this.#log.checkpoint.recovery
    const isNewer = capture.end.offset !== offset || capture.end.segment.baseOffset !== segment
    if (isNewer || asked > 0) await this.#write(capture)
    this.#uncheckpointedBytes -= asked
    await this.#dropSegments()
  }

  /** Durable once this resolves. */
  async moveStart(offset: number): Promise<void> {
    const { room, folder } = this.#log
    const next: Checkpoint = { ...this.#log.checkpoint, logStartOffset: offset }
    await writeCheckpoint(room.files, folder, next)
    this.#log.checkpoint = next
    this.#log.logStartOffset = offset
    this.#log.onStartMoved()
    await this.#dropSegments()
    // Segments that the checkpoint still needs go with the next one.
    if (this.#droppable(Number.POSITIVE_INFINITY) > 0) await this.tryCheckpoint()
  }

  /** What the owner's timer does for a log. */
  async maintain(): Promise<void> {
    const { state, room } = this.#log
    const nowMs = room.clock.wallMs()
    state.producers.expire(nowMs, room.producerExpirationMs)
    await this.#retain(nowMs)
    if (this.#uncheckpointedBytes > 0) await this.tryCheckpoint()
  }

  async #retain(nowMs: number): Promise<void> {
    const { state, config, commit } = this.#log
    if (config.retentionMs < 0 && config.retentionBytes < 0) return
    const ages = await Promise.all(state.segments.map((segment) => this.#ageOf(segment)))
    const count = segmentsToDrop(ages, config, nowMs)
    if (count === 0) return
    if (count === state.segments.length) {
      // Its records are that old, but somebody appends right now: next time.
      if (commit.durable.offset !== state.endOffset) return
      this.roll(state.endOffset)
    }
    const start = state.segments[count]!.baseOffset
    if (start > commit.durable.offset) return
    if (start > this.#log.logStartOffset) {
      await this.moveStart(start)
      const fields = { folder: this.#log.folder, segments: count, logStartOffset: start }
      this.#log.room.log.info(fields, 'Retention removed the oldest records of a log')
    }
  }

  /** The next segment; the last one gets no more. */
  roll(baseOffset: number): void {
    const { state, folder } = this.#log
    state.active.seal()
    state.segments.push(new Segment(folder, baseOffset, emptyTail))
  }

  async #ageOf(segment: Segment): Promise<SegmentAge> {
    const { room } = this.#log
    const { baseOffset, sizeBytes } = segment
    const { timestampMs } = await segment.largest(room)
    if (timestampMs >= 0 || sizeBytes === 0) return { baseOffset, sizeBytes, timestampMs }
    const modifiedMs = (await room.files.stat(segment.path))?.modifiedMs ?? room.clock.wallMs()
    return { baseOffset, sizeBytes, timestampMs: modifiedMs }
  }

  async #write(capture: Capture): Promise<void> {
    const { room, folder, state } = this.#log
    const { end, producers, snapshot } = capture
    const before = this.#log.checkpoint.recovery
    let hasNewFiles = false
    for (const segment of state.segments) {
      if (segment.baseOffset > end.segment.baseOffset) break
      const isLast = segment === end.segment
      const { offsetEntries, timeEntries, abortedEntries } = isLast ? end.tail : segment.tail()
      const counts = [offsetEntries, timeEntries, abortedEntries]
      for (const [at, index] of segment.indexes.entries()) {
        hasNewFiles ||= index.writtenCount === 0 && counts[at]! > 0
        await index.write(room, counts[at]!)
        if (!isLast) index.seal()
      }
    }
    if (snapshot) await writeSnapshot(room.files, folder, end.offset, snapshot)
    if (snapshot || hasNewFiles) await room.files.syncFolder(folder)
    const recovery = { offset: end.offset, segment: end.segment.baseOffset, tail: end.tail, producers }
    const next: Checkpoint = { logStartOffset: this.#log.logStartOffset, recovery }
    await writeCheckpoint(room.files, folder, next)
    this.#log.checkpoint = next
    if (before.producers > 0 && before.offset !== end.offset) {
      await room.files.remove(join(folder, snapshotName(before.offset)))
    }
  }

  /** Segments wholly below the log start, out of those before `segment`. */
  #droppable(segment: number): number {
    const { state, logStartOffset } = this.#log
    let count = 0
    while (count < state.segments.length - 1) {
      if (state.segments[count + 1]!.baseOffset > logStartOffset || state.segments[count]!.baseOffset >= segment) break
      count += 1
    }
    return count
  }

  async #dropSegments(): Promise<void> {
    const { state, room } = this.#log
    const dropped = state.segments.splice(0, this.#droppable(this.#log.checkpoint.recovery.segment))
    for (const segment of dropped) {
      for (const path of segment.paths) {
        room.openFiles.forgetFile(path)
        room.indexes.forget(path)
        try {
          await room.files.remove(path)
        } catch (error) {
          room.log.warn(
            { path, error: explainError(error) },
            'An old segment could not be removed; the next start does it',
          )
        }
      }
    }
  }
}
