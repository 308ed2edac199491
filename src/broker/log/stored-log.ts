import { Backoff } from '../../base/backoff.ts'
import { explainError, LinkspanError } from '../../base/errors.ts'
import * as header from '../../records/header.ts'
import { AdvanceListeners } from './advance-listeners.ts'
import { checkBatch, refusal } from './append-check.ts'
import { Commit, type LogEnd } from './commit.ts'
import { storageProblem } from './files.ts'
import { replaceLogFolder } from './folders.ts'
import { Sequence } from './limiter.ts'
import { endOf, type LiveLog } from './live-log.ts'
import { LogReader } from './log-reader.ts'
import type { LogState } from './log-state.ts'
import { checkRawBatches, leaderEpoch } from './raw-check.ts'
import { type DurableEnd, type LoadedLog, loadLog } from './recovery.ts'
import type { LogRoom } from './room.ts'
import { relativeOffsetMax, writeInt64 } from './segment.ts'
import { encodeSnapshot } from './snapshot.ts'
import { Timestamps } from './timestamps.ts'
import type * as types from './types.ts'
import { Upkeep } from './upkeep.ts'

const repairBackoff = { initialMs: 250, maxMs: 5000 }

export interface StoredLogOptions {
  room: LogRoom
  topicId: string
  topic: string
  partition: number
  /** Name of its folder, and where that is. */
  name: string
  folder: string
  config: types.LogConfig
  loaded: LoadedLog
}

/**
 * - `open`: takes appends.
 * - `failed`: a write or sync failed; it is read again from the disk, at once or at a later append.
 * - `restarting`, `closed`, `deleted`: takes none; of a deleted log nothing is left.
 */
type Condition =
  | { kind: 'open' | 'restarting' | 'closed' | 'deleted' }
  | { kind: 'failed'; reason: string; repairAtMs: number; isRepairing: boolean }

/** One partition's log on disk. Calls change its state at once and in order; their promises wait for the disk. */
export class StoredLog implements types.PartitionLog {
  readonly topicId: string
  readonly topic: string
  readonly partition: number
  readonly #name: string
  readonly #live: LiveLog
  readonly #room: LogRoom
  readonly #sequence = new Sequence()
  readonly #upkeep: Upkeep
  readonly #reader: LogReader
  readonly #timestamps: Timestamps
  readonly #listeners: AdvanceListeners
  readonly #backoff = new Backoff(repairBackoff)
  #condition: Condition = { kind: 'open' }

