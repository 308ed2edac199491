import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Reader } from '../../src/bytes/reader.ts'
import type { BrokerAddress, Dialler, DialOptions, DialTarget } from '../../src/transport/dialler.ts'
import { FrameReader } from '../../src/transport/frame-reader.ts'
import { SlabPool } from '../../src/transport/slabs.ts'
import { apiVersions } from '../../src/wire/api/18-api-versions.ts'
import { decodeRequestBody, isFlexible } from '../../src/wire/codec.ts'
import { decodeRequestHeader, encodeResponse, skipTaggedFields } from '../../src/wire/frame.ts'
import type { Api, RequestOf, ResponseInput } from '../../src/wire/schema.ts'

export interface FakeRequest<A extends Api = Api> {
  api: A
  version: number
  correlationId: number
  clientId: string | null
  body: RequestOf<A>
  socket: Socket
  /** When it came, in monotonic milliseconds. */
  atMs: number
  answer: (body: ResponseInput<A>) => void
}

interface Handler {
  api: Api
  versions: readonly [number, number]
  handle: (request: FakeRequest) => void
}

/** A broker that says what a test wants it to say, one answer for each request, or none. */
export class FakeKafka implements AsyncDisposable {
  readonly requests: FakeRequest[] = []
  readonly sockets = new Set<Socket>()
  readonly #server: Server
  readonly #handlers = new Map<number, Handler>()

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket))
    this.on(apiVersions, ({ answer }) => answer({ apiKeys: this.apiKeys() }))
  }

  async listen(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  /** What ApiVersions is to say by default: every API that has a handler. */
  apiKeys() {
    return [...this.#handlers.values()].map(({ api, versions: [minVersion, maxVersion] }) => {
      return { apiKey: api.key, minVersion, maxVersion }
    })
  }

  on<A extends Api>(api: A, handle: (request: FakeRequest<A>) => void, versions = api.versions): this {
    this.#handlers.set(api.key, { api, versions, handle: handle as unknown as (request: FakeRequest) => void })
    return this
  }

  seen<A extends Api>(api: A): FakeRequest<A>[] {
    return this.requests.filter((request) => request.api.key === api.key) as unknown as FakeRequest<A>[]
  }

  /** Ends the connections but goes on listening. */
  disconnect(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disconnect()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket): void {
    this.sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.sockets.delete(socket))
    const reader = new FrameReader({
      pool: new SlabPool({ slabBytes: 1 << 16, slabsMax: 64 }),
      frameBytesMax: 1 << 28,
      onFrame: (frame) => {
        this.#handle(socket, Buffer.from(frame.bytes))
        frame.release()
      },
      onError: () => socket.destroy(),
    })
    reader.attach(socket)
    socket.on('data', (chunk: Buffer) => reader.push(chunk))
  }

  #handle(socket: Socket, frame: Buffer): void {
    const reader = new Reader(frame)
    const { apiKey, apiVersion: version, correlationId, clientId } = decodeRequestHeader(reader)
    const handler = this.#handlers.get(apiKey)
    if (!handler) {
      socket.destroy()
      return
    }
    const { api } = handler
    if (isFlexible(api, version)) skipTaggedFields(reader)
    const request: FakeRequest = {
      api,
      version,
      correlationId,
      clientId,
      body: decodeRequestBody(api, version, reader),
      socket,
      atMs: performance.now(),
      answer: (body) => send(socket, encodeResponse(api, version, correlationId, body)),
    }
    this.requests.push(request)
    handler.handle(request)
  }
}

export function send(socket: Socket, chunks: readonly Uint8Array[]): void {
  socket.cork()
  for (const chunk of chunks) socket.write(chunk)
  socket.uncork()
}

/** Dials ports of this machine: a node's that `learn` told, or the bootstrap's. */
export class PlainDialler implements Dialler {
  dials = 0
  readonly #bootstrapPort: number
  #ports = new Map<number, number>()

  constructor(bootstrapPort: number) {
    this.#bootstrapPort = bootstrapPort
  }

  async dial(target: DialTarget, options: DialOptions = {}): Promise<Socket> {
    this.dials += 1
    const port = target.kind === 'bootstrap' ? this.#bootstrapPort : this.#ports.get(target.nodeId)
    const socket = connect({
      host: '127.0.0.1',
      port: port ?? 1,
      ...(options.onread ? { onread: options.onread } : {}),
    })
    await once(socket, 'connect', options.signal ? { signal: options.signal } : {})
    return socket
  }

  learn(brokers: BrokerAddress[]): void {
    this.#ports = new Map(brokers.map(({ nodeId, port }) => [nodeId, port]))
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
