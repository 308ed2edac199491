import type { Socket } from 'node:net'
import { explainError, isLinkspanError, LinkspanError } from '../../base/errors.ts'
import { BoundedQueue } from '../../base/queue.ts'
import type { Frame } from '../../transport/frame-reader.ts'
import type { SlabPool } from '../../transport/slabs.ts'
import { saslHandshake } from '../../wire/api/17-sasl-handshake.ts'
import { apiVersions } from '../../wire/api/18-api-versions.ts'
import { saslAuthenticate } from '../../wire/api/36-sasl-authenticate.ts'
import { encodeResponse } from '../../wire/frame.ts'
import type { Api } from '../../wire/schema.ts'
import type { HandlerAnswer } from '../handlers/handler.ts'
import type { HandlerTable } from '../handlers/index.ts'
import type { BrokerNode } from '../node.ts'
import type { BrokerSession } from '../session.ts'
import { AnswerQueue } from './answer-queue.ts'
import type { ByteAccount } from './byte-account.ts'
import type { ServerLimits } from './limits.ts'
import { RequestReader } from './request-reader.ts'
import { foreignProtocol, type Routed, type RoutedRequest, routeRequest } from './route.ts'

/** A session as the server keeps it. */
export interface ServedSession extends BrokerSession {
  /** Whether it may ask for more than a login at this moment. */
  readonly admitted: boolean
  readonly login?: (NonNullable<BrokerSession['login']> & { readonly failed: boolean }) | undefined
}

/** What all connections share. */
export interface ServerParts {
  node: BrokerNode
  handlers: HandlerTable
  limits: ServerLimits
  bulkPool: SlabPool
  requests: ByteAccount
  /** Whoever makes them grow to this is cut off. */
  requestBytesHardMax: number
  answers: ByteAccount
  /** For what an operator should see of strangers: a line in the log, but no flood of them. */
  notice: (fields: object, message: string) => void
}

interface Arrived {
  frame: Frame
  routed: Routed
}

/** Arrived in one piece and not judged yet: more than fit any chunk of a socket. */
const framesMax = 32_768
/** Requests that are answered before any other is begun: they change who is asking. */
const loginKeys: ReadonlySet<number> = new Set([saslHandshake.key, saslAuthenticate.key])
const beforeLogin: ReadonlySet<number> = new Set([apiVersions.key, ...loginKeys])
/** A connection that was quiet for so long gives up its buffers. */
const restAfterMs = 2000

/**
 * One client. Its requests go to the handlers in the order in which they came, many at a time; the answers leave in
 * that order. It is read no further while there is no room for another request, or while it does not take its answers.
 */
export class BrokerConnection {
  readonly session: ServedSession
  readonly peer: string
  readonly #parts: ServerParts
  readonly #socket: Socket
  readonly #reader: RequestReader
  readonly #answers: AnswerQueue
  readonly #frames = new BoundedQueue<Frame>(framesMax)
  readonly #gone = new AbortController()
  readonly #startedMs: number
  readonly #serveAgain = () => this.#serve()
  /** Read, and waiting for room. */
  #next: Arrived | undefined
  #requestBytes = 0
  #activeMs: number
  #readerFull = false
  /** A login is being judged: whoever comes behind it waits. */
  #judging = false
  #ending = false
  #begun = false
  #pushing = false
  #wasAdmitted: boolean

