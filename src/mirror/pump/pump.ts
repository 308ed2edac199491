import type { Clock } from '../../base/clock.ts'
import { isLinkspanError, LinkspanError } from '../../base/errors.ts'
import type { LinkId } from '../../base/ids.ts'
import type { DestinationLane, DestinationOwner } from './destination-lane.ts'
import { investigate } from './foreign.ts'
import { type Judgement, judgeAppend, judgeFetch } from './judgement.ts'
import { LaneSet } from './lane-set.ts'
import { openPartition } from './opener.ts'
import type { Opening } from './opening.ts'
import { PumpPartition, partitionKey } from './partition.ts'
import type { EventNotice, PartitionRef, PumpNotice, StartPartition, StopFacts, StopReason } from './protocol.ts'
import { quarantineMs } from './quarantine.ts'
import { stopReason } from './reasons.ts'
import type { PumpSettings } from './settings.ts'
import type { Side } from './side.ts'
import type { SourceLane, SourceOwner } from './source-lane.ts'
import { finishPartition } from './stopping.ts'
import { Turns } from './turns.ts'
import { Watch } from './watch.ts'

export interface PumpOptions {
  linkId: LinkId
  source: Side
  destination: Side
  settings: PumpSettings
  clock: Clock
  notify: (notice: PumpNotice) => void
}

const partitionsMax = 100_000
const openersMax = 64
/** What has flowed for longer is not failing again and again. */
const steadyMs = 10_000
const pauseMs = { initial: 20, max: 5000 }

/** The data path of one link: its lanes, its partitions, and what becomes of each. */
export class Pump implements AsyncDisposable {
  readonly #options: PumpOptions
  readonly #partitions = new Map<string, PumpPartition>()
  readonly #attached = new Map<PumpPartition, { source: SourceLane; destination: DestinationLane }>()
  readonly #lanes: LaneSet
  /** The lane that carries a partition's unanswered appends, also after it was taken off. */
  readonly #carriers = new Map<PumpPartition, DestinationLane>()
  /** Who stopped with appends unanswered, by who takes its place and has to wait for the answers. */
  readonly #predecessors = new Map<PumpPartition, PumpPartition>()
  readonly #pauses = new Map<PumpPartition, NodeJS.Timeout>()
  readonly #waiters = new Map<PumpPartition, () => void>()
  readonly #openers = new Turns(openersMax)
  readonly #watch: Watch
  #closed = false

