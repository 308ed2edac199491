import type { Agent as HttpAgent, IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { LinkspanError } from '../base/errors.ts'
import { socketOpened, unreachable } from './opening.ts'
import type { Pin } from './pinned.ts'

// Not by `import`, which would read every export of it and so load Node's whole fetch: 50 ms of each command's start.
const { Agent, request: sendRequest } = process.getBuiltinModule('node:http')

export interface HttpRequest {
  method: string
  path: string
  headers?: Record<string, string>
  body?: string
}

export interface HttpAnswer {
  status: number
  /** Names in lower case; several values of one name are joined by commas. */
  headers: Record<string, string>
  body: string
}

/** One request and its whole answer. Throws the errors of the dial, `closed`, `too-large`, or the signal's reason. */
export type HttpCall = (request: HttpRequest, signal?: AbortSignal) => Promise<HttpAnswer>

/** The call, and the connections that it keeps alive. */
export type HttpConnections = HttpCall & AsyncDisposable & { readonly agent: HttpAgent }

export interface PinnedHttpOptions {
  /** `host:port`, or several that are tried side by side. */
  address: string | readonly string[]
  fingerprint: Pin
  /** PEM. */
  certificate?: string
  key?: string
  timeoutMs?: number
}

const answerBytesMax = 16 * 1024 * 1024
const socketsMax = 16
const unixTimeoutMs = 5000
/** A path over this many bytes is cut off by the system in silence (`sun_path`). */
export const unixPathBytesMax = 107

/** HTTP/1.1 over TLS 1.3; the pin is checked on every connection, before anything is sent. */
export function pinnedHttp(options: PinnedHttpOptions): HttpConnections {
  const { address, fingerprint, certificate, key, timeoutMs } = options
  const addresses = typeof address === 'string' ? [address] : address
  const agent = new DialAgent(async () => {
    // Whoever only speaks to a Unix socket is spared Node's TLS: a tenth of the start of a command.
    const { dialSideBySide } = await import('./side-by-side.ts')
    const { socket } = await dialSideBySide({
      addresses,
      fingerprint,
      alpn: 'http/1.1',
      ...(certificate === undefined ? {} : { certificatePem: certificate }),
      ...(key === undefined ? {} : { privateKeyPem: key }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })
    return socket
  })
  return httpConnections(agent, addresses[0] ?? 'localhost')
}

/** HTTP/1.1 over a Unix socket of this machine. */
export function unixHttp(socketPath: string): HttpConnections {
  const agent = new DialAgent(() => {
    if (Buffer.byteLength(socketPath) > unixPathBytesMax) throw pathTooLong(socketPath)
    const socket = connect({ path: socketPath })
    return socketOpened(socket, { event: 'connect', address: socketPath, timeoutMs: unixTimeoutMs })
  })
  return httpConnections(agent, 'linkspan')
}

/** HTTP/1.1 over a connection that is open already, and over no other. */
export function socketHttp(socket: Socket, address: string): HttpConnections {
  const agent = new DialAgent(async () => {
    if (socket.destroyed) throw new LinkspanError('closed', `${address} closed the connection`)
    return socket
  })
  return httpConnections(agent, address)
}

export function pathTooLong(path: string): LinkspanError {
  const wayOut = 'choose a state directory with a shorter path'
  return new LinkspanError('invalid-config', `${path} is longer than ${unixPathBytesMax} bytes: ${wayOut}`)
}

class DialAgent extends Agent {
  readonly #dial: () => Promise<Socket>

  constructor(dial: () => Promise<Socket>) {
    super({ keepAlive: true, maxSockets: socketsMax })
    this.#dial = dial
  }

  override createConnection(_options: object, opened?: (error: Error | null, socket: Socket) => void): undefined {
    const fail = (error: Error) => opened?.(error, undefined as unknown as Socket)
    this.#open().then((socket) => opened?.(null, socket), fail)
  }

  async #open(): Promise<Socket> {
    return this.#dial()
  }
}

function httpConnections(agent: HttpAgent, host: string): HttpConnections {
  const call: HttpCall = async (request, signal) => {
    try {
      return await sendOnce(agent, host, request, signal)
    } catch (error) {
      // The peer closed an idle connection just when we took it: a read can be asked again without harm.
      if (!(error instanceof StaleConnection)) throw error
      if (request.method === 'GET') return sendOnce(agent, host, request, signal)
      throw new LinkspanError('closed', `${host} closed the connection before it answered`, { cause: error })
    }
  }
  return Object.assign(call, {
    agent,
    [Symbol.asyncDispose]: async () => agent.destroy(),
  })
}

class StaleConnection extends Error {}

function sendOnce(agent: HttpAgent, host: string, request: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const { method, path, headers, body } = request
    const fail = (error: Error) => {
      if (signal?.aborted) reject(signal.reason)
      else if (error instanceof LinkspanError) reject(error)
      else if (outgoing.reusedSocket && !answered) reject(new StaleConnection('stale', { cause: error }))
      else reject(unreachable(host, error))
    }
    let answered = false
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const options = { agent, method, path, headers: { host, ...headers, ...length }, ...(signal ? { signal } : {}) }
    const outgoing = sendRequest(options, (answer) => {
      answered = true
      readAnswer(answer).then(resolve, (error: Error) => {
        outgoing.destroy()
        fail(error)
      })
    })
    outgoing.on('error', fail)
    outgoing.end(body)
  })
}

async function readAnswer(answer: IncomingMessage): Promise<HttpAnswer> {
  const decoder = new TextDecoder()
  let body = ''
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > answerBytesMax) {
      throw new LinkspanError('too-large', `The answer is larger than ${answerBytesMax} bytes`)
    }
    body += decoder.decode(chunk, { stream: true })
  }
  body += decoder.decode()
  const headers = Object.entries(answer.headers).map(([name, value]) => [name, String(value)])
  return { status: answer.statusCode ?? 0, headers: Object.fromEntries(headers), body }
}
