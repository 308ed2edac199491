import type { Frame } from '../../transport/frame-reader.ts'

/** Shares one fetch answer among the batches that lie in it; the slab is free when the last of them is answered. */
export class FrameHold {
  readonly #frame: Frame
  #count = 1

  constructor(frame: Frame) {
    this.#frame = frame
  }

  retain(): void {
    this.#count += 1
  }

  release(): void {
    this.#count -= 1
    if (this.#count === 0) this.#frame.release()
  }
}

/** A batch on its way, header rewritten; a class, so that all have one shape. */
export class PassingBatch {
  readonly bytes: Buffer
  readonly hold: FrameHold
  readonly offset: number
  /** One past its last offset. */
  readonly end: number
  /** So old that the broker may forget its producer at any time (`quarantine.ts`). */
  readonly old: boolean

  constructor(bytes: Buffer, hold: FrameHold, offset: number, end: number, old: boolean) {
    this.bytes = bytes
    this.hold = hold
    this.offset = offset
    this.end = end
    this.old = old
    hold.retain()
  }

  release(): void {
    this.hold.release()
  }
}
