import { LinkspanError } from '../../base/errors.ts'
import { lastOffsetDelta, maxTimestamp } from '../../records/header.ts'
import type {
  AppendOutcome,
  LogBounds,
  LogConfig,
  Logs,
  PartitionLog,
  ProducerStateView,
  ReadOptions,
  ReadOutcome,
} from '../log/types.ts'

interface Stored {
  baseOffset: number
  lastOffset: number
  bytes: Buffer
}

/** A partition's log in memory, as far as handlers can tell; it judges nothing. Tests hold it up and spoil it. */
export class TestPartitionLog implements PartitionLog {
  readonly topicId: string
  readonly topic: string
  readonly partition: number
  readonly batches: Stored[] = []
  readonly listeners = new Set<() => void>()
  readonly restarts: number[] = []
  listenersMax = 100
  config: LogConfig
  raw = 0
  reads = 0
  releases = 0
  /** What the next append is answered. */
  refuse: (AppendOutcome & { ok: false }) | Error | undefined
  /** Appends are on disk once this resolves. */
  held: Promise<void> | undefined
  openTransactionAt: number | undefined
  aborted: { producerId: bigint; firstOffset: number }[] = []
  producerStates: ProducerStateView[] = []
  #start = 0
  #end = 0
  #durable = 0

  constructor(at: { topicId: string; topic: string; partition: number }, config: LogConfig) {
    this.topicId = at.topicId
    this.topic = at.topic
    this.partition = at.partition
    this.config = config
  }

  get bounds(): LogBounds {
    const highWatermark = this.#durable
    const lastStableOffset = Math.min(this.openTransactionAt ?? highWatermark, highWatermark)
    return { logStartOffset: this.#start, highWatermark, lastStableOffset }
  }

  get logEndOffset(): number {
    return this.#end
  }

  get sizeBytes(): number {
    return this.batches.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  append(batch: Buffer): Promise<AppendOutcome> {
    return this.#add(batch, this.#end)
  }

  appendRaw(batches: Buffer): Promise<AppendOutcome> {
    this.raw += 1
    return this.#add(batches, Number(batches.readBigInt64BE(0)))
  }

  async #add(batch: Buffer, baseOffset: number): Promise<AppendOutcome> {
    const { refuse } = this
    this.refuse = undefined
    if (refuse instanceof Error) throw refuse
    if (refuse) return refuse
    const bytes = Buffer.from(batch)
    bytes.writeBigInt64BE(BigInt(baseOffset), 0)
    const lastOffset = baseOffset + lastOffsetDelta(bytes, 0)
    this.batches.push({ baseOffset, lastOffset, bytes })
    this.#end = lastOffset + 1
    await this.held
    this.#durable = Math.max(this.#durable, lastOffset + 1)
    this.advance()
    return { ok: true, value: { baseOffset, logAppendTimeMs: -1, logStartOffset: this.#start } }
  }

  advance(): void {
    for (const listener of [...this.listeners]) listener()
  }

  read({ offset, bytesMax, firstBatchWhole, isolation }: ReadOptions): ReadOutcome {
    this.reads += 1
    const { bounds } = this
    if (offset < this.#start || offset > this.#end) return { ok: false, error: 'OFFSET_OUT_OF_RANGE', bounds }
    const end = isolation === 'committed' ? bounds.lastStableOffset : bounds.highWatermark
    const chosen: Buffer[] = []
    let bytes = 0
    for (const batch of this.batches) {
      if (batch.lastOffset < offset || batch.lastOffset >= end) continue
      if (bytes + batch.bytes.length > bytesMax && !(bytes === 0 && firstBatchWhole)) break
      chosen.push(batch.bytes)
      bytes += batch.bytes.length
    }
    const release = () => {
      this.releases += 1
    }
    return { ok: true, records: Buffer.concat(chosen), bounds, aborted: this.aborted, release }
  }

  async findByTimestamp(timestampMs: number) {
    const found = this.batches.find(({ bytes }) => maxTimestamp(bytes, 0) >= timestampMs)
    return found && { offset: found.baseOffset, timestampMs: maxTimestamp(found.bytes, 0) }
  }

  async findMaxTimestamp() {
    const largest = Math.max(...this.batches.map(({ bytes }) => maxTimestamp(bytes, 0)))
    return this.findByTimestamp(largest)
  }

  async deleteRecords(offset: number) {
    if (offset < -1 || offset > this.#durable) return { ok: false, error: 'OFFSET_OUT_OF_RANGE' } as const
    this.#start = Math.max(this.#start, offset === -1 ? this.#durable : offset)
    this.advance()
    return { ok: true, logStartOffset: this.#start } as const
  }

  async restartAt(offset: number): Promise<void> {
    this.restarts.push(offset)
    this.batches.length = 0
    this.#start = offset
    this.#end = offset
    this.#durable = offset
  }

  producers(): ProducerStateView[] {
    return this.producerStates
  }

  configure(config: LogConfig): void {
    this.config = config
  }

  onAdvance(listener: () => void): () => void {
    if (this.listeners.size >= this.listenersMax) throw new LinkspanError('rate-limited', 'too many')
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}

/** All logs of a test's broker. `folder` outlives it, as a disk does. */
export class TestLogs implements Logs {
  readonly folder: Map<string, TestPartitionLog>
  /** Names of topics whose logs cannot be opened, or deleted. */
  readonly unopenable = new Set<string>()
  readonly undeletable = new Set<string>()

  constructor(folder: Map<string, TestPartitionLog> = new Map()) {
    this.folder = folder
  }

  get(topicId: string, partition: number): TestPartitionLog | undefined {
    return this.folder.get(`${topicId}-${partition}`)
  }

  list(): { topicId: string; partition: number }[] {
    return [...this.folder.values()].map(({ topicId, partition }) => ({ topicId, partition }))
  }

  async open(at: { topicId: string; topic: string; partition: number }, config: LogConfig): Promise<PartitionLog> {
    await undefined
    if (this.unopenable.has(at.topic)) throw new Error('no room')
    const log = this.get(at.topicId, at.partition) ?? new TestPartitionLog(at, config)
    log.config = config
    this.folder.set(`${at.topicId}-${at.partition}`, log)
    return log
  }

  async delete(topicId: string, partition: number): Promise<void> {
    const log = this.get(topicId, partition)
    if (log && this.undeletable.has(log.topic)) throw new Error('disk failed')
    this.folder.delete(`${topicId}-${partition}`)
  }

  async checkRetention(): Promise<void> {}

  async usage(): Promise<{ totalBytes: number; usableBytes: number }> {
    return { totalBytes: 1000, usableBytes: 400 }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
