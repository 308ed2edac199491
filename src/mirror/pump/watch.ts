import { type Clock, sleep } from '../../base/clock.ts'
import { isLinkspanError } from '../../base/errors.ts'
import { listOffsets } from '../../wire/api/02-list-offsets.ts'
import { logEndReplicaId } from './asks.ts'
import type { PumpPartition } from './partition.ts'
import type { PumpSettings } from './settings.ts'
import type { Side } from './side.ts'

const consumerReplicaId = -1
const latest = -1
const askTimeoutMs = 5000

export interface WatchOptions {
  destination: Side
  settings: PumpSettings
  clock: Clock
  /** Those that flow. */
  partitions: () => Iterable<PumpPartition>
  /** The log ends before what was acknowledged. */
  doubt: (partition: PumpPartition, message: string) => void
  /** The log goes on behind what was acknowledged, although nothing of ours is under way. */
  moved: (partition: PumpPartition) => void
}

/** A partition as it was when its log end was asked for. */
interface Watched {
  partition: PumpPartition
  generation: number
  sentEnd: number
  quiet: boolean
}

/**
 * Asks every destination broker again and again, in one request for all of its partitions: the high watermark, which
 * alone counts as mirrored, and the log end, where a foreign append to a quiet partition shows.
 */
export class Watch implements AsyncDisposable {
  readonly #options: WatchOptions
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  /** Nodes with a question under way: one that does not answer must not hold up the others. */
  readonly #asking = new Map<number, Promise<void>>()

  constructor(options: WatchOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('The watch was closed'))
    await this.#running
    await Promise.all(this.#asking.values())
  }

  async #run(): Promise<void> {
    const { settings, clock } = this.#options
    const { signal } = this.#closing
    let endsDueMs = 0
    while (!signal.aborted) {
      const nowMs = clock.monotonicMs()
      const endsDue = nowMs >= endsDueMs
      if (endsDue) endsDueMs = nowMs + settings.watchIntervalMs
      this.#round(endsDue)
      await sleep(settings.confirmIntervalMs, signal).catch(() => {})
    }
  }

  /** `all`: every partition, and the log ends too; else only what waits to be confirmed. */
  #round(all: boolean): void {
    const byNode = new Map<number, PumpPartition[]>()
    for (const partition of this.#options.partitions()) {
      if (!all && partition.confirmedEnd >= partition.acknowledgedEnd) continue
      const { topic, partition: index } = partition.start
      const leader = this.#options.destination.leader(topic, index)
      if (!leader || this.#asking.has(leader.nodeId)) continue
      const known = byNode.get(leader.nodeId)
      if (known) known.push(partition)
      else byNode.set(leader.nodeId, [partition])
    }
    for (const [nodeId, partitions] of byNode) {
      const asking = Promise.all([
        this.#quietly(this.#confirm(nodeId, partitions)),
        ...(all ? [this.#quietly(this.#checkEnds(nodeId, partitions))] : []),
      ]).then(() => void this.#asking.delete(nodeId))
      this.#asking.set(nodeId, asking)
    }
  }

  /** A broker that cannot be asked now is asked in the next round; lanes notice by themselves that it is gone. */
  async #quietly(asking: Promise<void>): Promise<void> {
    try {
      await asking
    } catch (error) {
      if (!isLinkspanError(error) && !this.#closing.signal.aborted) throw error
    }
  }

  async #confirm(nodeId: number, partitions: PumpPartition[]): Promise<void> {
    const asked = partitions.map((partition) => ({ partition, generation: partition.generation }))
    const offsets = await this.#ask(nodeId, partitions, consumerReplicaId)
    for (const { partition, generation } of asked) {
      const offset = offsets(partition)
      if (offset !== undefined && partition.generation === generation) partition.confirm(offset)
    }
  }

  async #checkEnds(nodeId: number, partitions: PumpPartition[]): Promise<void> {
    const watched: Watched[] = partitions.map((partition) => ({
      partition,
      generation: partition.generation,
      sentEnd: partition.sentEnd,
      quiet: partition.unanswered === 0,
    }))
    const offsets = await this.#ask(nodeId, partitions, logEndReplicaId)
    for (const { partition, generation, sentEnd, quiet } of watched) {
      const logEnd = offsets(partition)
      const unchanged = quiet && partition.generation === generation && partition.sentEnd === sentEnd
      if (logEnd === undefined || !unchanged || !partition.flows) continue
      if (logEnd > partition.acknowledgedEnd) this.#options.moved(partition)
      else if (logEnd < partition.acknowledgedEnd) {
        const { acknowledgedEnd } = partition
        const text = `The destination lost its log's end: it is ${logEnd} now, ${acknowledgedEnd} was acknowledged`
        this.#options.doubt(partition, text)
      }
    }
  }

  async #ask(nodeId: number, partitions: PumpPartition[], replicaId: number) {
    const { destination } = this.#options
    const { signal } = this.#closing
    const topics = new Map<string, { partitionIndex: number; currentLeaderEpoch: number; timestamp: number }[]>()
    for (const { start } of partitions) {
      const currentLeaderEpoch = destination.leader(start.topic, start.partition)?.leaderEpoch ?? -1
      const wanted = { partitionIndex: start.partition, currentLeaderEpoch, timestamp: latest }
      const known = topics.get(start.topic)
      if (known) known.push(wanted)
      else topics.set(start.topic, [wanted])
    }
    const connection = await destination.cluster.connection(
      { to: 'node', nodeId },
      { signal, deadlineMs: askTimeoutMs },
    )
    const body = { replicaId, topics: [...topics].map(([name, wanted]) => ({ name, partitions: wanted })) }
    const answer = await connection.request(listOffsets, body, { versionMax: 9, timeoutMs: askTimeoutMs, signal })
    const offsets = new Map<string, number>()
    for (const topic of answer.topics) {
      for (const one of topic.partitions) {
        if (one.errorCode === 0) offsets.set(`${topic.name}/${one.partitionIndex}`, one.offset)
      }
    }
    return ({ start }: PumpPartition) => offsets.get(`${start.topic}/${start.partition}`)
  }
}
