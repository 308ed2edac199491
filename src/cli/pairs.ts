import { LinkspanError } from '../base/errors.ts'

/** `key=value` arguments. The value may hold further equals signs. Throws `usage`. */
export function parsePairs(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(words.map(parsePair))
}

function parsePair(word: string): [string, string] {
  const equals = word.indexOf('=')
  if (equals > 0) return [word.slice(0, equals), word.slice(equals + 1)]
  throw new LinkspanError('usage', `Expected key=value, got "${word}"`)
}

/** For options that may be repeated and hold several values, parted by commas. */
export function collectList(value: string, previous: readonly string[] = []): string[] {
  return [...previous, ...value.split(',').filter((item) => item !== '')]
}

/** For options that may be repeated. */
export function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value]
}
