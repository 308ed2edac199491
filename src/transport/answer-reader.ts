import type { OnReadOpts, Socket } from 'node:net'
import { LinkspanError } from '../base/errors.ts'
import { decodeTunnelAnswer, type TunnelAnswer, tunnelPrefaceBytesMax } from './tunnel-preface.ts'

const lengthBytes = 4

/**
 * Takes the one answer frame off the start of a tunnel; everything after it goes to the owner's `onread`. A broker
 * never speaks first, so bytes that come together with the answer are refused.
 */
export class AnswerReader {
  /** For the dial; undefined when the owner reads the socket as a stream. */
  readonly onread: OnReadOpts | undefined
  readonly #scratch = Buffer.allocUnsafeSlow(lengthBytes + tunnelPrefaceBytesMax)
  readonly #answered = Promise.withResolvers<TunnelAnswer>()
  #used = 0
  #done = false

  constructor(inner: OnReadOpts | undefined) {
    this.#answered.promise.catch(() => {}) // may fail before anyone waits
    if (inner) this.onread = this.#wrap(inner)
  }

  /** Throws `malformed`, `timeout`, `closed` or the signal's reason. */
  async wait(socket: Socket, timeoutMs: number, signal: AbortSignal): Promise<TunnelAnswer> {
    const { promise, reject } = this.#answered
    const timer = setTimeout(() => {
      reject(new LinkspanError('timeout', `The peer did not open the tunnel within ${timeoutMs} ms`))
    }, timeoutMs)
    const closed = () => reject(new LinkspanError('closed', 'The peer closed the connection instead of answering'))
    const aborted = () => reject(signal.reason)
    const readable = () => this.#read(socket)
    socket.once('close', closed).once('end', closed)
    signal.addEventListener('abort', aborted, { once: true })
    if (!this.onread) socket.on('readable', readable)
    if (socket.destroyed) closed()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      socket.off('close', closed).off('end', closed).off('readable', readable)
      signal.removeEventListener('abort', aborted)
    }
  }

  #wrap(inner: OnReadOpts): OnReadOpts {
    const innerBuffer = inner.buffer
    return {
      buffer: () => {
        if (!this.#done) return this.#scratch.subarray(this.#used)
        return typeof innerBuffer === 'function' ? innerBuffer() : innerBuffer
      },
      callback: (count, buffer) => {
        if (this.#done) return inner.callback(count, buffer)
        this.#take(count)
        return true
      },
    }
  }

  #read(socket: Socket): void {
    const chunk: Buffer | null = this.#done ? null : socket.read()
    if (!chunk) return
    const count = chunk.copy(this.#scratch, this.#used)
    this.#take(count)
    if (count < chunk.length) this.#fail()
  }

  #take(count: number): void {
    this.#used += count
    if (this.#used < lengthBytes) return
    const size = this.#scratch.readInt32BE(0)
    const tooMuch = size < 0 || size > tunnelPrefaceBytesMax || this.#used > lengthBytes + size
    if (tooMuch) this.#fail()
    if (tooMuch || this.#used < lengthBytes + size) return
    this.#done = true
    try {
      this.#answered.resolve(decodeTunnelAnswer(this.#scratch.subarray(lengthBytes, this.#used)))
    } catch (error) {
      this.#answered.reject(error)
    }
  }

  #fail(): void {
    this.#done = true
    this.#answered.reject(new LinkspanError('malformed', 'The peer did not speak the tunnel protocol of Linkspan'))
  }
}
