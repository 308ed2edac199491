import type { Clock } from '../../base/clock.ts'
import { explainError, isLinkspanError, LinkspanError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { KafkaConnection } from '../../kafka/connection.ts'
import type { DialTarget } from '../../transport/dialler.ts'
import type { FrontConnection } from '../../transport/listener.ts'
import type { DirectSpec } from '../../transport/spec.ts'
import {
  decodeTunnelPreface,
  encodeTunnelFrame,
  type TunnelAnswer,
  tunnelPrefaceBytesMax,
  tunnelVersion,
} from '../../transport/tunnel-preface.ts'
import type { AuditTrail } from '../audit.ts'
import { FrameInbox } from './frame-inbox.ts'
import { defaultTunnelLimits, type TunnelLimits } from './limits.ts'
import { type LinkUsage, LinkUsages } from './link-usage.ts'
import { Outlet } from './outlet.ts'
import type { RightsOf, TunnelIdentity } from './rights.ts'
import { Violation } from './rule.ts'
import { TunnelSession } from './session.ts'
import { TunnelSource } from './source.ts'

export interface TunnelServerOptions {
  spec: DirectSpec | undefined
  rightsOf: RightsOf
  limits?: Partial<TunnelLimits>
  audit: AuditTrail
  clock: Clock
  log: Log
}

type RefusalCode = Extract<TunnelAnswer, { ok: false }>['code']

class Refusal extends Error {
  readonly code: RefusalCode

  constructor(code: RefusalCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** A refused link gets this long to read why. */
const lingerMs = 2000

/** The authorised Kafka tunnel (DESIGN §4a): takes accepted connections and ends them by itself. */
export class TunnelServer implements AsyncDisposable {
  readonly #options: TunnelServerOptions
  readonly #limits: TunnelLimits
  readonly #usages: LinkUsages
  readonly #open = new Map<FrontConnection, Promise<void>>()
  #source: TunnelSource | undefined
  #bytes = 0
  #requests = 0

  constructor(options: TunnelServerOptions) {
    this.#options = options
    this.#limits = { ...defaultTunnelLimits, ...options.limits }
    this.#usages = new LinkUsages(this.#limits, options.clock)
    this.#source = this.#createSource(options.spec)
  }

  get stats(): { tunnels: number; tunnelBytes: number; tunnelRequests: number } {
    return { tunnels: this.#open.size, tunnelBytes: this.#bytes, tunnelRequests: this.#requests }
  }

  accept(connection: FrontConnection): void {
    const done = this.#run(connection).finally(() => this.#open.delete(connection))
    this.#open.set(connection, done)
  }

  /** Another Kafka, or other credentials for it: what is open is cut. */
  async useKafka(spec: DirectSpec | undefined): Promise<void> {
    const before = this.#source
    this.#source = this.#createSource(spec)
    await this.#cutAll()
    await before?.[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.useKafka(undefined)
  }

  async #cutAll(): Promise<void> {
    const open = [...this.#open]
    for (const [{ socket }] of open) socket.destroy()
    await Promise.all(open.map(([, done]) => done))
  }

  #createSource(spec: DirectSpec | undefined): TunnelSource | undefined {
    const { clock, log } = this.#options
    return spec && new TunnelSource({ spec, clock, log })
  }

  /** Never rejects. */
  async #run(connection: FrontConnection): Promise<void> {
    const { socket } = connection
    const inbox = new FrameInbox(socket, tunnelPrefaceBytesMax)
    const gone = new AbortController()
    socket.once('close', () => gone.abort(new LinkspanError('closed', 'The link has left')))
    try {
      await this.#serve(connection, inbox, gone.signal)
    } catch (error) {
      await this.#ended(connection, error)
    } finally {
      inbox.close()
    }
  }

  async #serve(connection: FrontConnection, inbox: FrameInbox, signal: AbortSignal): Promise<void> {
    const preface = await this.#readPreface(inbox)
    const version = Math.min(preface.version, tunnelVersion)
    const { linkId } = this.#identify(connection)
    const usage = this.#usages.enter(linkId)
    if (!usage) throw new Refusal('rate-limited', `A link may have ${this.#limits.connectionsMax} tunnels open`)
    try {
      const source = this.#source
      if (!source) throw new Refusal('unreachable', 'This Linkspan fronts no Kafka at the moment')
      await using kafka = await this.#dial(source, preface.target, { linkId, usage, signal })
      signal.throwIfAborted()
      connection.socket.write(encodeTunnelFrame({ version, ok: true }))
      inbox.frameBytesMax = this.#limits.requestBytesMax
      await this.#session(connection, { kafka, source, usage, inbox, signal })
    } finally {
      this.#usages.leave(linkId)
    }
  }

  async #session(
    connection: FrontConnection,
    parts: { kafka: KafkaConnection; source: TunnelSource; usage: LinkUsage; inbox: FrameInbox; signal: AbortSignal },
  ): Promise<void> {
    const { kafka, source, usage, inbox, signal } = parts
    const { socket, fingerprint = '' } = connection
    signal.addEventListener('abort', () => kafka.close(), { once: true })
    void kafka.closed.then(() => socket.destroy())
    const session = new TunnelSession({
      fingerprint,
      rightsOf: this.#options.rightsOf,
      limits: this.#limits,
      usage,
      source,
      connection: kafka,
      outlet: new Outlet(socket),
      nextFrame: () => inbox.next(),
      onAnswer: (bytes) => {
        this.#bytes += bytes
        this.#requests += 1
      },
      signal,
    })
    await session.serve()
  }

  async #readPreface(inbox: FrameInbox) {
    const { prefaceTimeoutMs } = this.#limits
    const late = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => late.resolve(undefined), prefaceTimeoutMs)
    try {
      const frame = await Promise.race([inbox.next(), late.promise])
      if (!frame) throw new Refusal('malformed', `No tunnel preface came within ${prefaceTimeoutMs} ms`)
      try {
        return decodeTunnelPreface(frame.bytes)
      } finally {
        frame.release()
      }
    } catch (error) {
      if (isLinkspanError(error, 'malformed')) throw new Refusal('malformed', error.message)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  #identify({ fingerprint }: FrontConnection): TunnelIdentity {
    const identity = fingerprint === undefined ? undefined : this.#options.rightsOf(fingerprint)
    if (!identity) throw new Refusal('not-permitted', 'Your certificate is not that of a cluster link here')
    return identity
  }

  async #dial(
    source: TunnelSource,
    target: DialTarget,
    options: { linkId: string; usage: LinkUsage; signal: AbortSignal },
  ): Promise<KafkaConnection> {
    const { linkId, usage, signal } = options
    const pendingMax = this.#limits.requestsPendingMax
    try {
      return await source.open(target, { clientId: linkId, pool: usage.pool, pendingMax, signal })
    } catch (error) {
      signal.throwIfAborted()
      // The reason may name hosts, which are no business of the link.
      const what = target.kind === 'node' ? `Broker ${target.nodeId}` : 'The Kafka behind this Linkspan'
      throw new Refusal('unreachable', `${what} cannot be reached through this tunnel`, error)
    }
  }

  /** Says why, where the link has not been let in yet; writes down what was not honest. */
  async #ended({ socket, address, fingerprint }: FrontConnection, error: unknown): Promise<void> {
    const who = { address, ...(fingerprint === undefined ? {} : { fingerprint }) }
    if (error instanceof Refusal) {
      const detail = explainError(error)
      this.#options.audit.record({ name: 'tunnel-refused', ...who, detail: `${error.code}: ${detail}` })
      const { code, message } = error
      await lastWords(socket, encodeTunnelFrame({ version: tunnelVersion, ok: false, code, message }))
    } else if (error instanceof Violation || isLinkspanError(error, 'malformed')) {
      this.#options.audit.record({ name: 'tunnel-violation', ...who, detail: error.message })
    } else if (!socket.destroyed) {
      this.#options.log.warn({ ...who, error: explainError(error) }, 'A tunnel ended')
    }
  }
}

/** Writes, ends, and waits until the other end has closed too, or long enough. */
async function lastWords(socket: FrontConnection['socket'], words: Uint8Array): Promise<void> {
  if (socket.destroyed) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, lingerMs)
  socket.once('close', () => resolve())
  socket.resume().end(words)
  await promise
  clearTimeout(timer)
}
