import { LinkspanError } from './errors.ts'

const durationMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const sizeBytes: Record<string, number> = {
  B: 1,
  kB: 1000,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

/** "30s", "1h", "250ms" or a bare number of milliseconds; `name` is the key that the error should blame. */
export function parseDurationMs(text: string, name: string): number {
  return parseQuantity(text, name, durationMs, 'a duration such as 30s, 5m or 1h')
}

/** "64MiB", "10kB" or a bare number of bytes. */
export function parseBytes(text: string, name: string): number {
  return parseQuantity(text, name, sizeBytes, 'a size such as 64MiB or 10kB')
}

function parseQuantity(text: string, name: string, units: Record<string, number>, expected: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim())
  const unit = match ? (match[2] === '' ? 1 : units[match[2] as string]) : undefined
  const value = match && unit ? Number(match[1]) * unit : Number.NaN
  if (!Number.isSafeInteger(Math.round(value))) {
    throw new LinkspanError('invalid-config', `Expected "${name}" to be ${expected}, got "${text}"`)
  }
  return Math.round(value)
}

/** 1536 → "1.5 KiB": for people only. */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let index = 0
  while (value >= 1024 && index < names.length - 1) {
    value /= 1024
    index += 1
  }
  return `${index === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${names[index]}`
}

/** 93_000 → "1m 33s": for people only. */
export function formatDurationMs(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return `${minutes}m ${Math.round((ms % 60_000) / 1000)}s`
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}
