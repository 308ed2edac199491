import type { Socket } from 'node:net'
import type { LinkspanError } from '../../base/errors.ts'
import { type Frame, FrameReader } from '../../transport/frame-reader.ts'
import { SlabPool } from '../../transport/slabs.ts'
import type { ByteAccount } from './byte-account.ts'

/** What a connection reads into as long as its requests are small. */
const smallSlab = { slabBytes: 16 * 1024, slabsMax: 4 }
/** Shared by all connections that have sent larger ones: producers, pumps, whose requests of 1 MiB go in twice. */
const bulkSlab = { slabBytes: 2 * 1024 * 1024 + 64 * 1024, slabsMax: 16 }

export function createBulkPool(): SlabPool {
  return new SlabPool(bulkSlab)
}

export interface RequestReaderOptions {
  frameBytesMax: number
  bulkPool: SlabPool
  /** Counts what has arrived and is not released. */
  account: ByteAccount
  onFrame: (frame: Frame) => void
  onError: (error: LinkspanError) => void
  /** Reading makes sense again, after `push` had answered false. */
  onReady: () => void
}

const lengthBytes = 4

/**
 * Cuts an accepted socket's bytes into requests. An idle connection has no buffer: ten thousand of them may be open.
 * One that sends large requests reads into shared, larger slabs, as long as there are free ones.
 */
export class RequestReader {
  readonly #options: RequestReaderOptions
  #frameBytesMax: number
  #reader: FrameReader | undefined
  #bulk = false
  #largestBytes = 0
  #partialBytes = 0
  #heldBytes = 0
  #closed = false

  constructor(options: RequestReaderOptions) {
    this.#options = options
    this.#frameBytesMax = options.frameBytesMax
  }

  /** Arrived, of a request that is not whole. */
  get partialBytes(): number {
    return this.#partialBytes
  }

  set frameBytesMax(bytes: number) {
    this.#frameBytesMax = bytes
    if (this.#reader) this.#reader.frameBytesMax = bytes
  }

  /** False: pause the socket until `onReady`. */
  push(chunk: Buffer): boolean {
    if (this.#closed) return false
    this.#partialBytes += chunk.length
    this.#options.account.add(chunk.length)
    if (this.#partialBytes === chunk.length) this.#chooseSlabs()
    this.#reader ??= this.#createReader()
    return this.#reader.push(chunk)
  }

  /** Gives up the buffers of a connection that has nothing under way. */
  rest(): void {
    if (this.#partialBytes > 0 || this.#heldBytes > 0) return
    this.#dropReader()
    this.#bulk = false
    this.#largestBytes = 0
  }

  /** Frames that were handed out stay valid until they are released. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#dropReader()
    this.#options.account.remove(this.#partialBytes)
    this.#partialBytes = 0
  }

  /** At the start of a request, where nothing is lost with the old buffer. */
  #chooseSlabs(): void {
    const { bulkPool } = this.#options
    if (this.#bulk || this.#largestBytes <= smallSlab.slabBytes || bulkPool.used >= bulkSlab.slabsMax) return
    this.#dropReader()
    this.#bulk = true
  }

  #createReader(): FrameReader {
    const { bulkPool, onError, onReady } = this.#options
    const reader = new FrameReader({
      pool: this.#bulk ? bulkPool : new SlabPool(smallSlab),
      frameBytesMax: this.#frameBytesMax,
      onFrame: (frame) => this.#cut(frame),
      onError,
    })
    // All that it does with a socket: whether ours may go on is not for it alone to say.
    reader.attach({ resume: onReady } as unknown as Socket)
    return reader
  }

  #cut(frame: Frame): void {
    const { account, onFrame } = this.#options
    const bytes = frame.bytes.length + lengthBytes
    this.#partialBytes -= bytes
    this.#heldBytes += bytes
    if (bytes > this.#largestBytes) this.#largestBytes = bytes
    const release = () => {
      this.#heldBytes -= bytes
      account.remove(bytes)
      frame.release()
    }
    onFrame({ bytes: frame.bytes, slab: frame.slab, release: once(release) })
  }

  #dropReader(): void {
    this.#reader?.close()
    this.#reader = undefined
  }
}

function once(action: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    action()
  }
}
