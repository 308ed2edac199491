import type { Socket } from 'node:net'
import type { AccessSnapshot } from '../../access/snapshot.ts'
import type { Fingerprint } from '../../base/ids.ts'
import type { HostPort } from '../../transport/address.ts'
import type { ListenerSecurity, ServerCertificate } from '../config.ts'
import { brokerHandlers, type HandlerTable } from '../handlers/index.ts'
import type { BrokerNode } from '../node.ts'
import { internalSession } from '../session.ts'
import { AccessView } from './access-view.ts'
import { ByteAccount } from './byte-account.ts'
import { ClientListener } from './client-listener.ts'
import { ClientSession } from './client-session.ts'
import { BrokerConnection, type ServedSession, type ServerParts } from './connection.ts'
import { InternalListener } from './internal-listener.ts'
import { defaultServerLimits, type ServerLimits } from './limits.ts'
import { createBulkPool } from './request-reader.ts'
import { ServerLogin } from './sasl/login.ts'
import { SaslUsers } from './sasl/users.ts'

export interface BrokerServerOptions {
  node: BrokerNode
  listen: HostPort
  security: ListenerSecurity
  /** Who is known by a certificate. */
  snapshot: AccessSnapshot
  /** Of the internal Unix socket. */
  socketPath: string
  handlers?: HandlerTable
  limits?: Partial<ServerLimits>
}

const checkIntervalMs = 1000
/** Between two checks; what comes beyond is told to whoever debugs. */
const noticesMax = 10

/** The broker's ports and everything that is connected to them. */
export class BrokerServer implements AsyncDisposable {
  readonly #options: BrokerServerOptions
  readonly #parts: ServerParts
  readonly #access: AccessView
  readonly #users: SaslUsers
  readonly #clients: ClientListener
  readonly #internal: InternalListener
  readonly #connections = new Map<BrokerConnection, Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #noticesLeft = noticesMax
  #closing: Promise<void> | undefined

  constructor(options: BrokerServerOptions, users: SaslUsers) {
    const { node, security, listen, handlers = brokerHandlers } = options
    const limits = { ...defaultServerLimits, ...options.limits }
    this.#options = options
    this.#users = users
    this.#access = new AccessView(options.snapshot, node.clock)
    this.#parts = {
      node,
      handlers,
      limits,
      bulkPool: createBulkPool(),
      requests: new ByteAccount(limits.requestBytesMax),
      requestBytesHardMax: limits.requestBytesMax + Math.max(limits.requestBytesMax, node.config.requestBytesMax * 2),
      answers: new ByteAccount(limits.answerBytesMax),
      notice: (fields, message) => this.#notice(fields, message),
    }
    this.#clients = new ClientListener({
      listen,
      certificate: security.tls,
      connectionsMax: node.config.connectionsMax,
      handshakeTimeoutMs: limits.handshakeTimeoutMs,
      log: node.log,
      onConnection: (socket, peer, fingerprint) => this.#greet(socket, peer, fingerprint),
    })
    this.#internal = new InternalListener({
      path: options.socketPath,
      connectionsMax: limits.internalConnectionsMax,
      onConnection: (socket) => this.#serve(socket, ownSession(), 'our own daemon'),
    })
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Bytes that connections hold: of requests that are not answered, and of answers that are not written. */
  get heldBytes(): number {
    return this.#parts.requests.used + this.#parts.answers.used
  }

  /** Opens both ports; returns where clients connect. Throws `in-use`, `invalid-config`. */
  async listen(): Promise<HostPort> {
    await this.#internal.listen()
    const address = await this.#clients.listen()
    this.#timer = setInterval(() => this.#check(), checkIntervalMs)
    this.#timer.unref()
    return address
  }

  /** Serves another certificate to clients from now on. */
  setCertificate(certificate: ServerCertificate): void {
    this.#clients.setCertificate(certificate)
  }

  /** Whoever is not known any more is cut off at once; rights are looked up anew for each request. */
  updateAccess(snapshot: AccessSnapshot): void {
    this.#access.replace(snapshot)
    this.#check()
  }

  /** Takes no more connections and requests; those under way have `graceMs` to be answered. */
  close(graceMs = 0): Promise<void> {
    this.#closing ??= this.#close(graceMs)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(graceMs: number): Promise<void> {
    clearInterval(this.#timer)
    this.#clients.close()
    this.#internal.close()
    for (const connection of this.#connections.keys()) connection.finish()
    const cut = () => {
      this.#clients.cutAll()
      this.#internal.cutAll()
    }
    const timer = setTimeout(cut, graceMs)
    await Promise.all(this.#connections.values())
    clearTimeout(timer)
    cut() // those still in their handshake
  }

  #greet(socket: Socket, peer: string, fingerprint: Fingerprint | undefined): void {
    const { limits } = this.#parts
    const { protocol, mechanisms } = this.#options.security
    const login = protocol.startsWith('SASL')
      ? new ServerLogin({ mechanisms, users: this.#users, failureDelayMs: limits.loginFailureDelayMs })
      : undefined
    const session = new ClientSession({
      clientHost: `/${(socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '')}`,
      access: this.#access,
      fingerprint,
      login,
      open: protocol === 'PLAINTEXT',
    })
    if (session.admitted || login) {
      this.#serve(socket, session, peer)
      return
    }
    const reason = fingerprint === undefined ? 'it showed no certificate' : 'its certificate is not known here'
    this.#notice({ peer, fingerprint, reason }, 'A client was turned away')
    socket.destroy()
  }

  #serve(socket: Socket, session: ServedSession, peer: string): void {
    if (this.#closing || socket.destroyed) {
      socket.destroy()
      return
    }
    const connection = new BrokerConnection(socket, session, peer, this.#parts)
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    this.#connections.set(
      connection,
      closed.then(() => void this.#connections.delete(connection)),
    )
  }

  #notice(fields: object, message: string): void {
    const { log } = this.#parts.node
    this.#noticesLeft -= 1
    if (this.#noticesLeft >= 0) log.info(fields, message)
    else log.debug(fields, message)
  }

  #check(): void {
    this.#noticesLeft = noticesMax
    const nowMs = this.#parts.node.clock.monotonicMs()
    for (const connection of this.#connections.keys()) connection.check(nowMs)
    if (this.#parts.answers.full) this.#cutStalled(nowMs)
  }

  /** Whoever has not taken his answers for the longest goes first. */
  #cutStalled(nowMs: number): void {
    const stalled = [...this.#connections.keys()]
      .map((connection) => ({ connection, stalledMs: connection.stalledMs(nowMs) ?? 0 }))
      .filter(({ stalledMs }) => stalledMs > 0)
      .sort((left, right) => right.stalledMs - left.stalledMs)
    for (const { connection } of stalled) {
      if (!this.#parts.answers.full) return
      connection.cut('it does not take its answers, and memory is short')
    }
  }
}

/** One for each connection, as those of clients are. */
function ownSession(): ServedSession {
  return { ...internalSession, login: undefined, admitted: true }
}

/** Prepares the users and opens the ports. */
export async function startBrokerServer(
  options: BrokerServerOptions,
): Promise<{ server: BrokerServer; address: HostPort }> {
  const { mechanisms, users } = options.security
  const server = new BrokerServer(options, await SaslUsers.derive(users, mechanisms))
  try {
    return { server, address: await server.listen() }
  } catch (error) {
    await server.close()
    throw error
  }
}
