import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { LinkspanError } from '../base/errors.ts'
import type { Caller } from '../transport/caller.ts'
import { pathTooLong, unixPathBytesMax } from '../transport/pinned-fetch.ts'

/** LXD's name, so that its client finds it: whoever can open it is the administrator here. */
export const adminSocketName = 'unix.socket'

const administrator: Caller = { transport: 'unix', address: '@' }

/** The local administrator's listener. The directory is closed to others before this listens, and its lock is ours. */
export class AdminSocket implements AsyncDisposable {
  readonly path: string
  readonly #server: Server

  constructor(directory: string, onConnection: (socket: Socket, caller: Caller) => void) {
    this.path = join(directory, adminSocketName)
    this.#server = createServer((socket) => onConnection(socket, administrator))
  }

  /** Throws `invalid-config` for a path that the system would cut off in silence. */
  async listen(): Promise<void> {
    if (Buffer.byteLength(this.path) > unixPathBytesMax) throw pathTooLong(this.path)
    await rm(this.path, { force: true }) // of a daemon that was killed
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) => {
        reject(new LinkspanError('invalid-config', `Cannot listen on ${this.path}`, { cause }))
      })
      this.#server.listen(this.path, resolve)
    })
    await chmod(this.path, 0o600)
  }

  /** Takes no more connections and removes the file. Open connections are those of the API. */
  close(): void {
    if (this.#server.listening) this.#server.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }
}
