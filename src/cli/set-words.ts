import { LinkspanError } from '../base/errors.ts'
import { valueOrInput } from './input.ts'
import { parsePairs } from './pairs.ts'

/** `key=value…`, or one key and its value as two words; `-` is standard input. Throws `usage`. */
export async function readPairs(words: readonly string[]): Promise<Record<string, string>> {
  const [key = '', value] = words
  const pairs = words.length === 2 && value !== undefined && !key.includes('=') ? { [key]: value } : parsePairs(words)
  const fromInput = Object.values(pairs).filter((each) => each === '-')
  if (fromInput.length > 1) throw new LinkspanError('usage', 'Only one value can come from standard input')
  const read = Object.entries(pairs).map(async ([name, each]) => [name, await valueOrInput(each)] as const)
  return Object.fromEntries(await Promise.all(read))
}
