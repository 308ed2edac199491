import type { PumpSettings } from './settings.ts'

/**
 * Old data, and why it has to wait after a doubt.
 *
 * A broker forgets a producer once the timestamp of its last batch is older than `producer.id.expiration.ms`; it looks
 * every ten minutes by default. From then until our next append it takes any batch of ours at any place. So when a
 * connection ends with appends unanswered, or a process is killed, its requests may still lie in a socket's buffer or
 * in a proxy; if we went on at once, such a request could come after ours, just when the broker has forgotten us, and
 * be appended again.
 *
 * Kafka has no other fence for a plain append: requests carry neither leader epoch nor expected offset, and every
 * state that could refuse one hangs on that timestamp. What is left is to know that nothing late can come:
 * - Every batch is sent once. It is sent again only after the log end was read anew, on another connection.
 * - One connection's appends arrive in order and without a gap. So when the log end has reached the end of all that
 *   was ever sent, all of it has landed and nothing can be late: no wait.
 * - Otherwise late appends show as a moving log end. It must stand still for `drainGraceMs`; then what has not come is
 *   taken as lost with its connection. That is the one assumption: no network element delivers bytes of a dead
 * connection later than that. Then one batch goes alone, and its base offset is checked before the window opens.
 * - A start of the process is such a doubt too, unless control knows that the last stop left nothing unanswered.
 *
 * Young data needs none of this: the broker remembers its producer for a day, and refuses whatever is not the next
 * batch.
 */
export class DrainWatch {
  readonly #graceMs: number
  /** End of all that was ever sent, when we know it. */
  readonly #sentEnd: number | undefined
  #logEnd = -1
  #movedMs = 0

  constructor(graceMs: number, sentEnd: number | undefined) {
    this.#graceMs = graceMs
    this.#sentEnd = sentEnd
  }

  /** True when nothing late can come any more. */
  observe(logEnd: number, nowMs: number): boolean {
    if (logEnd !== this.#logEnd) {
      this.#logEnd = logEnd
      this.#movedMs = nowMs
    }
    if (this.#sentEnd !== undefined && logEnd >= this.#sentEnd) return true
    return nowMs - this.#movedMs >= this.#graceMs
  }
}

/** While young data flows, our own appends move the log end, so only time can end a quarantine: so many graces. */
const graceFactor = 20

/** How long after an opening old data still has to wait for the log end to stand still. */
export function quarantineMs(settings: PumpSettings): number {
  return settings.drainGraceMs * graceFactor
}

const marginMsMax = 3_600_000

/**
 * Batches with a maximum timestamp below this count as old. The margin is for what is under way and for clocks that
 * differ: an hour, or half of a short expiry.
 */
export function oldBeforeMs(settings: PumpSettings, wallMs: number): number {
  const { producerExpirationMs } = settings
  return wallMs - producerExpirationMs + Math.min(marginMsMax, producerExpirationMs / 2)
}
