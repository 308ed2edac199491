const named = new Map([
  ['@hourly', 3_600_000],
  ['@daily', 86_400_000],
  ['@weekly', 7 * 86_400_000],
])
const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const interval = /^(\d{1,4})([mhd])$/

/** How often, in milliseconds: `@hourly`, `@daily`, `@weekly`, or a count and a unit such as `30m`, `6h`, `2d`. */
export function intervalMs(text: string): number | undefined {
  const [, count, unit] = interval.exec(text) ?? []
  const ms = named.get(text) ?? (unit === undefined ? 0 : Number(count) * unitMs[unit as keyof typeof unitMs])
  return ms > 0 ? ms : undefined
}
