import type { OnReadOpts, Socket } from 'node:net'
import { LinkspanError } from '../base/errors.ts'
import { oversizedSlab, type Slab, type SlabPool } from './slabs.ts'

/** One message of a length-prefixed stream, without its length. The bytes are valid until `release`. */
export interface Frame {
  readonly bytes: Buffer
  /** Where `bytes` lies in the slab, for code that works on whole slabs. */
  readonly slab: Slab
  release(): void
}

export interface FrameReaderOptions {
  pool: SlabPool
  /** Larger claims end the connection: 128 MiB is what §4a allows. */
  frameBytesMax: number
  onFrame: (frame: Frame) => void
  /** The stream cannot be read further; the owner closes the socket. */
  onError: (error: LinkspanError) => void
}

const lengthBytes = 4
/** Where reading goes on while no slab is free: one TLS record. Copied once the pool has a slab again. */
const spillBytes = 16 * 1024

/**
 * Cuts a byte stream into frames inside reused slabs: nothing is concatenated, and only the tail of a slab is ever copied.
 * Give `onread` to the dial, then `attach` the socket.
 */
export class FrameReader {
  readonly onread: OnReadOpts
  readonly #options: FrameReaderOptions
  #slab: Slab | undefined
  #start = 0
  #end = 0
  #spill: Buffer | undefined
  #paused = false
  #failed = false
  #socket: Socket | undefined

  constructor(options: FrameReaderOptions) {
    this.#options = options
    this.onread = {
      buffer: () => this.#nextBuffer(),
      callback: (count, buffer) => this.#received(count, buffer as Buffer),
    }
  }

  /** The socket to resume after back-pressure. */
  attach(socket: Socket): void {
    this.#socket = socket
  }

  /** Gives the slab back; no frame comes afterwards. */
  close(): void {
    this.#failed = true
    this.#slab?.release()
    this.#slab = undefined
  }

  /** For sockets that cannot read into our buffers (accepted ones): copies `chunk` into the slab. False = pause it. */
  push(chunk: Buffer): boolean {
    let rest = chunk
    while (rest.length > 0 && !this.#failed) {
      const target = this.#nextBuffer()
      const count = Math.min(target.length, rest.length)
      rest.copy(target, 0, 0, count)
      rest = rest.subarray(count)
      if (!this.#received(count, target) && rest.length > 0) {
        this.#socket?.unshift(rest)
        return false
      }
    }
    return !this.#paused
  }

  #nextBuffer(): Buffer {
    if (this.#failed || this.#paused) return this.#spillBuffer()
    this.#slab ??= this.#options.pool.take()
    if (!this.#slab) return this.#spillBuffer()
    return this.#slab.bytes.subarray(this.#end)
  }

  #spillBuffer(): Buffer {
    this.#spill ??= Buffer.allocUnsafeSlow(spillBytes)
    return this.#spill
  }

  /** Returns false to stop reading until a slab is free. */
  #received(count: number, buffer: Buffer): boolean {
    if (this.#failed) return false
    if (buffer === this.#spill) {
      this.#slab ??= this.#options.pool.take()
      if (!this.#slab) return this.#pause(() => void this.#received(count, buffer))
      buffer.copy(this.#slab.bytes, this.#end, 0, count)
    }
    this.#end += count
    this.#cutFrames()
    return this.#failed ? false : this.#makeRoom()
  }

  #cutFrames(): void {
    const slab = this.#slab as Slab
    while (this.#end - this.#start >= lengthBytes && !this.#failed) {
      const size = slab.bytes.readInt32BE(this.#start)
      if (size < 0 || size > this.#options.frameBytesMax) {
        this.#fail(`A frame of ${size} bytes is not allowed (at most ${this.#options.frameBytesMax})`)
        return
      }
      if (this.#end - this.#start < lengthBytes + size) return
      const from = this.#start + lengthBytes
      this.#start = from + size
      slab.retain()
      this.#options.onFrame({
        bytes: slab.bytes.subarray(from, from + size),
        slab,
        release: once(() => slab.release()),
      })
    }
  }

  /** Ensures that the frame under way can go on; moves its head to a fresh slab when this one is too short. */
  #makeRoom(): boolean {
    const slab = this.#slab
    if (!slab) return false
    const pending = this.#end - this.#start
    const size = pending >= lengthBytes ? lengthBytes + slab.bytes.readInt32BE(this.#start) : lengthBytes
    const room = slab.bytes.length - this.#end
    const fits = this.#start + size <= slab.bytes.length || slab.bytes.length > this.#options.pool.slabBytes
    if (fits && room > 0) return true
    const next =
      size > this.#options.pool.slabBytes ? oversizedSlab(grownBytes(size, pending)) : this.#options.pool.take()
    if (!next) return this.#pause(() => void this.#makeRoom())
    slab.bytes.copy(next.bytes, 0, this.#start, this.#end)
    slab.release()
    this.#slab = next
    this.#start = 0
    this.#end = pending
    return true
  }

  #pause(retry: () => void): false {
    this.#paused = true
    this.#options.pool.whenFree(() => {
      if (this.#failed) return
      this.#paused = false
      retry()
      if (!this.#paused) this.#socket?.resume()
    })
    return false
  }

  #fail(message: string): void {
    this.close()
    this.#options.onError(new LinkspanError('malformed', message))
  }
}

/** Doubles with what has really arrived, so that a claimed size alone allocates nothing. */
function grownBytes(frameBytes: number, receivedBytes: number): number {
  return Math.min(frameBytes, Math.max(receivedBytes * 2, 4 * 1024 * 1024))
}

function once(action: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    action()
  }
}
