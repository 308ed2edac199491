import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { explainError, LinkspanError } from '../../base/errors.ts'
import type { Fingerprint } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { fingerprintOf } from '../../identity/certificate.ts'
import { formatAddress, type HostPort, peerAddressOf } from '../../transport/address.ts'
import type { ServerCertificate } from '../config.ts'
import { tlsOptions } from './tls.ts'

export interface ClientListenerOptions {
  listen: HostPort
  /** Without one, clients come in plain. */
  certificate: ServerCertificate | undefined
  connectionsMax: number
  handshakeTimeoutMs: number
  log: Log
  /** `fingerprint`: of the certificate that was shown, if one was. */
  onConnection: (socket: Socket, peer: string, fingerprint: Fingerprint | undefined) => void
}

/** The port for Kafka's clients. It judges nobody. */
export class ClientListener {
  readonly #options: ClientListenerOptions
  readonly #tcp: Server
  readonly #tls: TlsServer | undefined
  /** Every accepted socket, also while its handshake lasts. */
  readonly #raw = new Set<Socket>()

  constructor(options: ClientListenerOptions) {
    this.#options = options
    this.#tcp = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accepted(socket))
    if (options.certificate) this.#tls = this.#createTls(options.certificate)
  }

  /** Throws `in-use`, `invalid-config`. */
  async listen(): Promise<HostPort> {
    const { listen } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once('error', (error) => reject(listenFailure(error, listen)))
      this.#tcp.listen({ host: listen.host, port: listen.port }, resolve)
    })
    const address = this.#tcp.address()
    if (!address || typeof address === 'string') throw new LinkspanError('closed', 'The port is not open')
    return { host: address.address, port: address.port }
  }

  /** For connections from now on. Without TLS there is nothing to do. */
  setCertificate(certificate: ServerCertificate): void {
    this.#tls?.setSecureContext(tlsOptions(certificate, this.#options.handshakeTimeoutMs))
  }

  /** Takes no more connections; those in their handshake are cut. */
  close(): void {
    if (this.#tcp.listening) this.#tcp.close()
  }

  cutAll(): void {
    for (const socket of this.#raw) socket.destroy()
  }

  #createTls(certificate: ServerCertificate): TlsServer {
    const { handshakeTimeoutMs, log } = this.#options
    const tls = createTlsServer(tlsOptions(certificate, handshakeTimeoutMs), (socket) => this.#secured(socket))
    tls.on('tlsClientError', (error, socket) => {
      log.debug({ peer: peerAddressOf(socket), reason: explainError(error) }, 'A TLS handshake failed')
      socket.destroy()
    })
    return tls
  }

  #accepted(raw: Socket): void {
    raw.on('error', () => {})
    const { connectionsMax, log, onConnection } = this.#options
    if (this.#raw.size >= connectionsMax) {
      log.debug({ peer: peerAddressOf(raw), connectionsMax }, 'A connection was refused: too many are open')
      raw.destroy()
      return
    }
    this.#raw.add(raw)
    raw.once('close', () => this.#raw.delete(raw))
    if (this.#tls) this.#tls.emit('connection', raw)
    else onConnection(raw, peerAddressOf(raw), undefined)
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', () => {})
    // Without a certificate `authorized` says nothing, and `authorizationError` names an issuer: only this tells.
    const certificate = socket.getPeerX509Certificate()
    this.#options.onConnection(socket, peerAddressOf(socket), certificate && fingerprintOf(certificate))
  }
}

function listenFailure(error: Error, listen: HostPort): LinkspanError {
  const { code } = error as NodeJS.ErrnoException
  const where = formatAddress(listen)
  if (code === 'EADDRINUSE') {
    const wayOut = 'stop it, choose another port with --broker-listen, or front it with --kafka'
    return new LinkspanError('in-use', `${where} is in use by another program: ${wayOut}`, { cause: error })
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    const sentence = `${where} is no address of this host: choose one with --broker-listen`
    return new LinkspanError('invalid-config', sentence, { cause: error })
  }
  return new LinkspanError('invalid-config', `The broker cannot listen on ${where}`, { cause: error })
}
