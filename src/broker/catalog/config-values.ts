/** Kafka's types of configuration values, with the codes that DescribeConfigs tells. */
export const configTypeCodes = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const
export type ConfigType = keyof typeof configTypeCodes

/** `value` as it is kept and shown; `problem` in the words that Kafka puts behind "for configuration x: ". */
export type ParsedValue = { ok: true; value: string } | { ok: false; shown: string; problem: string }

export interface ConfigRule {
  readonly type: ConfigType
  readonly parse: (text: string, name: string) => ParsedValue
}

const ranges = {
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
} as const

export const longMax = ranges.long[1].toString()

export function int(min?: number, max?: number): ConfigRule {
  return { type: 'int', parse: (text) => parseInteger('int', text, min, max) }
}

export function long(min?: number, max?: number): ConfigRule {
  return { type: 'long', parse: (text) => parseInteger('long', text, min, max) }
}

function parseInteger(type: 'int' | 'long', text: string, min?: number, max?: number): ParsedValue {
  const trimmed = text.trim()
  const parsed = /^[+-]?\d{1,40}$/.test(trimmed) ? BigInt(trimmed.replace('+', '')) : undefined
  if (parsed === undefined || parsed < ranges[type][0] || parsed > ranges[type][1]) {
    return { ok: false, shown: text, problem: `Not a number of type ${type.toUpperCase()}` }
  }
  return withinRange(parsed.toString(), parsed, min, max)
}

function withinRange(value: string, number: bigint | number, min?: number, max?: number): ParsedValue {
  if (min !== undefined && number < min) {
    return { ok: false, shown: value, problem: `Value must be at least ${min}` }
  }
  if (max !== undefined && number > max) {
    return { ok: false, shown: value, problem: `Value must be no more than ${max}` }
  }
  return { ok: true, value }
}

/** gzip's levels: 1 to 9, or its own default. */
export const gzipLevel: ConfigRule = {
  type: 'int',
  parse(text) {
    const parsed = parseInteger('int', text)
    if (!parsed.ok || parsed.value === '-1' || /^[1-9]$/.test(parsed.value)) return parsed
    return { ok: false, shown: parsed.value, problem: 'Value must be between 1 and 9 or equal to -1' }
  },
}

export function fraction(min: number, max: number): ConfigRule {
  return {
    type: 'double',
    parse(text) {
      const trimmed = text.trim()
      const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : Number.NaN
      if (!Number.isFinite(number)) return { ok: false, shown: text, problem: 'Not a number of type DOUBLE' }
      return withinRange(Number.isInteger(number) ? number.toFixed(1) : String(number), number, min, max)
    },
  }
}

export const flag: ConfigRule = {
  type: 'boolean',
  parse(text) {
    const value = text.trim().toLowerCase()
    if (value === 'true' || value === 'false') return { ok: true, value }
    return { ok: false, shown: text, problem: 'Expected value to be either true or false' }
  },
}

export function oneOf(...values: string[]): ConfigRule {
  return {
    type: 'string',
    parse(text) {
      if (values.includes(text)) return { ok: true, value: text }
      return { ok: false, shown: text, problem: notOneOf(values) }
    },
  }
}

export function listOf(...values: string[]): ConfigRule {
  return {
    type: 'list',
    parse(text) {
      const items = [...new Set(listItems(text))]
      const wrong = items.find((item) => !values.includes(item))
      if (wrong === undefined) return { ok: true, value: items.join(',') }
      return { ok: false, shown: wrong, problem: notOneOf(values) }
    },
  }
}

function notOneOf(values: readonly string[]): string {
  return `String must be one of: ${values.join(', ')}`
}

/** `partition:broker,…` or `*`. */
export const throttledReplicas: ConfigRule = {
  type: 'list',
  parse(text, name) {
    const items = listItems(text)
    if (text.trim() === '*' || items.every((item) => /^\d+:\d+$/.test(item)))
      return { ok: true, value: items.join(',') }
    const form = '[partitionId]:[brokerId],[partitionId]:[brokerId],...'
    const problem = `${name} must be the literal '*' or a list of replicas in the following format: ${form}`
    return { ok: false, shown: `[${items.join(', ')}]`, problem }
  },
}

/** The items of a list's text; none when it is blank. */
export function listItems(text: string): string[] {
  const trimmed = text.trim()
  return trimmed === '' ? [] : trimmed.split(/\s*,\s*/)
}