  constructor(options: StoredLogOptions) {
    const { room, folder, config, loaded } = options
    this.topicId = options.topicId
    this.topic = options.topic
    this.partition = options.partition
    this.#name = options.name
    this.#room = room
    this.#listeners = new AdvanceListeners(room.log)
    const commit = new Commit(
      room,
      folder,
      {
        end: () => endOf(this.#state),
        capture: () => {
          const { producers } = this.#state
          const snapshot = producers.size === 0 ? undefined : encodeSnapshot(producers.all())
          return { end: endOf(this.#state), producers: producers.size, snapshot }
        },
        onDurable: () => this.#onDurable(),
        onFailed: (error) => this.#onFailed(error),
      },
      endOf(loaded.state),
    )
    const { state, checkpoint, logStartOffset } = loaded
    const onStartMoved = () => this.#listeners.notify()
    this.#live = { room, folder, config, state, checkpoint, logStartOffset, commit, onStartMoved }
    this.#upkeep = new Upkeep(this.#live, this.#sequence, loaded.scannedBytes)
    this.#reader = new LogReader(room, this)
    this.#timestamps = new Timestamps(room, this)
  }

  get bounds(): types.LogBounds {
    const { logStartOffset, state } = this.#live
    const highWatermark = this.durable.offset
    const lastStableOffset = state.producers.transactions.lastStableOffset(highWatermark)
    return { logStartOffset, highWatermark, lastStableOffset: Math.max(logStartOffset, lastStableOffset) }
  }

  /** For this room's readers. */
  get durable(): LogEnd {
    return this.#live.commit.durable
  }

  /** For this room's readers. */
  get state(): LogState {
    return this.#live.state
  }

  get logEndOffset(): number {
    return this.#condition.kind === 'failed' ? this.durable.offset : this.#state.endOffset
  }

  get sizeBytes(): number {
    return this.#state.sizeBytes
  }

  append(batch: Buffer): Promise<types.AppendOutcome> {
    const refused = this.#refuseAppend() ?? checkBatch(batch, this.#live.config, this.#room.clock.wallMs())
    if (refused) return refuse(refused)
    const value: types.Appended = {
      baseOffset: this.#state.endOffset,
      logAppendTimeMs: this.#stamps ? header.maxTimestamp(batch, 0) : -1,
      logStartOffset: this.#live.logStartOffset,
    }
    const producerId = header.producerId(batch, 0)
    const verdict = producerId < 0n ? undefined : this.#judgeProducer(batch, producerId)
    if (verdict?.kind === 'refuse') return refuse(verdict)
    if (verdict?.kind === 'duplicate') {
      const { lastOffset, offsetDelta, timestampMs } = verdict.of
      value.baseOffset = lastOffset - offsetDelta
      if (this.#stamps) value.logAppendTimeMs = timestampMs
      return this.#live.commit.wait(lastOffset + 1, { ok: true, value })
    }
    setOffset(batch, value.baseOffset)
    this.#place(batch, [{ at: 0, size: batch.length }])
    return this.#live.commit.wait(this.#state.endOffset, { ok: true, value })
  }

  appendRaw(batches: Buffer): Promise<types.AppendOutcome> {
    const { endOffset } = this.#state
    const refused = this.#refuseAppend() ?? checkRawBatches(batches, endOffset, this.durable.offset === endOffset)
    if (refused) return refuse(refused)
    const pieces: Piece[] = []
    for (let at = 0; at < batches.length; at += header.batchLength(batches, at)) {
      pieces.push({ at, size: header.batchLength(batches, at) })
    }
    const baseOffset = header.baseOffset(batches, 0)
    this.#place(batches, pieces)
    const value = { baseOffset, logAppendTimeMs: -1, logStartOffset: this.#live.logStartOffset }
    return this.#live.commit.wait(this.#state.endOffset, { ok: true, value })
  }

  read(options: types.ReadOptions): types.ReadOutcome | Promise<types.ReadOutcome> {
    if (this.#condition.kind === 'deleted') {
      return { ok: false, error: 'UNKNOWN_TOPIC_OR_PARTITION', bounds: this.bounds }
    }
    return this.#reader.read(options)
  }

  async findByTimestamp(timestampMs: number): Promise<{ offset: number; timestampMs: number } | undefined> {
    return await this.#timestamps.findFirst(timestampMs)
  }

  async findMaxTimestamp(): Promise<{ offset: number; timestampMs: number } | undefined> {
    return await this.#timestamps.findLargest()
  }

  deleteRecords(offset: number): ReturnType<types.PartitionLog['deleteRecords']> {
    return this.#sequence.run(async () => {
      // A log that is to be repaired may have another start on the disk than in memory.
      const refused = this.#refuseAppend()
      if (refused) return { ok: false, ...refused }
      const { highWatermark, logStartOffset } = this.bounds
      const target = offset === -1 ? highWatermark : offset
      if (target < 0 || target > highWatermark) {
        const message = `The log can start at ${highWatermark} at most`
        return { ok: false, ...refusal('OFFSET_OUT_OF_RANGE', message) }
      }
      if (target > logStartOffset) {
        try {
          await this.#upkeep.moveStart(target)
        } catch (error) {
          return {
            ok: false,
            ...refusal('KAFKA_STORAGE_ERROR', `The log start was not moved: ${storageProblem(error)}`),
          }
        }
      }
      return { ok: true, logStartOffset: this.#live.logStartOffset }
    })
  }

  async restartAt(offset: number): Promise<void> {
    this.#throwGone()
    const condition: Condition = { kind: 'restarting' }
    this.#condition = condition
    await this.#sequence.run(async () => {
      await this.#live.commit.idle()
      this.#throwGone()
      const failure = await replaceLogFolder(this.#room, this.#name, offset).then(
        () => undefined,
        (cause) => new LinkspanError('storage', `The log could not start over at ${offset}`, { cause }),
      )
      // After a failure it is what it was, or has started over all the same; unread, it takes nothing.
      await this.#reload()
      if (this.#condition === condition) this.#condition = { kind: 'open' }
      if (failure) throw failure
    })
  }

  producers(): types.ProducerStateView[] {
    return this.#state.producers.list()
  }

  configure(config: types.LogConfig): void {
    this.#live.config = config
  }

  onAdvance(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Retention, expired producers, a checkpoint when something was appended. */
  async maintain(): Promise<void> {
    await this.#sequence.run(async () => {
      if (this.#refuseAppend()) return
      try {
        await this.#upkeep.maintain()
      } catch (error) {
        const fields = { folder: this.#live.folder, error: explainError(error) }
        this.#room.log.warn(fields, 'Retention could not remove old records; it is tried again later')
      }
    })
  }

  /** Takes no more appends, finishes those that were taken, and leaves nothing for recovery to read. */
  async close(): Promise<void> {
    if (this.#condition.kind === 'deleted' || this.#condition.kind === 'closed') return
    const isOpen = this.#condition.kind === 'open'
    this.#condition = { kind: 'closed' }
    await this.#live.commit.idle()
    if (isOpen) await this.#sequence.run(() => this.#upkeep.tryCheckpoint())
    await this.#sequence.idle()
  }

  /** Gone at once; resolves when nothing touches its files any more. */
  async retire(): Promise<void> {
    this.#condition = { kind: 'deleted' }
    this.#live.commit.stop(new LinkspanError('closed', 'The log was deleted'))
    await this.#live.commit.idle()
    await this.#sequence.idle()
    this.#listeners.notify()
  }

  get #state(): LogState {
    return this.#live.state
  }

  get #stamps(): boolean {
    return this.#live.config.timestampType === 'LogAppendTime'
  }

  #judgeProducer(batch: Buffer, producerId: bigint) {
    const epoch = header.producerEpoch(batch, 0)
    const { producers } = this.#state
    return producers.judge(producerId, epoch, header.baseSequence(batch, 0), header.lastOffsetDelta(batch, 0))
  }

  /** Puts checked batches, which lie one after the other, at the end of the log, in further segments as needed. */
  #place(bytes: Buffer, pieces: readonly Piece[]): void {
    const { state, config, commit } = this.#live
    let start = pieces[0]!.at
    let end = start
    let position = state.active.sizeBytes
    for (const { at, size } of pieces) {
      if (this.#mustRoll(bytes, at, size)) {
        if (at > start) commit.write(state.active, position, bytes.subarray(start, at))
        const isWideGap = header.lastOffset(bytes, at) - state.endOffset > relativeOffsetMax
        this.#upkeep.roll(isWideGap ? header.baseOffset(bytes, at) : state.endOffset)
        start = at
        position = 0
      }
      state.add(bytes, at, size, config.indexIntervalBytes)
      end = at + size
    }
    commit.write(state.active, position, bytes.subarray(start, end))
    this.#upkeep.noteAppended(end - pieces[0]!.at)
  }

  #mustRoll(bytes: Buffer, at: number, size: number): boolean {
    const { state, config } = this.#live
    const { baseOffset, sizeBytes, firstTimestampMs } = state.active
    if (header.lastOffset(bytes, at) - baseOffset > relativeOffsetMax) return true
    if (sizeBytes === 0) return false
    if (sizeBytes + size > config.segmentBytes) return true
    return firstTimestampMs >= 0 && header.maxTimestamp(bytes, at) - firstTimestampMs > config.segmentMs
  }

