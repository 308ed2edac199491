import type { Socket } from 'node:net'
import { type Frame, FrameReader } from '../../transport/frame-reader.ts'
import { SlabPool } from '../../transport/slabs.ts'

/** Requests are small: what has arrived and is not yet judged fits these, then the link is read no further. */
const slabBytes = 16 * 1024
const slabsMax = 2

/** The frames of an accepted socket, taken one by one. */
export class FrameInbox {
  readonly #reader: FrameReader
  readonly #socket: Socket
  readonly #frames: Frame[] = []
  #head = 0
  #wake: (() => void) | undefined
  #ended = false
  #error: Error | undefined

  constructor(socket: Socket, frameBytesMax: number) {
    this.#socket = socket
    this.#reader = new FrameReader({
      pool: new SlabPool({ slabBytes, slabsMax }),
      frameBytesMax,
      onFrame: (frame) => {
        this.#frames.push(frame)
        this.#wake?.()
      },
      onError: (error) => this.#end(error),
    })
    this.#reader.attach(socket)
    socket.on('data', (chunk: Buffer) => {
      if (!this.#reader.push(chunk)) socket.pause()
    })
    socket.once('end', () => this.#end())
    socket.once('close', () => this.#end())
    if (socket.destroyed) this.#end()
  }

  set frameBytesMax(bytes: number) {
    this.#reader.frameBytesMax = bytes
  }

  /** The next frame, for its taker to release; undefined when the other end has left. Throws `malformed`. */
  async next(): Promise<Frame | undefined> {
    while (this.#head === this.#frames.length && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const frame = this.#frames[this.#head]
    if (!frame) {
      if (this.#error) throw this.#error
      return undefined
    }
    this.#head += 1
    if (this.#head === this.#frames.length) {
      this.#frames.length = 0
      this.#head = 0
    }
    return frame
  }

  /** Destroys the socket and what it has brought. */
  close(): void {
    this.#socket.destroy()
    this.#reader.close()
    for (const frame of this.#frames.slice(this.#head)) frame.release()
    this.#frames.length = 0
    this.#head = 0
    this.#end()
  }

  #end(error?: Error): void {
    this.#error ??= error
    this.#ended = true
    this.#wake?.()
  }
}
