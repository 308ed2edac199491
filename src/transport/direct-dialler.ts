import { connect, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { LinkspanError } from '../base/errors.ts'
import { formatAddress, type HostPort } from './address.ts'
import type { BrokerAddress, Dialler, DialOptions, DialTarget } from './dialler.ts'
import { socketOpened } from './opening.ts'
import type { DirectSpec, TlsSpec } from './spec.ts'

const defaultTimeoutMs = 10_000
/** More brokers than any cluster has: a broken metadata answer must not fill the memory. */
const brokersMax = 10_000

/**
 * Plain TCP or TLS ≥ 1.2 straight to the brokers, whose addresses come from the metadata of the bootstrap servers; or
 * the Unix socket of the embedded broker, which is the only one of its cluster.
 */
export class DirectDialler implements Dialler {
  readonly #spec: DirectSpec
  readonly #timeoutMs: number
  readonly #closing = new AbortController()
  #brokers = new Map<number, HostPort>()
  /** Where the next dial begins: each goes one further, so that a server that accepts but hangs is left behind. */
  #first = 0

  constructor(spec: DirectSpec, options: { timeoutMs?: number } = {}) {
    this.#spec = spec
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  }

  async dial(target: DialTarget, options: DialOptions = {}): Promise<Socket> {
    const { socketPath } = this.#spec
    if (socketPath !== undefined) return this.#openPath(socketPath, options)
    if (target.kind === 'bootstrap') return this.#dialBootstrap(options)
    const broker = this.#brokers.get(target.nodeId)
    if (broker) return this.#open(broker, options)
    throw new LinkspanError('unreachable', `Broker ${target.nodeId} is not in the cluster's metadata`)
  }

  /** Takes the place of what was known: a broker that left the cluster is no longer dialled. */
  learn(brokers: BrokerAddress[]): void {
    this.#brokers = new Map(brokers.slice(0, brokersMax).map(({ nodeId, host, port }) => [nodeId, { host, port }]))
  }

  /** Ends the dials under way; open sockets belong to whoever dialled them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new LinkspanError('closed', 'The connection to Kafka is being closed'))
  }

  async #dialBootstrap(options: DialOptions): Promise<Socket> {
    const servers = this.#spec.bootstrap
    let last: unknown = new LinkspanError('invalid-config', 'No bootstrap server is given')
    for (let tried = 0; tried < servers.length; tried += 1) {
      const index = (this.#first + tried) % servers.length
      try {
        const socket = await this.#open(servers[index] as HostPort, options)
        this.#first = (index + 1) % servers.length
        return socket
      } catch (error) {
        if (options.signal?.aborted || this.#closing.signal.aborted) throw error
        last = error
      }
    }
    throw last
  }

  async #open(server: HostPort, options: DialOptions): Promise<Socket> {
    const { host, port } = server
    const { onread } = options
    const { tls } = this.#spec
    const endpoint = { host, port, ...(onread === undefined ? {} : { onread }) }
    const socket = tls ? connectTls({ ...endpoint, ...tlsOptions(host, tls) }) : connect(endpoint)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
    return this.#opened(socket, { event: tls ? 'secureConnect' : 'connect', address: formatAddress(server) }, options)
  }

  async #openPath(path: string, options: DialOptions): Promise<Socket> {
    const { onread } = options
    const socket = connect({ path, ...(onread === undefined ? {} : { onread }) })
    return this.#opened(socket, { event: 'connect', address: path }, options)
  }

  #opened(socket: Socket, what: { event: string; address: string }, options: DialOptions): Promise<Socket> {
    const signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal
    return socketOpened(socket, { ...what, timeoutMs: this.#timeoutMs, signal })
  }
}

function tlsOptions(host: string, tls: TlsSpec): ConnectionOptions {
  const { ca, certificatePem, privateKeyPem, privateKeyPassword, verifyHost } = tls
  return {
    minVersion: 'TLSv1.2',
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(certificatePem === undefined ? {} : { cert: certificatePem }),
    ...(privateKeyPem === undefined ? {} : { key: privateKeyPem }),
    ...(privateKeyPassword === undefined ? {} : { passphrase: privateKeyPassword }),
    ...(verifyHost ? {} : { checkServerIdentity: () => undefined }),
  }
}
