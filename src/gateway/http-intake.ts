import { chmod, mkdir, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { type Caller, decodePreface, prefaceBytesMax } from '../transport/caller.ts'
import { pathTooLong, unixPathBytesMax } from '../transport/pinned-fetch.ts'

export interface IntakeOptions {
  /** Of the internal socket. Its folder is made for the owner alone, and must hold nothing that others may read. */
  path: string
  /** The socket stands just after the preface: `httpServer.emit('connection', socket)`. */
  onConnection: (socket: Socket, caller: Caller) => void
  prefaceTimeoutMs?: number
}

const defaultPrefaceTimeoutMs = 5000
const newline = 0x0a

/**
 * The control thread's end of what the gateway worker relays: each connection is one TLS connection of the public port,
 * and its first line says who is there. Only this daemon can connect, by the modes of the socket and its folder.
 * An HTTP server that never listened checks no timeouts: emit `listening` on it once.
 */
export class HttpIntake implements AsyncDisposable {
  readonly #options: IntakeOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#accepted(socket))
  }

  async listen(): Promise<void> {
    const { path } = this.#options
    if (Buffer.byteLength(path) > unixPathBytesMax) throw pathTooLong(path)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await chmod(dirname(path), 0o700)
    await rm(path, { force: true }) // of a daemon that was killed; the state directory's lock is ours
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(path, resolve)
    })
    await chmod(path, 0o600)
  }

  /** Connections that were handed on are closed too. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (this.#server.listening) this.#server.close(() => resolve())
      else resolve()
    })
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accepted(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.#sockets.delete(socket))
    const { onConnection, prefaceTimeoutMs = defaultPrefaceTimeoutMs } = this.#options
    const timer = setTimeout(() => socket.destroy(), prefaceTimeoutMs)
    socket.once('close', () => clearTimeout(timer))
    const line = new LineReader()
    const readable = () => {
      const chunk: Buffer | null = socket.read()
      if (!chunk) return
      const rest = line.take(chunk)
      if (rest === 'too-long') return socket.destroy()
      if (rest === 'more') return
      clearTimeout(timer)
      socket.off('readable', readable)
      if (rest.length > 0) socket.unshift(rest)
      handOn(socket, line.text, onConnection)
    }
    socket.on('readable', readable)
  }
}

export async function createIntake(options: IntakeOptions): Promise<HttpIntake> {
  const intake = new HttpIntake(options)
  await intake.listen()
  return intake
}

function handOn(socket: Socket, line: string, onConnection: IntakeOptions['onConnection']): void {
  let caller: Caller
  try {
    caller = decodePreface(line)
  } catch {
    socket.destroy()
    return
  }
  onConnection(socket, caller)
}

/** The bytes up to the first newline; usually they come in one chunk. */
class LineReader {
  readonly #bytes = Buffer.allocUnsafe(prefaceBytesMax)
  #used = 0

  get text(): string {
    return this.#bytes.toString('utf8', 0, this.#used)
  }

  /** What follows the line, once it is whole. */
  take(chunk: Buffer): Buffer | 'more' | 'too-long' {
    const end = chunk.indexOf(newline)
    const count = end < 0 ? chunk.length : end
    if (this.#used + count > prefaceBytesMax) return 'too-long'
    this.#used += chunk.copy(this.#bytes, this.#used, 0, count)
    return end < 0 ? 'more' : chunk.subarray(end + 1)
  }
}
