import { Worker } from 'node:worker_threads'
import { Backoff } from '../../base/backoff.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { LinkspanError } from '../../base/errors.ts'
import type { LinkId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { partitionKey } from './partition.ts'
import type {
  CloseLink,
  OpenLink,
  PartitionRef,
  PumpMessage,
  PumpNotice,
  PumpReplies,
  PumpReply,
  PumpRequest,
  StartPartition,
  StopFacts,
} from './protocol.ts'
import type { WorkerData } from './worker.ts'

export interface PumpClientOptions {
  log: Log
  clock: Clock
  onNotice: (notice: PumpNotice) => void
  workerData: WorkerData
}

const callsMax = 10_000
const restart = { initialMs: 100, maxMs: 10_000 }
/** A worker that lived longer than this has earned a quick restart. */
const steadyMs = 60_000

interface OpenCall {
  resolve: (value: PumpReplies[PumpRequest['kind']]) => void
  reject: (error: LinkspanError) => void
}

interface KnownLink {
  open: OpenLink
  partitions: Map<string, StartPartition>
}

/**
 * The control thread's end of a pump worker. A worker that crashes is started again with everything that it had open:
 * the partitions resume at their destination's log end, old data after the usual grace.
 */
export class PumpClient implements AsyncDisposable {
  readonly #options: PumpClientOptions
  readonly #links = new Map<LinkId, KnownLink>()
  readonly #calls = new Map<number, OpenCall>()
  readonly #backoff = new Backoff(restart)
  readonly #closing = new AbortController()
  #worker: Worker | undefined
  #startedMs = 0
  #nextCall = 1
  #crashes = 0
  #restarting: Promise<void> | undefined

  constructor(options: PumpClientOptions) {
    this.#options = options
  }

  /** How often the worker has crashed and was started again. */
  get crashes(): number {
    return this.#crashes
  }

  /** Errors, as of all calls here: what the pump says; `closed` when the worker ended before it answered. */
  async openLink(open: Omit<OpenLink, 'kind'>): Promise<void> {
    const request: OpenLink = { kind: 'openLink', ...open }
    await this.#ask(request)
    this.#links.set(open.linkId, { open: request, partitions: new Map() })
  }

  async startPartition(start: Omit<StartPartition, 'kind'>): Promise<void> {
    const request: StartPartition = { kind: 'startPartition', ...start }
    await this.#ask(request)
    // After a crash nobody knows what was sent last.
    this.#links.get(start.linkId)?.partitions.set(partitionKey(start), { ...request, settled: false })
  }

  /** Undefined when the partition was not running. */
  async stopPartition(ref: PartitionRef, mode: 'drain' | 'now'): Promise<StopFacts | undefined> {
    const { linkId, mirrorId, partition } = ref
    this.#links.get(linkId)?.partitions.delete(partitionKey(ref))
    return (await this.#ask({ kind: 'stopPartition', linkId, mirrorId, partition, mode })) as StopFacts | undefined
  }

  async closeLink({ linkId }: Omit<CloseLink, 'kind'>): Promise<void> {
    this.#links.delete(linkId)
    await this.#ask({ kind: 'closeLink', linkId })
  }

  /** Drains for at most `drainMs`, then ends the worker. */
  async shutdown(drainMs: number): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(new LinkspanError('closed', 'The pump is being shut down'))
    this.#links.clear()
    await this.#restarting
    await this.#call({ kind: 'shutdown', drainMs }).catch(() => {})
    await this.#worker?.terminate()
    this.#failCalls()
  }

  /** For tests and drills: ends the worker as a crash would. */
  async crash(): Promise<void> {
    await this.#worker?.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown(0)
  }

  #spawn(): void {
    const { clock, workerData } = this.#options
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData })
    this.#worker = worker
    this.#startedMs = clock.monotonicMs()
    worker.on('message', (message: PumpMessage) => {
      if (message.kind === 'reply') this.#settle(message)
      else this.#take(message)
    })
    worker.on('error', (error) => this.#options.log.error({ error: String(error) }, 'The pump worker crashed'))
    worker.on('exit', () => this.#exited(worker))
  }

  #take(notice: PumpNotice): void {
    // A partition that stopped for good stays so after a crash.
    if (notice.kind === 'stopped') this.#links.get(notice.linkId)?.partitions.delete(partitionKey(notice))
    this.#options.onNotice(notice)
  }

  #settle(reply: PumpReply): void {
    const call = this.#calls.get(reply.call)
    if (!call) return
    this.#calls.delete(reply.call)
    if (reply.ok) call.resolve(reply.value)
    else call.reject(new LinkspanError(reply.error.code, reply.error.message, { details: reply.error.details }))
  }

  /** Waits while the worker is being started again. */
  async #ask(request: PumpRequest): Promise<PumpReplies[PumpRequest['kind']]> {
    while (this.#restarting !== undefined) await this.#restarting
    // The first request starts it: a daemon without mirrors needs no worker.
    if (!this.#worker && !this.#closing.signal.aborted) this.#spawn()
    return await this.#call(request)
  }

  #call(request: PumpRequest): Promise<PumpReplies[PumpRequest['kind']]> {
    const worker = this.#worker
    if (!worker) {
      return Promise.reject(new LinkspanError('closed', 'The pump worker does not run at the moment'))
    }
    if (this.#calls.size >= callsMax) {
      return Promise.reject(new LinkspanError('rate-limited', `${callsMax} requests already wait for the pump`))
    }
    const call = this.#nextCall
    this.#nextCall += 1
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject })
      worker.postMessage({ call, request })
    })
  }

  #failCalls(): void {
    for (const call of this.#calls.values()) {
      call.reject(new LinkspanError('closed', 'The pump worker ended before it answered'))
    }
    this.#calls.clear()
  }

  #exited(worker: Worker): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    this.#failCalls()
    if (this.#closing.signal.aborted) return
    this.#crashes += 1
    if (this.#options.clock.monotonicMs() - this.#startedMs > steadyMs) this.#backoff.reset()
    const restarting = this.#restart().finally(() => {
      if (this.#restarting === restarting) this.#restarting = undefined
    })
    this.#restarting = restarting
  }

  async #restart(): Promise<void> {
    const { signal } = this.#closing
    await sleep(this.#backoff.nextMs(), signal).catch(() => {})
    if (signal.aborted) return
    this.#spawn()
    for (const { open, partitions } of this.#links.values()) {
      for (const request of [open, ...partitions.values()]) {
        await this.#call(request).catch((error: LinkspanError) => {
          this.#options.log.error({ code: error.code, kind: request.kind }, 'The pump could not be set up again')
        })
      }
    }
  }
}
