import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { AccessSnapshot } from '../access/snapshot.ts'
import { LinkspanError } from '../base/errors.ts'
import type { LogLevel } from '../base/log.ts'
import type { HostPort } from '../transport/address.ts'
import type { BrokerConfig, ListenerSecurity, ServerCertificate, TopicDefaults } from './config.ts'
import type { BrokerCall, BrokerWorkerData, FromWorker } from './messages.ts'
import { checkExposure } from './server/exposure.ts'

export interface BrokerOptions {
  /** Where everything is kept; made when missing. */
  folder: string
  /** Of a broker that is made now; a new one unless told. */
  clusterId?: string | undefined
  listen: HostPort
  /** What clients are told; where it listens when missing. Port 0 is the port that it got. */
  advertise?: HostPort | undefined
  security: ListenerSecurity
  config: BrokerConfig
  topicDefaults?: TopicDefaults
  /** Of the Unix socket for our own daemon, in a folder that is closed to others. */
  socketPath: string
  snapshot: AccessSnapshot
  log?: { level: LogLevel; format: 'text' | 'json' }
  /** The worker died without being asked to: the broker is gone. */
  onFailure: (error: LinkspanError) => void
}

/** Longer than a worker ever takes for a message, unless it hangs. */
const callTimeoutMs = 10_000
const callsMax = 1000

type Listening = Extract<FromWorker, { kind: 'listening' }>

/** The control thread's hold on the embedded broker's worker. */
export class Broker implements AsyncDisposable {
  /** Where clients connect. */
  readonly address: HostPort
  /** Where clients are told to connect. */
  readonly advertised: HostPort
  readonly clusterId: string
  readonly socketPath: string
  readonly #worker: Worker
  readonly #calls = new Map<number, { resolve: () => void; reject: (error: Error) => void }>()
  #nextId = 1
  #gone = false
  #stopping: Promise<void> | undefined

  constructor(worker: Worker, { address, advertised, clusterId }: Listening, options: BrokerOptions) {
    this.#worker = worker
    this.address = address
    this.advertised = advertised
    this.clusterId = clusterId
    this.socketPath = options.socketPath
    worker.on('message', (message: FromWorker) => this.#received(message))
    let cause: unknown
    worker.on('error', (error) => {
      cause = error
    })
    worker.once('exit', () => {
      this.#gone = true
      const error = new LinkspanError('internal', 'The broker worker has stopped: the Kafka port is closed', { cause })
      for (const call of this.#calls.values()) call.reject(error)
      this.#calls.clear()
      if (!this.#stopping) options.onFailure(error)
    })
  }

  /** Resolves when every request from then on is judged by this snapshot, and whoever is not in it is cut off. */
  async updateAccess(snapshot: AccessSnapshot): Promise<void> {
    await this.#call({ kind: 'access', snapshot }, callTimeoutMs)
  }

  /** Serves another certificate to clients from now on, where it serves any. */
  async useCertificate(certificate: ServerCertificate): Promise<void> {
    await this.#call({ kind: 'certificate', certificate }, callTimeoutMs)
  }

  /** Requests under way have `graceMs` to be answered; then the logs are closed cleanly and the worker ends. */
  stop(graceMs = 0): Promise<void> {
    this.#stopping ??= this.#stop(graceMs)
    return this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #stop(graceMs: number): Promise<void> {
    if (this.#gone) return
    const exited = once(this.#worker, 'exit')
    await this.#call({ kind: 'close', graceMs }, graceMs + callTimeoutMs).catch(() => {})
    await this.#worker.terminate()
    await exited
  }

  #call(call: BrokerCall, timeoutMs: number): Promise<void> {
    if (this.#gone) return Promise.reject(new LinkspanError('closed', 'The broker worker is not running'))
    if (this.#calls.size >= callsMax) {
      return Promise.reject(new LinkspanError('rate-limited', `${callsMax} calls already wait for the broker worker`))
    }
    const id = this.#nextId
    this.#nextId += 1
    return new Promise((resolve, reject) => {
      const end = (then: () => void) => {
        clearTimeout(timer)
        this.#calls.delete(id)
        then()
      }
      const timer = setTimeout(() => {
        const error = new LinkspanError('timeout', `The broker worker did not answer within ${timeoutMs} ms`)
        end(() => reject(error))
      }, timeoutMs)
      this.#calls.set(id, { resolve: () => end(resolve), reject: (error) => end(() => reject(error)) })
      this.#worker.postMessage({ ...call, id })
    })
  }

  #received(message: FromWorker): void {
    if (message.kind === 'done') this.#calls.get(message.id)?.resolve()
    if (message.kind === 'failed') {
      this.#calls.get(message.id)?.reject(new LinkspanError(message.code, message.message))
    }
  }
}

/** Starts the worker and opens the broker. Throws what opening the logs and listening throw. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { folder, clusterId, listen, advertise, security, config, topicDefaults = {}, socketPath, snapshot } = options
  checkExposure(listen, security.protocol)
  const log = options.log ?? { level: 'info', format: 'text' }
  const where = { folder, clusterId, listen, advertise, socketPath }
  const workerData: BrokerWorkerData = { ...where, security, config, topicDefaults, snapshot, log }
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), { workerData })
  const first = await firstMessage(worker)
  if (first.kind === 'listening') return new Broker(worker, first, options)
  await worker.terminate()
  throw new LinkspanError(first.code, first.message)
}

async function firstMessage(worker: Worker): Promise<Extract<FromWorker, { kind: 'listening' | 'not-listening' }>> {
  const ended = new AbortController()
  try {
    const exited = once(worker, 'exit', { signal: ended.signal }).then(() => {
      throw new LinkspanError('internal', 'The broker worker ended before it listened')
    })
    const [message] = (await Promise.race([once(worker, 'message', { signal: ended.signal }), exited])) as [FromWorker]
    return message as Extract<FromWorker, { kind: 'listening' | 'not-listening' }>
  } finally {
    ended.abort()
  }
}
