import type { TLSSocket } from 'node:tls'

/**
 * The way out to the link. Pieces are referenced until they are written, then `done` is called, exactly once each,
 * also when the socket is lost.
 */
export class Outlet {
  readonly #socket: TLSSocket

  constructor(socket: TLSSocket) {
    this.#socket = socket
  }

  write(chunks: readonly Uint8Array[], done: () => void): void {
    const last = chunks.length - 1
    this.#socket.cork()
    for (const [index, chunk] of chunks.entries()) {
      if (index < last) this.#socket.write(chunk)
      else this.#socket.write(chunk, () => done())
    }
    this.#socket.uncork()
  }
}