  constructor(socket: Socket, session: ServedSession, peer: string, parts: ServerParts) {
    const { limits, node, bulkPool } = parts
    this.session = session
    this.peer = peer
    this.#socket = socket
    this.#parts = parts
    this.#activeMs = node.clock.monotonicMs()
    this.#startedMs = this.#activeMs
    this.#wasAdmitted = session.admitted
    this.#reader = new RequestReader({
      frameBytesMax: session.admitted ? node.config.requestBytesMax : limits.loginFrameBytesMax,
      bulkPool,
      account: parts.requests,
      onFrame: (frame) => this.#arrived(frame),
      onError: (error) => this.cut(error.message),
      onReady: () => {
        this.#readerFull = false
        this.#serve()
      },
    })
    this.#answers = new AnswerQueue({
      socket,
      bytesMax: limits.answerBytesPerConnectionMax,
      account: parts.answers,
      onProgress: () => this.#progressed(),
    })
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => this.#received(chunk))
    socket.once('end', () => socket.destroy())
    socket.once('close', () => this.#closed())
  }

  get idle(): boolean {
    return this.#answers.length === 0 && this.#next === undefined && this.#frames.length === 0
  }

  /** Closes at once; the reason is for our log. */
  cut(reason: string): void {
    if (this.#socket.destroyed) return
    this.#parts.node.log.debug({ peer: this.peer, reason }, 'A connection was closed')
    this.#ending = true
    this.#socket.destroy()
  }

  /** Takes no more requests, and closes when those under way are answered. */
  finish(): void {
    this.#ending = true
    this.#socket.pause()
    this.#endIfDone()
  }

  /** To be called about once a second. */
  check(nowMs: number): void {
    const { config } = this.#parts.node
    const { loginTimeoutMs } = this.#parts.limits
    const quietMs = nowMs - this.#activeMs
    if (!this.session.admitted) {
      if (this.#wasAdmitted || !this.session.login) this.cut('its certificate is not known, or not any more')
      else if (nowMs - this.#startedMs > loginTimeoutMs) this.cut(`no login within ${loginTimeoutMs} ms`)
    } else if (quietMs > config.connectionIdleMs && (this.idle || this.#answers.writing)) {
      this.cut(`nothing came or went for ${config.connectionIdleMs} ms`)
    } else if (quietMs > restAfterMs && this.idle) this.#reader.rest()
  }

  /** How long it has not taken what it asked for, when that is longer than is fair; else undefined. */
  stalledMs(nowMs: number): number | undefined {
    const quietMs = nowMs - this.#activeMs
    return this.#answers.writing && quietMs >= this.#parts.limits.stalledMs ? quietMs : undefined
  }

  #received(chunk: Buffer): void {
    if (this.#ending) return
    this.#activeMs = this.#parts.node.clock.monotonicMs()
    if (!this.#begun) {
      this.#begun = true
      const foreign = foreignProtocol(chunk)
      if (foreign !== undefined) {
        this.cut(`it speaks ${foreign}`)
        return
      }
    }
    this.#pushing = true
    if (!this.#reader.push(chunk)) this.#readerFull = true
    this.#pushing = false
    const { requests, requestBytesHardMax } = this.#parts
    if (requests.used < requestBytesHardMax) this.#serve()
    else this.cut('requests take all the memory that they may have')
  }

  #arrived(frame: Frame): void {
    if (!this.#ending && this.#frames.push(frame)) {
      if (!this.#pushing) queueMicrotask(this.#serveAgain)
      return
    }
    frame.release()
    if (!this.#ending) this.cut('more requests at once than anybody needs')
  }

  /** Begins as many requests as there is room for. */
  #serve(): void {
    while (!this.#ending && !this.#judging && !this.#socket.destroyed) {
      this.#next ??= this.#readNext()
      const next = this.#next
      if (!next || !this.#hasRoom(next)) break
      this.#next = undefined
      this.#begin(next)
    }
    this.#adjustReading()
  }

  #readNext(): Arrived | undefined {
    const frame = this.#frames.shift()
    if (!frame) return undefined
    const { handlers, node } = this.#parts
    try {
      return { frame, routed: routeRequest(frame.bytes, handlers, node.config.fetchBytesMax) }
    } catch (error) {
      node.log.error({ peer: this.peer, err: error }, 'A request could not be read: its connection is closed')
      return { frame, routed: { kind: 'refused', reason: 'a request could not be read' } }
    }
  }

  #hasRoom({ frame, routed }: Arrived): boolean {
    const { limits, answers } = this.#parts
    if (this.#answers.length >= limits.requestsPerConnectionMax) return false
    const tooMany = this.#requestBytes + frame.bytes.length > limits.requestBytesPerConnectionMax
    if (this.#requestBytes > 0 && tooMany) return false
    const answerBytes = routed.kind === 'request' ? routed.answerBytes : 0
    if (!this.#answers.hasRoom(answerBytes)) return false
    if (!answers.full || (answerBytes === 0 && !this.#answers.writing)) return true
    answers.whenFree(this.#serveAgain)
    return false
  }

  #begin({ frame, routed }: Arrived): void {
    if (routed.kind === 'request' && this.#mayAsk(routed)) {
      this.#handle(frame, routed)
      return
    }
    frame.release()
    if (routed.kind === 'answer') this.#answers.open(0)(routed.chunks)
    else this.cut(routed.kind === 'refused' ? routed.reason : `${routed.handler.api.name} before the login`)
  }

  #mayAsk({ handler }: RoutedRequest): boolean {
    return beforeLogin.has(handler.api.key) || this.session.admitted
  }

  #handle(frame: Frame, request: RoutedRequest): void {
    const { handler, version, clientId, body } = request
    const { node } = this.#parts
    const { session } = this
    const bytes = frame.bytes.length
    const fill = this.#answers.open(request.answerBytes)
    this.#requestBytes += bytes
    // Only once the answer is written: it may hold views into the request.
    const release = () => {
      frame.release()
      this.#requestBytes -= bytes
    }
    const answered = (answer: HandlerAnswer<Api>) => {
      const whenWritten = answer.kind === 'answer' ? answer.release : undefined
      const chunks = this.#encode(request, answer)
      fill(chunks, () => {
        whenWritten?.()
        release()
      })
      this.#afterLoginStep(request)
    }
    const failed = (error: unknown) => {
      fill([], release)
      this.#failed(request, error)
    }
    try {
      const outcome = handler.handle(body, { node, session, version, clientId, signal: this.#gone.signal })
      if (outcome instanceof Promise) {
        this.#judging = loginKeys.has(handler.api.key)
        outcome.then(answered).catch(failed)
      } else answered(outcome)
    } catch (error) {
      failed(error)
    }
  }

  #encode(request: RoutedRequest, answer: HandlerAnswer<Api>): readonly Uint8Array[] {
    if (answer.kind === 'none') return []
    try {
      return encodeResponse(request.handler.api, request.version, request.correlationId, answer.body)
    } catch (error) {
      answer.release?.()
      throw error
    }
  }

  #afterLoginStep({ handler }: RoutedRequest): void {
    if (!loginKeys.has(handler.api.key)) return
    this.#judging = false
    if (this.session.login?.failed) {
      this.#parts.notice({ peer: this.peer }, 'A login failed')
      this.finish()
    } else if (this.session.admitted) this.#admit()
    this.#serve()
  }

  #admit(): void {
    this.#wasAdmitted = true
    this.#reader.frameBytesMax = this.#parts.node.config.requestBytesMax
  }

  /**
   * What a handler throws is a bug of ours, unless it was only told that nobody waits any more, or ends the connection
   * on purpose (`closed`), as a write without acknowledgement does that has failed.
   */
  #failed({ handler, version }: RoutedRequest, error: unknown): void {
    const { log } = this.#parts.node
    const reason = explainError(error)
    if (!this.#gone.signal.aborted && !isLinkspanError(error, 'closed')) {
      const what = { peer: this.peer, api: handler.api.name, version }
      log.error({ ...what, err: error }, 'A request could not be handled: its connection is closed')
    }
    this.cut(`${handler.api.name}: ${reason}`)
  }

  #progressed(): void {
    this.#activeMs = this.#parts.node.clock.monotonicMs()
    if (this.#ending) this.#endIfDone()
    else this.#serve()
  }

  #endIfDone(): void {
    if (this.#answers.length > 0 || this.#socket.destroyed || this.#socket.writableEnded) return
    // Unread bytes would turn the end into a reset, which can overtake the last answer.
    this.#socket.resume()
    this.#socket.end()
    setTimeout(() => this.#socket.destroy(), this.#parts.limits.lingerMs).unref()
  }

  #adjustReading(): void {
    if (this.#ending) return
    const { requests } = this.#parts
    const behind = this.#next !== undefined || this.#frames.length > 0 || this.#judging
    // Whoever is in the middle of a request may end it: else nobody's would ever be whole, and give room.
    const noMemory = requests.full && this.#reader.partialBytes === 0
    if (noMemory) requests.whenFree(this.#serveAgain)
    const pause = behind || noMemory || this.#readerFull
    if (pause !== this.#socket.isPaused()) pause ? this.#socket.pause() : this.#socket.resume()
  }

  #closed(): void {
    this.#ending = true
    this.#gone.abort(new LinkspanError('closed', 'The client has left'))
    this.#reader.close()
    this.#next?.frame.release()
    this.#next = undefined
    for (let frame = this.#frames.shift(); frame; frame = this.#frames.shift()) frame.release()
    this.#answers.close()
    this.#parts.requests.forget(this.#serveAgain)
    this.#parts.answers.forget(this.#serveAgain)
  }
}
