import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { LinkspanError } from '../../base/errors.ts'
import { pathTooLong, unixPathBytesMax } from '../../transport/pinned-fetch.ts'

export interface InternalListenerOptions {
  /** In a folder that is closed to others. */
  path: string
  connectionsMax: number
  onConnection: (socket: Socket) => void
}

/** The Unix socket for our own daemon: whoever can open it may do everything, raw appends included. */
export class InternalListener {
  readonly #options: InternalListenerOptions
  readonly #server: Server
  readonly #open = new Set<Socket>()

  constructor(options: InternalListenerOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#accepted(socket))
  }

  /** Throws `invalid-config`, also for a path that the system would cut off in silence. */
  async listen(): Promise<void> {
    const { path } = this.#options
    if (Buffer.byteLength(path) > unixPathBytesMax) throw pathTooLong(path)
    await rm(path, { force: true }) // of a daemon that was killed; the lock of the broker's folder is ours
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) => {
        reject(new LinkspanError('invalid-config', `The broker cannot listen on ${path}`, { cause }))
      })
      this.#server.listen(path, resolve)
    })
    await chmod(path, 0o600)
  }

  /** Takes no more connections, and removes the file. */
  close(): void {
    if (this.#server.listening) this.#server.close()
  }

  cutAll(): void {
    for (const socket of this.#open) socket.destroy()
  }

  #accepted(socket: Socket): void {
    socket.on('error', () => {})
    if (this.#open.size >= this.#options.connectionsMax) {
      socket.destroy()
      return
    }
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    this.#options.onConnection(socket)
  }
}
