import type { SecurityEvent } from './event.ts'

/** The latest security events: who was refused what. Nothing that a stranger does makes it grow. */
export class AuditTrail {
  readonly #eventsMax: number
  #events: SecurityEvent[] = []

  constructor(eventsMax: number) {
    this.#eventsMax = eventsMax
  }

  record(event: SecurityEvent): void {
    this.#events.push(event)
    // Twice the room, so that the array is cut once per round and not moved at every event.
    if (this.#events.length >= this.#eventsMax * 2) this.#events = this.latest()
  }

  /** Oldest first. */
  latest(count: number = this.#eventsMax): SecurityEvent[] {
    return this.#events.slice(-Math.min(Math.max(count, 1), this.#eventsMax))
  }
}
