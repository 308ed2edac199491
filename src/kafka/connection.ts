import type { Socket } from 'node:net'
import { LinkspanError } from '../base/errors.ts'
import type { DialTarget } from '../transport/dialler.ts'
import type { Frame } from '../transport/frame-reader.ts'
import { apiVersions } from '../wire/api/18-api-versions.ts'
import { decodeResponse, encodeRequest } from '../wire/frame.ts'
import type { Api, RequestInput, ResponseOf, Struct } from '../wire/schema.ts'
import {
  type ConnectionOptions,
  openTimeoutDefaultMs,
  pendingDefault,
  type RequestOptions,
  requestTimeoutDefaultMs,
} from './connection-options.ts'
import type { OnAnswer } from './pending.ts'
import { Pipeline } from './pipeline.ts'
import { authenticate, type SaslRequest } from './sasl.ts'
import { BrokerVersions, readVersionsAnswer } from './versions.ts'

const clientSoftware = { clientSoftwareName: 'linkspan', clientSoftwareVersion: '0.1.0' }
/** Part of a login's lifetime after which it is renewed; the jitter keeps many connections from doing so at once. */
const renewalPart = 0.85
const renewalJitter = 0.1
const timerMsMax = 2 ** 31 - 1

/** One socket to one broker: versions negotiated, logged in, requests pipelined. Made by `openConnection`. */
export class KafkaConnection implements AsyncDisposable {
  readonly target: DialTarget
  readonly clientId: string
  readonly #socket: Socket
  readonly #pipeline: Pipeline
  readonly #options: ConnectionOptions
  readonly #requestTimeoutMs: number
  #versions: BrokerVersions | undefined
  #renewalTimer: NodeJS.Timeout | undefined

  constructor(socket: Socket, target: DialTarget, options: ConnectionOptions) {
    this.target = target
    this.clientId = options.clientId
    this.#socket = socket
    this.#options = options
    this.#requestTimeoutMs = options.requestTimeoutMs ?? requestTimeoutDefaultMs
    const requestsMax = options.pendingMax ?? pendingDefault
    this.#pipeline = new Pipeline(socket, { peer: describePeer(target, socket), clock: options.clock, requestsMax })
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
  }

  /** What errors call the other end: role and address. */
  get peer(): string {
    return this.#pipeline.peer
  }

  /** Resolves when the connection has ended, with the reason. */
  get closed(): Promise<LinkspanError> {
    return this.#pipeline.closed
  }

  /** Why the connection ended; undefined while it lives. */
  get failure(): LinkspanError | undefined {
    return this.#pipeline.failure
  }

  /** Requests without an answer. */
  get pending(): number {
    return this.#pipeline.length
  }

  /** Back-pressure: more may be sent, but it only piles up in memory. `onDrain` tells when that is over. */
  get writableNeedDrain(): boolean {
    return this.#pipeline.writableNeedDrain
  }

