import type { Clock } from '../base/clock.ts'
import { LinkspanError } from '../base/errors.ts'

/** What LXD writes for "never": Go's zero time. */
export const neverExpires = '0001-01-01T00:00:00Z'

const units = ['S', 'M', 'H', 'd', 'w', 'm', 'y'] as const
type Unit = (typeof units)[number]

const part = /^(\d{1,9})([SMHdwmy])$/
const latestMs = Date.UTC(9999, 11, 31)

/**
 * The moment, in milliseconds since the epoch, at which something ends that begins at `fromMs` and lives for `setting`:
 * parts such as `15d` or `1H 30M`, units S M H d w m y (m = months, M = minutes), each at most once. Months and years
 * are those of the calendar. `name` is the key that the error (`invalid-config`) blames.
 */
export function expiryMs(setting: string, fromMs: number, name: string): number {
  const counts = parseSetting(setting, name)
  const date = new Date(fromMs)
  date.setUTCFullYear(date.getUTCFullYear() + counts.y)
  date.setUTCMonth(date.getUTCMonth() + counts.m)
  date.setUTCDate(date.getUTCDate() + counts.d + 7 * counts.w)
  const endMs = date.getTime() + 1000 * (counts.S + 60 * counts.M + 3600 * counts.H)
  if (endMs <= fromMs) throw invalid(setting, name, 'longer than nothing')
  if (!(endMs <= latestMs)) throw invalid(setting, name, 'an end before the year 9999')
  return endMs
}

function parseSetting(setting: string, name: string): Record<Unit, number> {
  const counts = { S: 0, M: 0, H: 0, d: 0, w: 0, m: 0, y: 0 }
  const seen = new Set<string>()
  for (const text of setting.trim().split(/\s+/)) {
    const match = part.exec(text)
    const unit = match?.[2] as Unit | undefined
    if (!match || !unit || seen.has(unit)) {
      throw invalid(setting, name, `parts such as 15d or 1H 30M (units ${units.join(' ')}, each once)`)
    }
    seen.add(unit)
    counts[unit] = Number(match[1])
  }
  return counts
}

function invalid(setting: string, name: string, expected: string): LinkspanError {
  return new LinkspanError('invalid-config', `Expected "${name}" to be ${expected}, got "${setting}"`)
}

/** RFC 3339 in UTC with nanoseconds, as LXD writes times; null is never. */
export function formatExpiry(endMs: number | null): string {
  return endMs === null ? neverExpires : new Date(endMs).toISOString().replace('Z', '000000Z')
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** Milliseconds since the epoch, null for never, undefined when the text is no RFC 3339 time. */
export function parseExpiry(text: string): number | null | undefined {
  if (text === neverExpires) return null
  const ms = rfc3339.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}

/** True from the very millisecond of the end on. */
export function isExpired(endMs: number | null, clock: Clock): boolean {
  return endMs !== null && clock.wallMs() >= endMs
}