  #refuseAppend(): types.AppendRefusal | undefined {
    const condition = this.#condition
    if (condition.kind === 'open') {
      return this.#live.commit.isFull ? refusal('KAFKA_STORAGE_ERROR', 'The disk is behind: try again') : undefined
    }
    if (condition.kind !== 'failed') return this.#refuseGone() ?? refusal('KAFKA_STORAGE_ERROR', 'The log starts over')
    if (!condition.isRepairing && this.#room.clock.monotonicMs() >= condition.repairAtMs) this.#repair()
    return refusal('KAFKA_STORAGE_ERROR', condition.reason)
  }

  #refuseGone(): types.AppendRefusal | undefined {
    if (this.#condition.kind === 'deleted') return refusal('UNKNOWN_TOPIC_OR_PARTITION', 'The partition was deleted')
    return this.#condition.kind === 'closed' ? refusal('KAFKA_STORAGE_ERROR', 'The broker is stopping') : undefined
  }

  #throwGone(): void {
    const gone = this.#refuseGone()
    if (gone) throw new LinkspanError('closed', gone.message ?? 'The log is closed')
  }

  #onDurable(): void {
    this.#backoff.reset()
    this.#listeners.notify()
  }

  #onFailed(error: unknown): void {
    const reason = `What was appended could not be made durable: ${storageProblem(error)}`
    this.#live.commit.refuseWaiters(this.#refuseGone() ?? refusal('KAFKA_STORAGE_ERROR', reason))
    if (this.#condition.kind !== 'open') return
    this.#room.log.error({ folder: this.#live.folder, error: explainError(error) }, 'A log could not be written')
    const isFirst = this.#backoff.attempts === 0
    const repairAtMs = this.#room.clock.monotonicMs() + this.#backoff.nextMs()
    this.#condition = { kind: 'failed', reason, repairAtMs, isRepairing: false }
    // A disk that stays full fails the next append again: then it is left alone for a while.
    if (isFirst) this.#repair()
  }

  /** Cuts off what is not on disk for certain and reads the log again, as after a crash. */
  #repair(): void {
    const condition = this.#condition
    if (condition.kind !== 'failed') return
    condition.isRepairing = true
    void this.#sequence.run(async () => {
      if (this.#condition !== condition) return
      const { offset, segment, tail } = this.durable
      try {
        await this.#reload({ offset, segment: segment.baseOffset, position: tail.sizeBytes })
        if (this.#condition === condition) this.#condition = { kind: 'open' }
        this.#room.log.info({ folder: this.#live.folder, endOffset: offset }, 'A log takes appends again')
      } catch (error) {
        condition.repairAtMs = this.#room.clock.monotonicMs() + this.#backoff.nextMs()
        condition.isRepairing = false
        this.#room.log.error({ folder: this.#live.folder, error: explainError(error) }, 'A log could not be repaired')
      }
    })
  }

  /** Takes what is on disk for what there is. Without success the log stays as it was and takes no appends. */
  async #reload(durable?: DurableEnd): Promise<void> {
    const { folder, config, commit } = this.#live
    this.#room.openFiles.forget(folder)
    this.#room.indexes.forgetFolder(folder)
    const loaded = await loadLog(this.#room, folder, config.indexIntervalBytes, durable)
    if (durable && loaded.state.endOffset !== durable.offset) {
      const problem = `it ends at ${loaded.state.endOffset}, ${durable.offset} was on disk`
      throw new LinkspanError('corrupt', `The log in ${folder} has lost records: ${problem}`)
    }
    this.#live.state = loaded.state
    this.#live.checkpoint = loaded.checkpoint
    this.#live.logStartOffset = loaded.logStartOffset
    commit.restart(endOf(loaded.state))
    this.#listeners.notify()
  }
}

interface Piece {
  at: number
  size: number
}

function refuse(refused: types.AppendRefusal): Promise<types.AppendOutcome> {
  const { error, message, recordErrors } = refused
  return Promise.resolve({
    ok: false,
    error,
    ...(message === undefined ? {} : { message }),
    ...(recordErrors === undefined ? {} : { recordErrors }),
  })
}

/** Outside of what the CRC covers. */
function setOffset(batch: Buffer, baseOffset: number): void {
  writeInt64(batch, header.baseOffsetAt, baseOffset)
  batch.writeInt32BE(leaderEpoch, header.leaderEpochAt)
}
