import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { LinkspanError } from '../base/errors.ts'
import type { Fingerprint } from '../base/ids.ts'
import type { LogLevel } from '../base/log.ts'
import type { HostPort } from '../transport/address.ts'
import type { FrontLimits } from '../transport/listener.ts'
import type { DirectSpec } from '../transport/spec.ts'
import type { FromWorker, GatewayAuditEvent, GatewayCall, GatewayStats, GatewayWorkerData } from './messages.ts'
import type { GatewaySnapshot } from './tunnel/access-rights.ts'
import type { TunnelLimits } from './tunnel/limits.ts'

export interface GatewayOptions {
  listen: HostPort
  /** PEM: the cluster's certificate, which the port serves. */
  certificate: string
  key: string
  /** Where the control thread's intake listens (`createIntake`), before this starts. */
  internalSocketPath: string
  snapshot: GatewaySnapshot
  /** How tunnels reach the Kafka that this daemon fronts; without it every tunnel is refused as `unreachable`. */
  kafkaSpec?: DirectSpec
  limits?: { front?: Partial<FrontLimits>; tunnel?: Partial<TunnelLimits> }
  log?: { level: LogLevel; format: 'text' | 'json' }
  onAudit: (event: GatewayAuditEvent) => void
  /** The worker died without being asked to: the port is gone. */
  onFailure: (error: LinkspanError) => void
}

/** Longer than a worker ever takes for a message, unless it hangs. */
const callTimeoutMs = 10_000
const callsMax = 1000

/** The control thread's hold on the gateway worker. All methods throw `closed` once the worker is gone. */
export class Gateway implements AsyncDisposable {
  readonly address: HostPort
  readonly #worker: Worker
  readonly #calls = new Map<number, { resolve: (stats?: GatewayStats) => void; reject: (error: Error) => void }>()
  readonly #onAudit: (event: GatewayAuditEvent) => void
  #nextId = 1
  #gone = false
  #stopping = false

  constructor(worker: Worker, address: HostPort, options: GatewayOptions) {
    this.#worker = worker
    this.address = address
    this.#onAudit = options.onAudit
    worker.on('message', (message: FromWorker) => this.#received(message))
    let cause: unknown
    worker.on('error', (error) => {
      cause = error
    })
    worker.once('exit', () => {
      this.#gone = true
      const error = new LinkspanError('internal', 'The gateway worker has stopped: the TLS port is closed', { cause })
      for (const call of this.#calls.values()) call.reject(error)
      this.#calls.clear()
      if (!this.#stopping) options.onFailure(error)
    })
  }

  /** Resolves when every request from then on is judged by this snapshot. */
  async updateAccess(snapshot: GatewaySnapshot): Promise<void> {
    await this.#call({ kind: 'access', snapshot })
  }

  /** Resolves when everything that these certificates had open is cut. Update the snapshot first. */
  async revoke(fingerprints: readonly Fingerprint[]): Promise<void> {
    await this.#call({ kind: 'revoke', fingerprints: [...fingerprints] })
  }

  /** Another Kafka, or other credentials for it; open tunnels are cut, and open again by themselves. */
  async useKafka(spec: DirectSpec | undefined): Promise<void> {
    await this.#call({ kind: 'kafka', spec })
  }

  /** Serves another certificate to connections from now on. */
  async useCertificate(certificatePem: string, privateKeyPem: string): Promise<void> {
    await this.#call({ kind: 'certificate', certificatePem, privateKeyPem })
  }

  async stats(): Promise<GatewayStats> {
    const stats = await this.#call({ kind: 'stats' })
    return stats as GatewayStats
  }

  /** Closes the port, gives open connections `graceMs` to end, and ends the worker. */
  async stop(graceMs = 0): Promise<void> {
    if (this.#gone) return
    this.#stopping = true
    const exited = once(this.#worker, 'exit')
    await this.#call({ kind: 'close', graceMs }, graceMs + callTimeoutMs).catch(() => {})
    await this.#worker.terminate()
    await exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #call(call: GatewayCall, timeoutMs = callTimeoutMs): Promise<GatewayStats | undefined> {
    if (this.#gone) return Promise.reject(new LinkspanError('closed', 'The gateway worker is not running'))
    if (this.#calls.size >= callsMax) {
      return Promise.reject(new LinkspanError('rate-limited', `${callsMax} calls already wait for the gateway worker`))
    }
    const id = this.#nextId
    this.#nextId += 1
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#calls.delete(id)
        reject(new LinkspanError('timeout', `The gateway worker did not answer within ${timeoutMs} ms`))
      }, timeoutMs)
      const end = <T>(then: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer)
          this.#calls.delete(id)
          then(value)
        }
      }
      this.#calls.set(id, { resolve: end(resolve), reject: end(reject) })
      this.#worker.postMessage({ ...call, id })
    })
  }

  #received(message: FromWorker): void {
    if (message.kind === 'audit') this.#onAudit(message.event)
    if (message.kind === 'done') this.#calls.get(message.id)?.resolve(message.stats)
    if (message.kind === 'failed') {
      this.#calls.get(message.id)?.reject(new LinkspanError(message.code, message.message))
    }
  }
}

/** Starts the worker and opens the port. Throws what listening throws: `in-use`, `invalid-config`. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { listen, certificate, key, internalSocketPath, snapshot, kafkaSpec, limits } = options
  const workerData: GatewayWorkerData = {
    listen,
    certificatePem: certificate,
    privateKeyPem: key,
    internalSocketPath,
    snapshot,
    ...(kafkaSpec === undefined ? {} : { kafkaSpec }),
    limits: { front: limits?.front ?? {}, tunnel: limits?.tunnel ?? {} },
    log: options.log ?? { level: 'info', format: 'text' },
  }
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), { workerData })
  const [first] = (await once(worker, 'message')) as [FromWorker]
  if (first.kind === 'listening') return new Gateway(worker, first.address, options)
  await worker.terminate()
  const { code, message } = first as Extract<FromWorker, { kind: 'not-listening' }>
  throw new LinkspanError(code, message)
}
