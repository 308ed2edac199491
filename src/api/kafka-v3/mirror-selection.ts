import { LinkspanError } from '../../base/errors.ts'
import type { AlterMirrors } from '../../contract/kafka-v3.ts'

const namesMax = 10_000
const patternCharactersMax = 200

/** Which mirrors a verb is about: names, or all whose whole name a pattern matches. Throws `invalid-request`. */
export function selectMirrors(body: AlterMirrors | undefined, known: readonly string[]): string[] {
  const names = body?.mirror_topic_names ?? []
  const pattern = body?.mirror_topic_name_pattern ?? ''
  if (names.length > 0 && pattern !== '') {
    throw invalid('Give either "mirror_topic_names" or "mirror_topic_name_pattern", not both')
  }
  if (names.length > namesMax) throw invalid(`At most ${namesMax} mirror topics are taken at a time`)
  if (names.length > 0) return [...new Set(names)]
  if (pattern === '') throw invalid('No mirror topic is selected: give "mirror_topic_names"')
  const matcher = matcherOf(pattern)
  return [...new Set(known.filter((name) => matcher.test(name)))]
}

/** Expressions that can take for ever are refused: they would hold up everybody. */
function matcherOf(pattern: string): RegExp {
  if (pattern.length > patternCharactersMax) throw invalid(`A pattern has at most ${patternCharactersMax} characters`)
  const repeats = /[+*}]\)*[+*{?]|\([^)]*[+*{|][^)]*\)[+*{]|\\[1-9]/.test(pattern)
  if (repeats) throw invalid('The pattern repeats what already repeats: write a simpler one')
  try {
    return new RegExp(`^(?:${pattern})$`)
  } catch {
    throw invalid(`${JSON.stringify(pattern)} is no regular expression`)
  }
}

function invalid(sentence: string): LinkspanError {
  return new LinkspanError('invalid-request', sentence)
}
