import type { Clock } from '../base/clock.ts'
import type { GatewayAuditEvent } from './messages.ts'
import { TokenBucket } from './tunnel/token-bucket.ts'

const eventsPerSecond = 20
const eventsBurst = 200
const detailCharactersMax = 500

/** Passes events on, but no flood of them: what a stranger can cause must not fill the audit trail. */
export class AuditTrail {
  readonly #emit: (event: GatewayAuditEvent) => void
  readonly #bucket: TokenBucket
  #left = 0

  constructor(emit: (event: GatewayAuditEvent) => void, clock: Clock) {
    this.#emit = emit
    this.#bucket = new TokenBucket({ perSecond: eventsPerSecond, burst: eventsBurst, clock })
  }

  record(event: GatewayAuditEvent): void {
    if (!this.#bucket.tryTake()) {
      this.#left += 1
      return
    }
    const detail = event.detail.slice(0, detailCharactersMax)
    this.#emit({ ...event, detail, ...(this.#left > 0 ? { left: this.#left } : {}) })
    this.#left = 0
  }
}
