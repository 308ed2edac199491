import { LinkspanError } from '../base/errors.ts'
import type { Questions } from './input.ts'

const fingerprintCharacters = 64

/**
 * Shows the fingerprint and returns once the person says yes or types it. Throws `not-trusted` and `wrong-fingerprint`,
 * whose sentences end with `outcome`: what came of it, such as "no link was made".
 */
export async function askForConsent(questions: Questions, fingerprint: string, outcome: string): Promise<void> {
  process.stderr.write(`Certificate fingerprint: ${fingerprint}\n`)
  for (;;) {
    const answer = (await questions.ask('ok (y/n/[fingerprint])? '))?.toLowerCase() ?? 'n'
    if (answer.startsWith('y') || answer === fingerprint) return
    if (answer === '' || answer.startsWith('n')) {
      throw new LinkspanError('not-trusted', `The certificate was not accepted: ${outcome}`)
    }
    if (answer.length === fingerprintCharacters) {
      throw new LinkspanError('wrong-fingerprint', `The fingerprint that was typed is another one: ${outcome}`)
    }
  }
}
