import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AccessSnapshot, emptySnapshot } from '../../access/snapshot.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { type Log, silentLog } from '../../base/log.ts'
import type { HostPort } from '../../transport/address.ts'
import { FrameReader } from '../../transport/frame-reader.ts'
import { SlabPool } from '../../transport/slabs.ts'
import type { DirectSpec } from '../../transport/spec.ts'
import { decodeResponse, encodeRequest } from '../../wire/frame.ts'
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from '../../wire/schema.ts'
import { type BrokerConfig, brokerDefaults, type ListenerSecurity } from '../config.ts'
import { saslHandshakeHandler } from '../handlers/17-sasl-handshake.ts'
import { saslAuthenticateHandler } from '../handlers/36-sasl-authenticate.ts'
import { answer, defineHandler, type Handler, type RequestContext } from '../handlers/handler.ts'
import { brokerHandlers, createHandlerTable } from '../handlers/index.ts'
import type { BrokerNode } from '../node.ts'
import { type BrokerServer, startBrokerServer } from './broker-server.ts'
import type { ServerLimits } from './limits.ts'

export interface TestServerOptions {
  handlers?: readonly Handler[]
  /** A real one, with the real handlers. */
  node?: BrokerNode
  security?: ListenerSecurity
  config?: Partial<BrokerConfig>
  limits?: Partial<ServerLimits>
  snapshot?: AccessSnapshot
  log?: Log
  clock?: Clock
}

export const plaintext: ListenerSecurity = { protocol: 'PLAINTEXT', mechanisms: [], users: [] }

/** A broker's ports in this thread, with handlers of the test's own; what these would find behind them is missing. */
export class TestServer implements AsyncDisposable {
  readonly server: BrokerServer
  readonly node: BrokerNode
  readonly address: HostPort
  readonly socketPath: string
  readonly #folder: string

  constructor(parts: {
    server: BrokerServer
    node: BrokerNode
    address: HostPort
    folder: string
    socketPath: string
  }) {
    this.server = parts.server
    this.node = parts.node
    this.address = parts.address
    this.socketPath = parts.socketPath
    this.#folder = parts.folder
  }

  spec(more: Partial<DirectSpec> = {}): DirectSpec {
    return { reach: 'kafka', clientId: 'test', bootstrap: [this.address], ...more }
  }

  client(): Promise<RawClient> {
    return RawClient.connect(connect(this.address))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { handlers = [], security = plaintext, limits = {}, snapshot = emptySnapshot } = options
  const { log = silentLog, clock = systemClock } = options
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-server-'))
  const listen = { host: '127.0.0.1', port: 0 }
  const fakeNode = {
    config: { ...brokerDefaults, ...options.config },
    clusterId: 'AAAAAAAAAAAAAAAAAAAAAA',
    advertised: () => listen,
    clock,
    log,
  } as unknown as BrokerNode
  const socketPath = join(folder, 'kafka.socket')
  const { node = fakeNode } = options
  const own = createHandlerTable([...handlers, saslHandshakeHandler, saslAuthenticateHandler])
  const table = options.node ? brokerHandlers : own
  const { server, address } = await startBrokerServer({
    ...{ node, listen, security, snapshot, socketPath, handlers: table, limits },
  })
  return new TestServer({ server, node, address, folder, socketPath })
}

/** A handler that answers what the test says. */
export function handlerOf<A extends Api>(
  api: A,
  respond: (request: RequestOf<A>, context: RequestContext) => Promise<ResponseInput<A>> | ResponseInput<A>,
): Handler {
  return defineHandler<A>({
    api,
    versions: api.versions,
    async handle(request, context) {
      return answer<A>(await respond(request, context))
    },
  })
}

/** A connection that sends whatever it is told to, and takes answers in the order in which they come. */
export class RawClient {
  readonly socket: Socket
  readonly frames: Buffer[] = []
  readonly closed: Promise<void>
  readonly #reader: FrameReader
  #wake: (() => void) | undefined
  #nextId = 1

  constructor(socket: Socket) {
    this.socket = socket
    this.#reader = new FrameReader({
      pool: new SlabPool({ slabBytes: 64 * 1024, slabsMax: 4 }),
      frameBytesMax: 128 * 1024 * 1024,
      onFrame: (frame) => {
        this.frames.push(Buffer.from(frame.bytes))
        frame.release()
        this.#wake?.()
      },
      onError: () => socket.destroy(),
    })
    this.#reader.attach(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      if (!this.#reader.push(chunk)) socket.pause()
    })
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#wake?.()
        resolve()
      })
    })
  }

  static async connect(socket: Socket): Promise<RawClient> {
    const client = new RawClient(socket)
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return client
  }

  /** Sends without waiting; returns the correlation id. */
  send<A extends Api>(api: A, version: number, body: RequestInput<A>): number {
    const id = this.#nextId
    this.#nextId += 1
    for (const chunk of encodeRequest(api, version, id, 'raw', body)) this.socket.write(chunk)
    return id
  }

  /** The next answer, without its size; undefined when the connection has ended before. */
  async next(): Promise<Buffer | undefined> {
    while (this.frames.length === 0 && !this.socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.frames.shift()
  }

  async ask<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A> | undefined> {
    this.send(api, version, body)
    const frame = await this.next()
    return frame && decodeResponse(api, version, frame)
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
    this.#reader.close()
  }
}
