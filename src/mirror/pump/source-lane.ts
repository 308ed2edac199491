import { Backoff } from '../../base/backoff.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { isLinkspanError, LinkspanError } from '../../base/errors.ts'
import type { KafkaConnection } from '../../kafka/connection.ts'
import { fetch } from '../../wire/api/01-fetch.ts'
import type { ResponseOf } from '../../wire/schema.ts'
import { FrameHold } from './batches.ts'
import { type FetchPart, type FetchPlan, fetchVersionMax, planFetch } from './fetch-plan.ts'
import { type IntakeRules, takeBatches } from './intake.ts'
import type { PumpPartition } from './partition.ts'
import { oldBeforeMs } from './quarantine.ts'
import type { PumpSettings } from './settings.ts'

export type FetchAnswer = ResponseOf<typeof fetch>['responses'][number]['partitions'][number]

/** What a source lane tells the pump; each may take the partition from the lane at once. */
export interface SourceOwner {
  /** New batches are queued, or an obstacle was met. */
  read(partition: PumpPartition): void
  /** Old data comes next while late appends are still possible; all before it is acknowledged. */
  quarantined(partition: PumpPartition): void
  /** The answer for this partition holds an error, or says that the log is another one. */
  refused(partition: PumpPartition, answer: FetchAnswer): void
  /** The connection is gone or cannot be opened; the lane goes on by itself unless its partitions are moved. */
  lost(lane: SourceLane, error: LinkspanError): void
  /** Everything of one answer is queued. */
  flush(): void
}

const redial = { initialMs: 50, maxMs: 5000 }
/** While partitions wait for room, the broker may not hold a fetch for long: they would wait with it. */
const crowdedWaitMs = 10
/** So that a partition among many still passes more than a batch at a time. */
const roomBytesMin = 256 * 1024

/** One connection to one source broker: fetches in turn whatever has room, and queues the batches of the answers. */
export class SourceLane implements AsyncDisposable {
  readonly nodeId: number
  readonly partitions = new Set<PumpPartition>()
  readonly #owner: SourceOwner
  readonly #settings: PumpSettings
  readonly #clock: Clock
  readonly #memoryBytes: number
  readonly #leaderEpoch: (partition: PumpPartition) => number
  readonly #dial: (signal: AbortSignal) => Promise<KafkaConnection>
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  /** Partitions whose next batch is old, while late appends are still possible: what they have read goes first. */
  readonly #heldBack = new Set<PumpPartition>()
  #connection: KafkaConnection | undefined
  #rotation = 0
  #wake: (() => void) | undefined

  constructor(
    nodeId: number,
    options: {
      owner: SourceOwner
      settings: PumpSettings
      clock: Clock
      /** Of the slabs that this lane reads into. */
      memoryBytes: number
      /** As metadata said last; −1 when it did not. */
      leaderEpoch: (partition: PumpPartition) => number
      dial: (signal: AbortSignal) => Promise<KafkaConnection>
    },
  ) {
    this.nodeId = nodeId
    this.#owner = options.owner
    this.#settings = options.settings
    this.#clock = options.clock
    this.#memoryBytes = options.memoryBytes
    this.#leaderEpoch = options.leaderEpoch
    this.#dial = options.dial
    this.#running = this.#run()
  }

  add(partition: PumpPartition): void {
    this.partitions.add(partition)
    this.wake()
  }

  remove(partition: PumpPartition): void {
    this.partitions.delete(partition)
    this.#heldBack.delete(partition)
  }

  /** Some partition may have room again. */
  wake(): void {
    this.#wake?.()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new LinkspanError('closed', 'The source lane was closed'))
    this.wake()
    this.#connection?.close()
    await this.#running
  }

