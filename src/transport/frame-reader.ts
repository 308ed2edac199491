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
 * A paused TLS socket still delivers what it has decrypted, which is one read of the system; a peer cannot add to it.
 */
const spilledBytesMax = 4 * 1024 * 1024

/**
 * Cuts a byte stream into frames inside reused slabs: nothing is concatenated, and only the tail of a slab is ever
 * copied. Give `onread` to the dial, then `attach` the socket. Destroy the socket before `close`, as it reads into the
 * slab.
 */
export class FrameReader {
  readonly onread: OnReadOpts
  /** May be raised once the other end is known. */
  frameBytesMax: number
  readonly #options: FrameReaderOptions
  #slab: Slab | undefined
  /** The frame under way lies between the two. */
  #start = 0
  #end = 0
  /** What arrived while there was no room, oldest first. */
  #spilled: Buffer[] = []
  #spilledBytes = 0
  #spill: Buffer | undefined
  #paused = false
  #stopWaiting: (() => void) | undefined
  #closed = false
  #socket: Socket | undefined

  constructor(options: FrameReaderOptions) {
    this.#options = options
    this.frameBytesMax = options.frameBytesMax
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
    this.#closed = true
    this.#stopWaiting?.()
    this.#slab?.release()
    this.#slab = undefined
    this.#spilled = []
  }

  /**
   * For sockets that cannot read into our buffers (accepted ones): copies `chunk` into the slab, or keeps it until
   * there is room. False = pause the socket, which is resumed by this reader.
   */
  push(chunk: Buffer): boolean {
    if (this.#closed) return false
    this.#keep(chunk)
    return this.#paused ? false : this.#takeSpilled()
  }

  #nextBuffer(): Buffer {
    if (!this.#closed && !this.#paused && this.#makeRoom()) {
      const slab = this.#slab as Slab
      return slab.bytes.subarray(this.#end)
    }
    this.#spill ??= Buffer.allocUnsafeSlow(spillBytes)
    return this.#spill
  }

  /** Returns false to stop reading until there is room. */
  #received(count: number, buffer: Buffer): boolean {
    if (this.#closed) return false
    if (buffer === this.#spill) {
      this.#spill = undefined
      this.#keep(buffer.subarray(0, count))
      return this.#paused ? false : this.#takeSpilled()
    }
    this.#end += count
    this.#cutFrames()
    return this.#closed ? false : this.#makeRoom() || this.#pause()
  }

  #keep(chunk: Buffer): void {
    this.#spilledBytes += chunk.length
    this.#spilled.push(chunk)
    if (this.#spilledBytes > spilledBytesMax) this.#fail('internal', 'A paused connection went on delivering')
  }

  /** Moves what was kept into the slab, as far as there is room. */
  #takeSpilled(): boolean {
    while (!this.#closed) {
      if (!this.#makeRoom()) return this.#pause()
      const chunk = this.#spilled[0]
      if (!chunk) return true
      const slab = this.#slab as Slab
      const count = chunk.copy(slab.bytes, this.#end)
      if (count === chunk.length) this.#spilled.shift()
      else this.#spilled[0] = chunk.subarray(count)
      this.#spilledBytes -= count
      this.#end += count
      this.#cutFrames()
    }
    return false
  }

  #cutFrames(): void {
    const slab = this.#slab as Slab
    while (!this.#closed && this.#end - this.#start >= lengthBytes) {
      const size = slab.bytes.readInt32BE(this.#start)
      if (size < 0 || size > this.frameBytesMax) {
        this.#fail('malformed', `A frame of ${size} bytes is not allowed (at most ${this.frameBytesMax})`)
        return
      }
      if (this.#end - this.#start < lengthBytes + size) return
      const from = this.#start + lengthBytes
      this.#start = from + size
      slab.retain()
      this.#options.onFrame({
        bytes: slab.bytes.subarray(from, from + size),
        slab,
        release: once(() => this.#released(slab)),
      })
    }
  }

  #released(slab: Slab): void {
    slab.release()
    // Nobody else looks at our slab any more: its head can be moved to the front, and the pool is not needed.
    if (this.#paused && slab === this.#slab && slab.exclusive) queueMicrotask(() => this.#retry())
  }

  /**
   * Ensures that the frame under way can go on: in this slab, at its front, or in a fresh one. False = none is free.
   */
  #makeRoom(): boolean {
    const { pool } = this.#options
    const slab = this.#slab
    if (!slab) {
      this.#slab = pool.take()
      this.#start = 0
      this.#end = 0
      return this.#slab !== undefined
    }
    const pending = this.#end - this.#start
    const size = pending >= lengthBytes ? lengthBytes + slab.bytes.readInt32BE(this.#start) : lengthBytes
    const oversized = slab.bytes.length > pool.slabBytes
    if (this.#end < slab.bytes.length && (oversized || this.#start + size <= slab.bytes.length)) return true
    if (size <= pool.slabBytes && !oversized && slab.exclusive) {
      slab.bytes.copyWithin(0, this.#start, this.#end)
      this.#start = 0
      this.#end = pending
      return true
    }
    const next =
      size > pool.slabBytes ? oversizedSlab(grownBytes(size, Math.max(pending, pool.slabBytes))) : pool.take()
    if (!next) return false
    slab.bytes.copy(next.bytes, 0, this.#start, this.#end)
    slab.release()
    this.#slab = next
    this.#start = 0
    this.#end = pending
    return true
  }

  #pause(): false {
    if (this.#closed) return false
    this.#paused = true
    this.#stopWaiting ??= this.#options.pool.whenFree(() => this.#retry())
    return false
  }

  #retry(): void {
    if (this.#closed || !this.#paused) return
    this.#stopWaiting?.()
    this.#stopWaiting = undefined
    this.#paused = false
    if (this.#takeSpilled()) this.#socket?.resume()
  }

  #fail(code: 'malformed' | 'internal', message: string): void {
    this.close()
    this.#options.onError(new LinkspanError(code, message))
  }
}

/** Doubles with what has really arrived, so that a claimed size alone allocates little. */
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
