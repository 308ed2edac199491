import { createServer as createTcpServer, isIPv6, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { explainError, LinkspanError } from '../base/errors.ts'
import type { Fingerprint } from '../base/ids.ts'
import { fingerprintOf } from '../identity/certificate.ts'
import { formatAddress, type HostPort, peerAddressOf } from './address.ts'
import { tunnelProtocol } from './tunnel-preface.ts'

export interface FrontLimits {
  connectionsMax: number
  /** For one IPv4 address, or one IPv6 network of 64 bits. */
  connectionsPerAddressMax: number
  handshakeTimeoutMs: number
}

export const defaultFrontLimits: FrontLimits = {
  connectionsMax: 4096,
  connectionsPerAddressMax: 512,
  handshakeTimeoutMs: 10_000,
}

/** All that TLS 1.3 has; AES with 128 bits first, which costs a fifth less of what a tunnel pays for encryption. */
const ciphers = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256'

export interface FrontConnection {
  socket: TLSSocket
  protocol: 'http' | 'tunnel'
  /** Of the presented certificate, whose key the peer holds; undefined when it presented none. */
  fingerprint?: Fingerprint
  certificatePem?: string
  /** `ip:port` of the peer. */
  address: string
}

export interface FrontRefusal {
  address: string
  reason: 'too-many-connections' | 'handshake'
  detail: string
}

export interface FrontOptions {
  listen: HostPort
  certificatePem: string
  privateKeyPem: string
  limits?: Partial<FrontLimits>
  onConnection: (connection: FrontConnection) => void
  onRefused?: (refusal: FrontRefusal) => void
}

/**
 * The one TLS port: TLS 1.3 only, any client certificate or none, and ALPN that tells the tunnel from HTTP. It judges
 * nobody: who the peer is goes along with each connection.
 */
export class TlsFront implements AsyncDisposable {
  readonly #options: FrontOptions
  readonly #limits: FrontLimits
  readonly #tcp: Server
  readonly #tls: TlsServer
  /** Every accepted socket, also while its handshake lasts. */
  readonly #raw = new Map<Socket, string>()
  readonly #perOrigin = new Map<string, number>()
  readonly #open = new Map<TLSSocket, FrontConnection>()

  constructor(options: FrontOptions) {
    this.#options = options
    this.#limits = { ...defaultFrontLimits, ...options.limits }
    this.#tls = createTlsServer(
      {
        cert: options.certificatePem,
        key: options.privateKeyPem,
        minVersion: 'TLSv1.3',
        ciphers,
        ALPNProtocols: [tunnelProtocol, 'http/1.1'],
        requestCert: true,
        rejectUnauthorized: false, // pins decide, per request; whoever is not known may still show a token
        handshakeTimeout: this.#limits.handshakeTimeoutMs,
      },
      (socket) => this.#secured(socket),
    )
    this.#tls.on('tlsClientError', (error, socket) => {
      const address = peerAddressOf(socket)
      options.onRefused?.({ address, reason: 'handshake', detail: explainError(error) })
      socket.destroy()
    })
    this.#tcp = createTcpServer({ noDelay: true, keepAlive: true }, (socket) => this.#accepted(socket))
  }

  /** Throws `in-use`, `invalid-config`. */
  async listen(): Promise<HostPort> {
    const { host, port } = this.#options.listen
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once('error', (error) => reject(listenFailure(error, this.#options.listen)))
      this.#tcp.listen({ host, port }, resolve)
    })
    return this.address
  }

  get address(): HostPort {
    const address = this.#tcp.address()
    if (!address || typeof address === 'string') throw new LinkspanError('closed', 'The port is not open')
    return { host: address.address, port: address.port }
  }

  get connections(): number {
    return this.#raw.size
  }

  /** For connections from now on; open ones keep theirs. */
  setCertificate(certificatePem: string, privateKeyPem: string): void {
    this.#tls.setSecureContext({ cert: certificatePem, key: privateKeyPem, minVersion: 'TLSv1.3', ciphers })
  }

  /** Cuts what a certificate has open, at once. Returns how many connections these were. */
  closeByFingerprint(fingerprint: Fingerprint): number {
    const found = [...this.#open].filter(([, connection]) => connection.fingerprint === fingerprint)
    for (const [socket] of found) socket.destroy()
    return found.length
  }

  /** Takes no more connections and cuts what is open after `graceMs`. */
  async close(graceMs = 0): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (this.#tcp.listening) this.#tcp.close(() => resolve())
      else resolve()
    })
    const timer = setTimeout(() => this.#cutAll(), graceMs)
    await closed
    clearTimeout(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #cutAll(): void {
    for (const socket of this.#raw.keys()) socket.destroy()
  }

  #accepted(raw: Socket): void {
    raw.on('error', () => {})
    const origin = originOf(raw.remoteAddress ?? '')
    const fromOrigin = this.#perOrigin.get(origin) ?? 0
    const { connectionsMax, connectionsPerAddressMax } = this.#limits
    if (this.#raw.size >= connectionsMax || fromOrigin >= connectionsPerAddressMax) {
      const detail = `${this.#raw.size} connections are open, ${fromOrigin} of them from there`
      this.#options.onRefused?.({ address: peerAddressOf(raw), reason: 'too-many-connections', detail })
      raw.destroy()
      return
    }
    this.#raw.set(raw, origin)
    this.#perOrigin.set(origin, fromOrigin + 1)
    raw.once('close', () => this.#forget(raw, origin))
    this.#tls.emit('connection', raw)
  }

  #forget(raw: Socket, origin: string): void {
    this.#raw.delete(raw)
    const left = (this.#perOrigin.get(origin) ?? 1) - 1
    if (left > 0) this.#perOrigin.set(origin, left)
    else this.#perOrigin.delete(origin)
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', () => {})
    // Without a certificate `authorized` says nothing, and `authorizationError` names an issuer: only this tells.
    const certificate = socket.getPeerX509Certificate()
    const connection: FrontConnection = {
      socket,
      protocol: socket.alpnProtocol === tunnelProtocol ? 'tunnel' : 'http',
      address: peerAddressOf(socket),
      ...(certificate ? { fingerprint: fingerprintOf(certificate), certificatePem: certificate.toString() } : {}),
    }
    this.#open.set(socket, connection)
    socket.once('close', () => this.#open.delete(socket))
    this.#options.onConnection(connection)
  }
}

/** One household of IPv6 has 2⁶⁴ addresses: its network is what counts. */
function originOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '')
  if (!isIPv6(plain)) return plain
  const [head = '', tail] = plain.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const middle = tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0')
  return [...front, ...middle, ...back].slice(0, 4).join(':')
}

function listenFailure(error: Error, listen: HostPort): LinkspanError {
  const { code } = error as NodeJS.ErrnoException
  const where = formatAddress(listen)
  if (code === 'EADDRINUSE') {
    const sentence = `${where} is in use by another program: stop it, or choose another port with --listen`
    return new LinkspanError('in-use', sentence, { cause: error })
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    const sentence = `${where} is no address of this host: choose one with --listen`
    return new LinkspanError('invalid-config', sentence, { cause: error })
  }
  return new LinkspanError('invalid-config', `Cannot listen on ${where}`, { cause: error })
}