  async #run(): Promise<void> {
    const backoff = new Backoff(redial)
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        while (this.partitions.size === 0) await this.#room()
        this.#connection = await this.#dial(signal)
        backoff.reset()
        await this.#fetchOn(this.#connection)
      } catch (cause) {
        this.#connection?.close()
        if (signal.aborted) return
        const error = isLinkspanError(cause) ? cause : new LinkspanError('internal', 'Fetching failed', { cause })
        this.#owner.lost(this, error)
        await sleep(backoff.nextMs(), signal).catch(() => {})
      }
    }
  }

  async #fetchOn(connection: KafkaConnection): Promise<never> {
    const version = connection.versions.choose(fetch, fetchVersionMax)
    void connection.closed.then(() => this.wake())
    for (;;) {
      const plan = this.#plan(version)
      if (!plan) {
        await this.#room()
        if (connection.failure) throw connection.failure
        continue
      }
      const timeoutMs = this.#settings.requestTimeoutMs + plan.waitMs
      const { answer, frame } = await connection.requestFrame(fetch, plan.body, { version, timeoutMs })
      const hold = new FrameHold(frame)
      try {
        this.#take(plan, answer, hold)
      } finally {
        hold.release()
      }
      this.#owner.flush()
    }
  }

  #plan(version: number): FetchPlan | undefined {
    const { fetchWaitMs, fetchBytes } = this.#settings
    const room = this.#roomBytes()
    const able: PumpPartition[] = []
    let crowded = false
    for (const partition of this.partitions) {
      if (!partition.flows || partition.obstacle) continue
      const heldBack = partition.pendingBytes > 0 && this.#heldBack.has(partition)
      if (partition.pendingBytes < room && !heldBack) able.push(partition)
      else crowded = true
    }
    if (able.length === 0) return undefined
    this.#rotation = (this.#rotation + 1) % able.length
    const waitMs = crowded ? Math.min(crowdedWaitMs, fetchWaitMs) : fetchWaitMs
    const leaderEpoch = this.#leaderEpoch
    return planFetch(able, { version, waitMs, fetchBytes, rotation: this.#rotation, leaderEpoch })
  }

  /** What one partition may have queued and unanswered: its share of the slabs, so that none can take them all. */
  #roomBytes(): number {
    const shareBytes = this.#memoryBytes / 2 / Math.max(1, this.partitions.size)
    return Math.max(roomBytesMin, Math.floor(shareBytes))
  }

  async #room(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      if (this.#closing.signal.aborted) resolve()
    })
    this.#wake = undefined
    this.#closing.signal.throwIfAborted()
  }

  #take(plan: FetchPlan, answer: ResponseOf<typeof fetch>, hold: FrameHold): void {
    const nowMs = this.#clock.monotonicMs()
    const rules: IntakeRules = {
      batchBytesMax: this.#settings.batchBytesMax,
      oldBeforeMs: oldBeforeMs(this.#settings, this.#clock.wallMs()),
      nowMs,
    }
    if (answer.errorCode !== 0) {
      const text = `The source refused the fetch as a whole with error ${answer.errorCode}`
      throw new LinkspanError('kafka-retriable', text)
    }
    for (const topic of answer.responses) {
      for (const one of topic.partitions) {
        const part = plan.find(topic, one.partitionIndex)
        if (part && this.#isCurrent(part)) this.#takeOne(part.partition, one, hold, rules)
      }
    }
  }

  /** Between request and answer the partition may have been stopped, moved or opened anew. */
  #isCurrent({ partition, generation, offset }: FetchPart): boolean {
    const same = partition.generation === generation && partition.nextOffset === offset
    return same && partition.flows && this.partitions.has(partition)
  }

  #takeOne(partition: PumpPartition, answer: FetchAnswer, hold: FrameHold, rules: IntakeRules): void {
    if (answer.errorCode !== 0 || answer.divergingEpoch.endOffset >= 0) {
      this.#owner.refused(partition, answer)
      return
    }
    partition.seeSource(answer.highWatermark, rules.nowMs)
    const records = answer.records as Buffer | null
    if (!records || records.length === 0) return
    const taken = takeBatches(partition, records, hold, rules) === 'taken'
    if (taken) this.#heldBack.delete(partition)
    else this.#heldBack.add(partition)
    if (taken || partition.pendingBytes > 0) this.#owner.read(partition)
    else this.#owner.quarantined(partition)
  }
}
