import type { Socket } from 'node:net'
import { LinkspanError } from '../base/errors.ts'
import { AnswerReader } from './answer-reader.ts'
import type { BrokerAddress, Dialler, DialOptions, DialTarget } from './dialler.ts'
import { dialPinned } from './pinned.ts'
import type { TunnelSpec } from './spec.ts'
import { encodeTunnelFrame, type TunnelAnswer, tunnelProtocol, tunnelVersion } from './tunnel-preface.ts'

const defaultTimeoutMs = 10_000

/** Through the authorised Kafka tunnel of a linked Linkspan: the far side knows where its brokers are. */
export class TunnelDialler implements Dialler {
  readonly #spec: TunnelSpec
  readonly #timeoutMs: number
  readonly #closing = new AbortController()

  constructor(spec: TunnelSpec, options: { timeoutMs?: number } = {}) {
    this.#spec = spec
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  }

  async dial(target: DialTarget, options: DialOptions = {}): Promise<Socket> {
    const { addresses, fingerprint, certificatePem, privateKeyPem } = this.#spec
    const signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal
    const answer = new AnswerReader(options.onread)
    const socket = await dialPinned({
      addresses,
      fingerprint,
      certificatePem,
      privateKeyPem,
      alpn: tunnelProtocol,
      ...(answer.onread === undefined ? {} : { onread: answer.onread }),
      timeoutMs: this.#timeoutMs,
      signal,
    })
    socket.setKeepAlive(true, 60_000)
    try {
      socket.write(encodeTunnelFrame({ version: tunnelVersion, target }))
      judge(await answer.wait(socket, this.#timeoutMs, signal))
    } catch (error) {
      socket.destroy()
      throw error
    }
    return socket
  }

  /** Nothing to learn: hosts are blanked in the answers, and node ids go with the preface. */
  learn(_brokers: BrokerAddress[]): void {}

  /** Ends the dials under way; open sockets belong to whoever dialled them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new LinkspanError('closed', 'The connection to the peer is being closed'))
  }
}

function judge(answer: TunnelAnswer): void {
  if (answer.ok) return
  const codes = ['not-permitted', 'unreachable', 'unsupported', 'malformed', 'rate-limited'] as const
  const code = codes.find((known) => known === answer.code) ?? 'unsupported'
  throw new LinkspanError(code, `The peer refused the tunnel: ${String(answer.message).slice(0, 500)}`)
}