  constructor(options: PumpOptions) {
    this.#options = options
    this.#lanes = new LaneSet(options, this.#sourceOwner(), this.#destinationOwner())
    this.#watch = new Watch({
      ...options,
      partitions: () => this.#attached.keys(),
      doubt: (partition, message) => this.#doubt(partition, new LinkspanError('destination-changed', message)),
      moved: (partition) => this.#suspect(partition),
    })
  }

  /** A partition that stopped may be started again. Errors: `already-exists`. */
  start(start: StartPartition): void {
    const partition = new PumpPartition(start, this.#options.destination)
    const known = this.#partitions.get(partition.key)
    if (known && known.phase !== 'stopped') {
      throw new LinkspanError('already-exists', `Partition ${start.topic}-${start.partition} is being pumped already`)
    }
    if (this.#partitions.size >= partitionsMax) {
      throw new LinkspanError('too-large', `A link has at most ${partitionsMax} partitions`)
    }
    if (!start.settled) partition.beginQuarantine(undefined)
    if (known && known.unanswered > 0) this.#predecessors.set(partition, known)
    this.#partitions.set(partition.key, partition)
    this.#proceed(partition)
  }

  /** Undefined when it is not here. Afterwards nothing of ours is written to it. */
  async stop(ref: PartitionRef, mode: 'drain' | 'now'): Promise<StopFacts | undefined> {
    const partition = this.#partitions.get(partitionKey(ref))
    if (!partition) return undefined
    const facts = await finishPartition(partition, mode, {
      ...this.#options,
      release: () => this.#release(partition),
      breakOff: (error) => this.#carriers.get(partition)?.breakOff(error),
      settled: () => new Promise((resolve) => this.#waiters.set(partition, resolve)),
    })
    this.#waiters.delete(partition)
    this.#carriers.delete(partition)
    this.#predecessors.delete(partition)
    if (this.#partitions.get(partition.key) === partition) this.#partitions.delete(partition.key)
    return facts
  }

  /** Statistics of what has changed since the last time. */
  takeStats(): void {
    const nowMs = this.#options.clock.monotonicMs()
    const partitions = []
    for (const partition of this.#partitions.values()) {
      if (!partition.changed) continue
      // Lag in time grows by itself, so a partition that lags stays on the list.
      partition.changed = partition.lag.ageMs(nowMs) > 0
      partitions.push(partition.stats(nowMs))
    }
    if (partitions.length > 0) this.#options.notify({ kind: 'stats', linkId: this.#options.linkId, partitions })
  }

  refs(): PartitionRef[] {
    const { linkId } = this.#options
    return [...this.#partitions.values()].map(({ start }) => {
      return { linkId, mirrorId: start.mirrorId, partition: start.partition }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.#watch[Symbol.asyncDispose]()
    for (const partition of this.#partitions.values()) {
      partition.ending.abort(new LinkspanError('closed', 'The link was closed'))
      this.#release(partition)
    }
    await this.#lanes[Symbol.asyncDispose]()
    await this.#options.source.cluster[Symbol.asyncDispose]()
    await this.#options.destination.cluster[Symbol.asyncDispose]()
  }

  /** Opens a waiting partition as soon as nothing of it is unanswered, after a pause that grows with its failures. */
  #proceed(partition: PumpPartition): void {
    if (this.#closed || !this.#mayOpen(partition) || this.#pauses.has(partition)) return
    const { failures } = partition
    const ceilingMs = failures === 0 ? 0 : Math.min(pauseMs.max, pauseMs.initial * 2 ** Math.min(failures, 16))
    const timer = setTimeout(
      () => {
        void this.#openers.run(() => this.#open(partition))
      },
      ceilingMs * (0.5 + Math.random() / 2),
    )
    this.#pauses.set(partition, timer)
  }

  #mayOpen(partition: PumpPartition): boolean {
    const predecessor = this.#predecessors.get(partition)
    if (predecessor?.unanswered === 0) this.#predecessors.delete(partition)
    return partition.waits && partition.unanswered === 0 && !this.#predecessors.has(partition)
  }

  async #open(partition: PumpPartition): Promise<void> {
    this.#pauses.delete(partition)
    if (this.#closed || !this.#mayOpen(partition)) return
    partition.apply({ kind: 'open' })
    const { generation } = partition
    const opening = await this.#tryOpen(partition)
    if (this.#closed || !partition.opens || partition.generation !== generation) return
    if (opening.kind === 'stop') this.#fail(partition, opening.reason)
    else if (opening.kind === 'retry') this.#doubt(partition, opening.error)
    else this.#begin(partition, opening)
  }

  async #tryOpen(partition: PumpPartition): Promise<Opening> {
    const onDraining = (offset: number) => {
      partition.apply({ kind: 'drain' })
      const { mirrorId, partition: index } = partition.start
      const { drainGraceMs: graceMs } = this.#options.settings
      this.#tell({ name: 'draining', mirrorId, partition: index, offset, graceMs })
    }
    try {
      const opening = await openPartition(partition, { ...this.#options, onDraining }, partition.ending.signal)
      if (opening.kind === 'opened') await this.#lanes.destination(opening.destinationNode).ready()
      return opening
    } catch (cause) {
      const error = isLinkspanError(cause) ? cause : new LinkspanError('internal', 'Opening failed', { cause })
      return { kind: 'retry', error }
    }
  }

  #begin(partition: PumpPartition, opening: Opening & { kind: 'opened' }): void {
    const { clock, settings } = this.#options
    const { logEnd, epoch, readFrom, sourceHighWatermark, sourceNode, destinationNode } = opening
    const nowMs = clock.monotonicMs()
    if (partition.quarantineUntilMs > nowMs) partition.quarantineUntilMs = nowMs + quarantineMs(settings)
    partition.resumeAt(logEnd, epoch, readFrom)
    partition.seeSource(sourceHighWatermark, nowMs)
    partition.openedMs = nowMs
    partition.trouble = undefined
    partition.apply({ kind: 'opened' })
    const lanes = { source: this.#lanes.source(sourceNode), destination: this.#lanes.destination(destinationNode) }
    this.#attached.set(partition, lanes)
    this.#carriers.set(partition, lanes.destination)
    lanes.destination.add(partition)
    lanes.source.add(partition)
    const { mirrorId, partition: index } = partition.start
    this.#tell({ name: 'flowing', mirrorId, partition: index, offset: logEnd })
  }

  /**
   * Something is not as we thought: everything is asked anew, from the destination's log end on. `parked`: the caller
   * says when.
   */
  #doubt(partition: PumpPartition, error: LinkspanError, parked = false): void {
    if (partition.phase === 'waiting') this.#proceed(partition)
    if (!partition.flows && !partition.opens) return
    const wasOpen = partition.flows
    const nowMs = this.#options.clock.monotonicMs()
    this.#release(partition)
    partition.prolongQuarantine(nowMs)
    partition.generation += 1
    partition.failures = wasOpen && nowMs - partition.openedMs > steadyMs ? 1 : partition.failures + 1
    partition.trouble = { code: error.code, message: error.message }
    partition.apply({ kind: 'doubt' })
    if (wasOpen) {
      partition.resumes += 1
      const { mirrorId, partition: index } = partition.start
      const { message } = error
      this.#tell({ name: 'doubt', mirrorId, partition: index, offset: partition.acknowledgedEnd, message })
    }
    if (!parked) this.#proceed(partition)
  }

  /** The connection died: what was unanswered on it may still arrive. */
  #lost(partition: PumpPartition, error: LinkspanError): void {
    if (partition.sentEnd > partition.acknowledgedEnd) {
      partition.beginQuarantine(partition.sentEnd)
      partition.lostAppends = true
    }
    this.#doubt(partition, error)
  }

  #fail(partition: PumpPartition, reason: StopReason): void {
    if (partition.phase === 'stopped') return
    this.#release(partition)
    partition.generation += 1
    partition.apply({ kind: 'stop', reason })
    partition.ending.abort(new LinkspanError('closed', 'The partition stopped'))
    const { mirrorId, topic, partition: index } = partition.start
    const { linkId } = this.#options
    this.#options.notify({ kind: 'stopped', linkId, mirrorId, topic, partition: index, reason })
  }

  /** Nothing more is written from now on; who wrote is found out before it is told. */
  #foreign(partition: PumpPartition, offset: number, found?: number): void {
    if (partition.phase === 'stopped') return
    this.#release(partition)
    partition.generation += 1
    const reason = stopReason('foreign-write', 'Somebody else wrote to the mirror', offset)
    const wasFinishing = partition.phase === 'finishing'
    partition.apply({ kind: 'stop', reason })
    void investigate(partition, { ...this.#options, offset, found }).then((found) => {
      partition.state = { phase: 'stopped', reason: found }
      const { mirrorId, topic, partition: index } = partition.start
      const { linkId } = this.#options
      this.#options.notify({ kind: 'stopped', linkId, mirrorId, topic, partition: index, reason: found })
      if (wasFinishing) this.#waiters.get(partition)?.()
    })
  }

  /** The log goes on behind our last append: late ones of our own are looked at anew, anything else stops. */
  #suspect(partition: PumpPartition): void {
    const late = partition.quarantineUntilMs > this.#options.clock.monotonicMs()
    const offset = partition.acknowledgedEnd
    this.#doubt(
      partition,
      new LinkspanError('kafka-retriable', 'The destination has more than we have appended'),
      !late,
    )
    if (late) return
    void investigate(partition, { ...this.#options, offset, found: undefined }).then((reason) => {
      if (!partition.waits) return
      if (reason.details.own === true) this.#proceed(partition)
      else this.#fail(partition, reason)
    })
  }

  /** Off the lanes; what was read and not sent is dropped. */
  #release(partition: PumpPartition): void {
    clearTimeout(this.#pauses.get(partition))
    this.#pauses.delete(partition)
    const lanes = this.#attached.get(partition)
    lanes?.source.remove(partition)
    lanes?.destination.remove(partition)
    this.#attached.delete(partition)
    partition.dropQueue()
  }

  /** An obstacle counts when all before it is acknowledged. */
  #meetObstacle(partition: PumpPartition): void {
    const { obstacle } = partition
    if (obstacle && partition.flows && partition.pendingBytes === 0) this.#fail(partition, obstacle)
  }

  #decide(partition: PumpPartition, judgement: Judgement): void {
    if (judgement.kind === 'foreign') this.#foreign(partition, judgement.offset, judgement.found)
    else if (judgement.kind === 'stop') this.#fail(partition, judgement.reason)
    else if (judgement.kind === 'doubt') this.#doubt(partition, judgement.error)
  }

  #tell(event: EventNotice['event']): void {
    this.#options.notify({ kind: 'event', linkId: this.#options.linkId, event })
  }

  #settled(partition: PumpPartition): void {
    this.#waiters.get(partition)?.()
    this.#meetObstacle(partition)
    const current = this.#partitions.get(partition.key)
    if (current) this.#proceed(current)
  }

  #sourceOwner(): SourceOwner {
    return {
      read: (partition) => {
        this.#attached.get(partition)?.destination.wake(partition)
        this.#meetObstacle(partition)
      },
      quarantined: (partition) => {
        const text = 'Old data came while late appends are still possible'
        this.#doubt(partition, new LinkspanError('kafka-retriable', text))
      },
      refused: (partition, answer) => this.#decide(partition, judgeFetch(partition, answer)),
      lost: (lane, error) => {
        this.#tell({ name: 'source-unreachable', code: error.code, message: error.message })
        for (const partition of [...lane.partitions]) this.#doubt(partition, error)
      },
      flush: () => this.#lanes.flush(),
    }
  }

  #destinationOwner(): DestinationOwner {
    return {
      refused: (partition, append, answer) => this.#decide(partition, judgeAppend(partition, append, answer)),
      lost: (partition, error) => this.#lost(partition, error),
      settled: (partition) => this.#settled(partition),
      progressed: () => this.#lanes.wake(),
    }
  }
}
