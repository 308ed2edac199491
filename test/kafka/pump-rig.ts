import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { LinkId, MirrorId } from '../../src/base/ids.ts'
import type {
  EventNotice,
  OpenLink,
  PartitionStats,
  PumpNotice,
  StartPartition,
  StoppedNotice,
} from '../../src/mirror/pump/protocol.ts'
import type { PumpSettings } from '../../src/mirror/pump/settings.ts'
import { type Process, startProcess, waitFor } from '../support/process.ts'
import type { PumpJob } from './pump-child.ts'
import { specOf } from './raw-log.ts'

export interface RigOptions {
  source: { bootstrap: string; clusterId: string }
  destination: { bootstrap: string; clusterId: string }
  sourceTopic: string
  sourceTopicId: string
  topic: string
  topicId: string
  partitions: number
  settings?: Partial<PumpSettings>
}

/** One mirror with everything that its pumps have said, over all the processes that were killed. */
export class PumpRig implements AsyncDisposable {
  readonly linkId: LinkId = randomUUID()
  readonly mirrorId: MirrorId = randomUUID()
  readonly stats = new Map<number, PartitionStats>()
  readonly stopped = new Map<number, StoppedNotice['reason']>()
  readonly events: EventNotice['event'][] = []
  readonly #options: RigOptions
  #process: Process | undefined
  #read = 0

  constructor(options: RigOptions) {
    this.#options = options
  }

  /** Of the latest process; −1 before the first. */
  get pid(): number {
    return this.#process?.pid ?? -1
  }

  open(): OpenLink {
    const { source, destination, settings = {} } = this.#options
    return {
      kind: 'openLink',
      linkId: this.linkId,
      source: { cluster: specOf(source.bootstrap), kafkaClusterId: source.clusterId },
      destination: { cluster: specOf(destination.bootstrap), kafkaClusterId: destination.clusterId },
      settings,
    }
  }

  starts(settled: boolean): StartPartition[] {
    const { sourceTopic, sourceTopicId, topic, topicId, partitions } = this.#options
    const { linkId, mirrorId } = this
    return Array.from({ length: partitions }, (_, partition) => ({
      kind: 'startPartition',
      linkId,
      mirrorId,
      sourceTopic,
      sourceTopicId,
      topic,
      topicId,
      partition,
      settled,
    }))
  }

  /** A process of its own, which `kill` ends as a crash would. */
  start({ settled = false } = {}): void {
    const job: PumpJob = { open: this.open(), starts: this.starts(settled) }
    this.stats.clear()
    this.#read = 0
    this.#process = startProcess(process.execPath, [join(import.meta.dirname, 'pump-child.ts'), JSON.stringify(job)])
  }

  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL')
    await this.#process?.waitForExit()
  }

  /** Takes in what the process has said since. */
  listen(): void {
    const text = this.#process?.stdout ?? ''
    const end = text.lastIndexOf('\n') + 1
    for (const line of text.slice(this.#read, end).split('\n')) if (line) this.take(JSON.parse(line) as PumpNotice)
    this.#read = end
  }

  take(notice: PumpNotice): void {
    if (notice.kind === 'stats') for (const one of notice.partitions) this.stats.set(one.partition, one)
    else if (notice.kind === 'stopped') this.stopped.set(notice.partition, notice.reason)
    else this.events.push(notice.event)
  }

  /** Until every partition's high watermark at the destination is `end`. */
  async confirmed(ends: readonly number[], timeoutMs = 60_000): Promise<void> {
    const reached = () => {
      this.listen()
      return ends.every((end, partition) => this.stats.get(partition)?.confirmedEnd === end)
    }
    await this.until(reached, timeoutMs, `the mirror at ${ends}`)
  }

  async until(condition: () => unknown, timeoutMs: number, what: string): Promise<void> {
    const check = () => {
      this.listen()
      return Boolean(condition())
    }
    await waitFor(check, { timeoutMs, what }).catch((error: Error) => {
      const seen = { stats: [...this.stats.values()], stopped: [...this.stopped], events: this.events.slice(-5) }
      throw new Error(`${error.message}: ${JSON.stringify(seen)} ${this.#process?.stderr ?? ''}`)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.stop()
  }
}
