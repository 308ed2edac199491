import type { Socket } from 'node:net'
import type { ByteAccount } from './byte-account.ts'

export interface AnswerQueueOptions {
  socket: Socket
  bytesMax: number
  /** Counts what is made and not written yet. */
  account: ByteAccount
  /** Something was written, or needs no answer: there may be room for another request. */
  onProgress: () => void
}

interface Slot {
  /** What the answer may take until it is known. */
  bytes: number
  /** Undefined until it is made; empty when none is wanted. */
  chunks: readonly Uint8Array[] | undefined
  release: (() => void) | undefined
}

/**
 * Answers of one connection, which leave in the order of their requests, however they are made. Each is one vectored
 * write of the pieces that it consists of: record batches are never copied here.
 */
export class AnswerQueue {
  readonly #options: AnswerQueueOptions
  /** Those that are not handed to the socket, in order. */
  readonly #waiting: Slot[] = []
  readonly #writing = new Set<Slot>()
  /** Of those that are made or being made. */
  #bytes = 0
  #madeBytes = 0
  #flushing = false
  #closed = false

  constructor(options: AnswerQueueOptions) {
    this.#options = options
  }

  /** Requests whose answer is not written. */
  get length(): number {
    return this.#waiting.length + this.#writing.size
  }

  /** Whether something is with the socket that the other end has not taken. */
  get writing(): boolean {
    return this.#writing.size > 0
  }

  /**
   * Whether an answer of this size may be made now (0: small); one that is larger than all that is allowed is made
   * alone.
   */
  hasRoom(bytes: number): boolean {
    const { bytesMax } = this.#options
    if (this.length === 0) return true
    return bytes === 0 ? this.#madeBytes <= bytesMax : this.#bytes + bytes <= bytesMax
  }

  /**
   * The place of the next answer. To be filled once (more is ignored), also after the connection is gone. `release` is
   * called when the pieces are written, or never will be.
   */
  open(bytesExpected: number): (chunks: readonly Uint8Array[], release?: () => void) => void {
    const slot: Slot = { bytes: bytesExpected, chunks: undefined, release: undefined }
    this.#waiting.push(slot)
    this.#bytes += bytesExpected
    let filled = false
    return (chunks, release) => {
      if (filled) return
      filled = true
      this.#fill(slot, chunks, release)
    }
  }

  /** Lets go of what will not be written any more. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const slot of [...this.#writing, ...this.#waiting]) this.#done(slot)
    this.#waiting.length = 0
  }

  #fill(slot: Slot, chunks: readonly Uint8Array[], release: (() => void) | undefined): void {
    slot.release = release
    if (this.#closed) {
      release?.()
      return
    }
    slot.chunks = chunks
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    this.#bytes += bytes - slot.bytes
    this.#madeBytes += bytes
    this.#options.account.add(bytes)
    slot.bytes = bytes
    this.#flushSoon()
  }

  /** After everything else that is due now: answers that become ready together then share one system call. */
  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    process.nextTick(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#closed || this.#waiting[0]?.chunks === undefined) return
    const { socket, onProgress } = this.#options
    socket.cork()
    let quiet = false
    for (let slot = this.#waiting[0]; slot?.chunks; slot = this.#waiting[0]) {
      this.#waiting.shift()
      if (slot.chunks.length > 0) this.#write(slot, slot.chunks)
      else {
        quiet = true
        this.#done(slot)
      }
    }
    socket.uncork()
    if (quiet) onProgress()
  }

  #write(slot: Slot, chunks: readonly Uint8Array[]): void {
    const { socket } = this.#options
    this.#writing.add(slot)
    const last = chunks.length - 1
    for (const [index, chunk] of chunks.entries()) {
      if (index < last) socket.write(chunk)
      else socket.write(chunk, () => this.#written(slot))
    }
  }

  /** Also called when the socket is lost. */
  #written(slot: Slot): void {
    if (this.#closed) return
    this.#done(slot)
    this.#options.onProgress()
  }

  #done(slot: Slot): void {
    this.#writing.delete(slot)
    this.#bytes -= slot.bytes
    if (slot.chunks) {
      this.#madeBytes -= slot.bytes
      this.#options.account.remove(slot.bytes)
    }
    const { release } = slot
    slot.release = undefined
    release?.()
  }
}
