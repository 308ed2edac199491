import { isDeepStrictEqual } from 'node:util'
import { normalised } from './normalise.ts'
import type { Target, Told } from './run-check.ts'
import type { Json } from './steps.ts'

/**
 * In what the answers differ, in sentences: from what the table expects of both brokers, or from each other where it
 * leaves that to the client. Errors count by their names; what a broker says beside them is for people, and shown only.
 * A limit of the embedded broker is held to its own answer instead.
 */
export function differences(answers: readonly { target: Target['name']; told: readonly Told[] }[]): string[] {
  const wrong = answers.flatMap(({ target, told }) => told.flatMap((one) => unexpected(target, one)))
  const [first, ...others] = answers
  for (const { target, told } of others) {
    for (const [index, { at, step, answer }] of told.entries()) {
      const original = first!.told[index]!.answer
      if (
        step.embedded ||
        step.expect !== undefined ||
        isDeepStrictEqual(withoutMessage(answer), withoutMessage(original))
      )
        continue
      wrong.push(`${at}: ${first!.target} answered ${shown(original)}, ${target} ${shown(answer)}`)
    }
  }
  return wrong
}

function unexpected(target: Target['name'], { at, step, answer }: Told): string[] {
  const expected = target === 'embedded' && step.embedded ? step.embedded.answer : step.expect
  if (expected === undefined) return []
  const wanted = normalised(expected)
  if (isDeepStrictEqual(withoutMessage(answer), wanted)) return []
  return [`${at}: ${target} answered ${shown(answer)}, not ${shown(wanted)}`]
}

function withoutMessage(answer: Json): Json {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer) || !('error' in answer)) return answer
  const { message: _, ...rest } = answer
  return rest
}

function shown(answer: Json): string {
  return JSON.stringify(answer)
}
