import type { Socket } from 'node:net'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { AuditTrail } from '../../src/gateway/audit.ts'
import type { GatewayAuditEvent } from '../../src/gateway/messages.ts'
import type { TunnelLimits } from '../../src/gateway/tunnel/limits.ts'
import { type TunnelRights, withoutInternalTopics } from '../../src/gateway/tunnel/rights.ts'
import { TunnelServer } from '../../src/gateway/tunnel/tunnel-server.ts'
import { type CertificatePems, createCertificate, fingerprintOf } from '../../src/identity/certificate.ts'
import { formatAddress } from '../../src/transport/address.ts'
import { createDialler } from '../../src/transport/create-dialler.ts'
import type { DialTarget } from '../../src/transport/dialler.ts'
import { FrameReader } from '../../src/transport/frame-reader.ts'
import { TlsFront } from '../../src/transport/listener.ts'
import { SlabPool } from '../../src/transport/slabs.ts'
import type { TunnelSpec } from '../../src/transport/spec.ts'
import { encodeRequest } from '../../src/wire/frame.ts'
import type { Api, RequestInput } from '../../src/wire/schema.ts'
import { FakeKafka } from './fake-kafka.ts'

export const linkId = '11111111-2222-3333-4444-555555555555'

/** See `revealing-kafka.ts` for what these are about. */
export function testRights(): TunnelRights {
  return withoutInternalTopics({
    mayViewTopic: (name) => ['orders', 'viewed', '__consumer_offsets'].includes(name),
    mayReadTopic: (name) => ['orders', '__consumer_offsets'].includes(name),
    mayViewTopicAcls: (name) => ['orders', '*', '__consumer_offsets'].includes(name),
    mayViewGroup: (name) => name === 'team-a',
    mayViewGroupAcls: (name) => name === 'team-a',
  })
}

/** A tunnel server behind a real TLS port, and what is needed to be its link. */
export class TunnelWorld<K extends { port: number } = FakeKafka> implements AsyncDisposable {
  readonly audited: GatewayAuditEvent[] = []
  rights: TunnelRights | undefined = testRights()
  readonly kafka: K
  readonly server: TunnelServer
  readonly #front: TlsFront
  readonly #serverPair: CertificatePems
  readonly #linkPair: CertificatePems

  constructor(kafka: K, pairs: [CertificatePems, CertificatePems], limits: Partial<TunnelLimits>) {
    this.kafka = kafka
    ;[this.#serverPair, this.#linkPair] = pairs
    const known = fingerprintOf(this.#linkPair.certificatePem)
    this.server = new TunnelServer({
      spec: { reach: 'kafka', clientId: 'gateway', bootstrap: [{ host: '127.0.0.1', port: kafka.port }] },
      rightsOf: (fingerprint) => {
        return fingerprint === known && this.rights ? { linkId, rights: this.rights } : undefined
      },
      limits,
      audit: new AuditTrail((event) => this.audited.push(event), systemClock),
      clock: systemClock,
      log: silentLog,
    })
    this.#front = new TlsFront({
      listen: { host: '127.0.0.1', port: 0 },
      ...this.#serverPair,
      onConnection: (connection) => this.server.accept(connection),
    })
  }

  static async start(kafka: FakeKafka, limits: Partial<TunnelLimits> = {}): Promise<TunnelWorld> {
    return TunnelWorld.before(await kafka.listen(), limits)
  }

  /** In front of a Kafka that listens already and goes on after us. */
  static async before<K extends { port: number }>(
    kafka: K,
    limits: Partial<TunnelLimits> = {},
  ): Promise<TunnelWorld<K>> {
    const request = { commonName: 'x', hostNames: [], addresses: [], clock: systemClock }
    const pairs: [CertificatePems, CertificatePems] = [
      await createCertificate(request),
      await createCertificate(request),
    ]
    const world = new TunnelWorld(kafka, pairs, limits)
    await world.#front.listen()
    return world
  }

  /** How the link reaches the tunnel. */
  get spec(): TunnelSpec {
    return {
      reach: 'peer',
      clientId: 'mirror',
      addresses: [formatAddress(this.#front.address)],
      fingerprint: fingerprintOf(this.#serverPair.certificatePem),
      ...this.#linkPair,
    }
  }

  async dial(target: DialTarget = { kind: 'bootstrap' }, asStranger = false): Promise<TunnelClient> {
    await using dialler = createDialler({ ...this.spec, ...(asStranger ? this.#serverPair : {}) })
    const client = new TunnelClient()
    client.attach(await dialler.dial(target, { onread: client.reader.onread }))
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#front.close()
    await this.server[Symbol.asyncDispose]()
    if (this.kafka instanceof FakeKafka) await this.kafka[Symbol.asyncDispose]()
  }
}

/** A link's end of a tunnel, at the level of frames. */
export class TunnelClient implements Disposable {
  readonly frames: Buffer[] = []
  readonly reader: FrameReader
  readonly closed: Promise<void>
  isClosed = false
  #socket: Socket | undefined
  #wake = () => {}
  #end = () => {}

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#end = resolve
    })
    this.reader = new FrameReader({
      pool: new SlabPool({ slabBytes: 1 << 16, slabsMax: 2 }),
      frameBytesMax: 1 << 27,
      onFrame: (frame) => {
        this.frames.push(Buffer.from(frame.bytes))
        frame.release()
        this.#wake()
      },
      onError: (error) => {
        throw error
      },
    })
  }

  get socket(): Socket {
    return this.#socket as Socket
  }

  attach(socket: Socket): void {
    this.#socket = socket
    this.reader.attach(socket)
    socket.once('close', () => {
      this.isClosed = true
      this.#end()
      this.#wake()
    })
    if (socket.destroyed) socket.emit('close')
  }

  send<A extends Api>(api: A, version: number, body: RequestInput<A>, correlationId = 7): void {
    for (const chunk of encodeRequest(api, version, correlationId, 'spoofed-client', body)) this.socket.write(chunk)
  }

  sendRaw(body: Uint8Array): void {
    const size = Buffer.alloc(4)
    size.writeInt32BE(body.length)
    this.socket.write(size)
    this.socket.write(body)
  }

  /** The next answer frame; undefined when the tunnel was closed instead. */
  async next(): Promise<Buffer | undefined> {
    while (this.frames.length === 0 && !this.isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.frames.shift()
  }

  async ask<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<Buffer> {
    this.send(api, version, body)
    const frame = await this.next()
    if (!frame) throw new Error(`the tunnel was closed by ${api.name} v${version}`)
    return frame
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
    this.reader.close()
  }
}