  get versions(): BrokerVersions {
    if (!this.#versions) throw this.failure ?? new LinkspanError('closed', `${this.peer} is not open yet`)
    return this.#versions
  }

  /** For `openConnection`: learns the broker's versions and logs in. */
  async begin(): Promise<void> {
    this.#versions = new BrokerVersions(await this.#askVersions(), this.peer)
    await this.#login()
  }

  /** For `openConnection`: takes the next answer from the reader. */
  receive(frame: Frame): void {
    this.#pipeline.receive(frame)
  }

  /**
   * Sends a request and decodes its answer; error codes inside of the answer are the caller's to judge.
   * Errors: `unsupported` (no common version), `rate-limited` (too many wait), why the connection ended, the signal's.
   */
  async request<A extends Api>(api: A, body: RequestInput<A>, options: RequestOptions = {}): Promise<ResponseOf<A>> {
    return await this.#exchange(api, this.#chooseVersion(api, options), body, options, decodeCopied)
  }

  /** As `request`, but views in the answer lie in the frame, which the caller must release. */
  async requestFrame<A extends Api>(
    api: A,
    body: RequestInput<A>,
    options: RequestOptions = {},
  ): Promise<{ answer: ResponseOf<A>; frame: Frame }> {
    const version = this.#chooseVersion(api, options)
    return await this.#exchange(api, version, body, options, (frame) => {
      return { answer: decodeResponse(api, version, frame.bytes), frame }
    })
  }

  /** For a request that the caller encodes itself and sends with `sendProduce`. */
  nextCorrelationId(): number {
    return this.#pipeline.nextCorrelationId()
  }

  /**
   * The hot path: sends an encoded frame (size included) in one vectored write, without a promise. `onAnswer` runs
   * exactly once; `onWritten` too, when the kernel has taken the chunks or the connection has ended. The caller gives
   * an answer's throttle time to `throttle`. Errors, thrown before any callback: as `request`.
   */
  sendProduce(chunks: readonly Uint8Array[], correlationId: number, onAnswer: OnAnswer, onWritten?: () => void): void {
    const timeoutMs = this.#requestTimeoutMs
    this.#pipeline.send({ what: 'Produce', chunks, correlationId, timeoutMs, onAnswer, onWritten })
  }

  /** Between `cork` and `uncork` everything that is sent becomes one system call. */
  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  /** Calls `wake` once when sending makes sense again, or when the connection has ended. */
  onDrain(wake: () => void): void {
    this.#pipeline.onDrain(wake)
  }

  /** Obeys a quota that an answer told of: nothing is sent for so many milliseconds. `request` does so by itself. */
  throttle(throttleTimeMs: number): void {
    this.#pipeline.throttle(throttleTimeMs)
  }

  /** Ends the connection at once; requests without an answer fail with `closed` or the given reason. */
  close(reason?: LinkspanError): void {
    clearTimeout(this.#renewalTimer)
    this.#pipeline.fail(reason ?? new LinkspanError('closed', `The connection to ${this.peer} was closed by us`))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    if (this.#socket.closed) return
    await new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
  }

  #chooseVersion(api: Api, options: RequestOptions): number {
    return options.version ?? this.versions.choose(api, options.versionMax)
  }

  #exchange<A extends Api, T>(
    api: A,
    version: number,
    body: RequestInput<A>,
    options: RequestOptions & { passesGate?: boolean },
    read: (frame: Frame, api: A, version: number) => T,
  ): Promise<T> {
    const { signal, timeoutMs = this.#requestTimeoutMs, passesGate = false } = options
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const correlationId = this.nextCorrelationId()
      const chunks = encodeRequest(api, version, correlationId, this.clientId, body)
      let abandoned = false
      const abandon = () => {
        abandoned = true
        reject(signal?.reason)
      }
      const onAnswer: OnAnswer = (frame, error) => {
        signal?.removeEventListener('abort', abandon)
        if (abandoned || !frame) {
          frame?.release()
          reject(error)
          return
        }
        try {
          const result = read(frame, api, version)
          this.throttle(throttleTimeOf(result))
          resolve(result)
        } catch (cause) {
          frame.release()
          reject(cause)
        }
      }
      this.#pipeline.send({ what: api.name, chunks, correlationId, timeoutMs, onAnswer, passesGate })
      signal?.addEventListener('abort', abandon, { once: true })
    })
  }

  async #askVersions(): Promise<ResponseOf<typeof apiVersions>> {
    const options = { timeoutMs: this.#options.openTimeoutMs ?? openTimeoutDefaultMs }
    for (let version = apiVersions.versions[1]; ; ) {
      const body = version >= 3 ? clientSoftware : {}
      const { answer, askAgain } = await this.#exchange(apiVersions, version, body, options, (frame) => {
        const read = readVersionsAnswer(frame.bytes, version)
        frame.release()
        return read
      })
      if (answer) return answer
      version = askAgain ?? 0
    }
  }

  async #login(): Promise<void> {
    if (!this.#options.sasl) return
    const request: SaslRequest = async (api, body, versionMin) => {
      const version = this.versions.choose(api)
      if (version >= versionMin) return await this.#exchange(api, version, body, { passesGate: true }, decodeCopied)
      throw new LinkspanError('unsupported', `${this.peer} speaks only an old form of ${api.name}`)
    }
    const lifetimeMs = await authenticate(this.#options.sasl, request, this.peer)
    if (lifetimeMs > 0) this.#renewIn(lifetimeMs * (renewalPart + Math.random() * renewalJitter))
  }

  /** KIP-368: the broker ends a connection whose login has run out. Other requests wait while the login is renewed. */
  #renewIn(delayMs: number): void {
    if (this.failure) return
    const renew = () => {
      this.#pipeline.shutGate()
      this.#login().then(
        () => this.#pipeline.openGate(),
        (error: LinkspanError) => this.close(error),
      )
    }
    this.#renewalTimer = setTimeout(renew, Math.min(delayMs, timerMsMax))
    this.#renewalTimer.unref()
  }
}

/** Views in the answer must outlive the frame; texts and numbers do anyway. */
function decodeCopied<A extends Api>(frame: Frame, api: A, version: number): ResponseOf<A> {
  const bytes = holdsViews(api.response) ? Buffer.from(frame.bytes) : frame.bytes
  const answer = decodeResponse(api, version, bytes)
  frame.release()
  return answer
}

function throttleTimeOf(result: unknown): number {
  const { throttleTimeMs, answer } = result as { throttleTimeMs?: number; answer?: { throttleTimeMs?: number } }
  return throttleTimeMs ?? answer?.throttleTimeMs ?? 0
}

export function describeTarget(target: DialTarget): string {
  return target.kind === 'bootstrap' ? 'The bootstrap broker' : `Kafka node ${target.nodeId}`
}

function describePeer(target: DialTarget, socket: Socket): string {
  const { remoteAddress, remotePort } = socket
  if (remoteAddress === undefined) return describeTarget(target)
  const host = remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress
  return `${describeTarget(target)} at ${host}:${remotePort}`
}

const viewHolders = new WeakMap<Struct, boolean>()

/** Whether decoded values may point into the frame. */
function holdsViews(fields: Struct): boolean {
  let found = viewHolders.get(fields)
  if (found === undefined) {
    found = Object.values(fields).some((field) => {
      const inner = field.item ?? field
      if (inner.type === 'bytes' || inner.type === 'records') return true
      return inner.struct !== undefined && holdsViews(inner.struct)
    })
    viewHolders.set(fields, found)
  }
  return found
}
