import type { Clock } from '../base/clock.ts'

export interface RateLimit {
  perSecond: number
  burst: number
}

/** Addresses whose use is remembered; those seen longest ago are forgotten first, full again. */
const originsMax = 10_000

/** How often each address may do something: a bucket per address that refills with time. */
export class RateLimiter {
  readonly #limit: RateLimit
  readonly #clock: Clock
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>()

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit
    this.#clock = clock
  }

  /** `origin`: see `originOf`. */
  tryTake(origin: string): boolean {
    const { perSecond, burst } = this.#limit
    const nowMs = this.#clock.monotonicMs()
    const before = this.#buckets.get(origin) ?? { tokens: burst, atMs: nowMs }
    const tokens = Math.min(burst, before.tokens + ((nowMs - before.atMs) / 1000) * perSecond)
    this.#buckets.delete(origin)
    this.#buckets.set(origin, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs })
    if (this.#buckets.size > originsMax) this.#buckets.delete(this.#buckets.keys().next().value!)
    return tokens >= 1
  }
}

/** Whose rate counts: one IPv4 address, or one IPv6 network of 64 bits, of an `ip:port`. */
export function originOf(address: string): string {
  const ipv6 = /^\[([0-9a-fA-F:.]+)\]/.exec(address)?.[1]
  if (ipv6 === undefined) return address.replace(/:\d+$/, '')
  return expandIpv6(ipv6).slice(0, 4).join(':')
}

function expandIpv6(text: string): string[] {
  const [head = '', tail] = text.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
}
