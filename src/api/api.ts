import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Access } from '../access/access.ts'
import type { Subject } from '../access/snapshot.ts'
import { type Clock, sleep } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { SecurityMetadata } from '../events/event.ts'
import type { Caller } from '../transport/caller.ts'
import { buildApp } from './app.ts'
import type { Dialect } from './dialect.ts'

export interface ApiOptions {
  access: Access
  clock: Clock
  log: Log
  /** The first one answers what is under no dialect's prefix. */
  dialects: readonly Dialect[]
  /** Refusals, for the audit trail; bounded here, so that strangers cannot flood it. */
  onSecurityEvent: (event: SecurityMetadata) => void
  /** Whom a session cookie of our page stands for. */
  sessionOf?: (cookie: string, caller: Caller) => Subject | undefined
  /** In `/openapi.json`. */
  version: string
  /** How long a request's head may take to come. */
  headersTimeoutMs?: number
}

const defaultHeadersTimeoutMs = 15_000
/** Whole requests, their bodies included: large content over a slow line. */
const requestTimeoutMs = 15 * 60_000
const keepAliveTimeoutMs = 75_000
const headerBytesMax = 64 * 1024
const headersMax = 200
const timeoutCheckIntervalMs = 2000

/**
 * The REST APIs. It listens nowhere: the two listeners (the intake of the TLS port, the administrator's socket) hand
 * their connections over, each with who is at its other end.
 */
export class Api implements AsyncDisposable {
  readonly #app: FastifyInstance
  readonly #server: Server
  readonly #callers: WeakMap<Socket, Caller>
  readonly #sockets = new Set<Socket>()
  /** Those with a request that was not answered yet. */
  readonly #busy = new Set<Socket>()
  #closing = false
  #quiet = Promise.withResolvers<void>()

  constructor(app: FastifyInstance, server: Server, callers: WeakMap<Socket, Caller>) {
    this.#app = app
    this.#server = server
    this.#callers = callers
    server.on('request', ({ socket }, response) => {
      this.#busy.add(socket)
      response.once('close', () => this.#answered(socket))
    })
  }

  /** The socket stands before the first byte of HTTP. */
  handleConnection(socket: Socket, caller: Caller): void {
    socket.on('error', () => {})
    if (this.#closing) {
      socket.destroy()
      return
    }
    this.#callers.set(socket, caller)
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#busy.delete(socket)
    })
    this.#server.emit('connection', socket)
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** The OpenAPI description of every route. */
  describe(): unknown {
    return this.#app.swagger()
  }

  /** Requests in flight have `graceMs` to end; idle connections go at once. The listeners are to be closed first. */
  async close(graceMs = 0): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    await this.#app.close()
    for (const socket of this.#sockets) if (!this.#busy.has(socket)) socket.destroy()
    if (this.#busy.size > 0) await this.#whenQuiet(graceMs)
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #whenQuiet(graceMs: number): Promise<void> {
    const timer = new AbortController()
    await Promise.race([this.#quiet.promise, sleep(graceMs, timer.signal).catch(() => {})])
    timer.abort()
  }

  #answered(socket: Socket): void {
    this.#busy.delete(socket)
    if (!this.#closing) return
    socket.end()
    if (this.#busy.size === 0) this.#quiet.resolve()
  }
}

/** Throws for a route that does not declare what it needs. */
export async function createApi(options: ApiOptions): Promise<Api> {
  const callers = new WeakMap<Socket, Caller>()
  const { headersTimeoutMs = defaultHeadersTimeoutMs } = options
  let server: Server | undefined
  const app = await buildApp(options, callers, (handler) => {
    server = createServer(
      {
        headersTimeout: headersTimeoutMs,
        requestTimeout: requestTimeoutMs,
        keepAliveTimeout: keepAliveTimeoutMs,
        maxHeaderSize: headerBytesMax,
        connectionsCheckingInterval: Math.min(timeoutCheckIntervalMs, headersTimeoutMs),
        noDelay: true,
      },
      handler,
    )
    server.maxHeadersCount = headersMax
    return server
  })
  // A server that never listens checks no timeouts until it is told that it does.
  server!.emit('listening')
  return new Api(app, server!, callers)
}
