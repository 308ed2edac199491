import { LinkspanError } from '../base/errors.ts'

const nameCharactersMax = 255

/** Throws `invalid-request`. A colon would part remote and group in LXD's clients, a slash the parts of a path. */
export function checkGroupName(name: string): void {
  checkText(name, 'group')
  const character = /[/:]/.exec(name)?.[0]
  if (character) throw invalid(`The name of a group cannot contain "${character}"`)
}

export function checkIdentityName(name: string): void {
  checkText(name, 'identity')
}

function checkText(name: string, what: string): void {
  if (name === '') throw invalid(`Give the ${what} a name`)
  if (name.length > nameCharactersMax) {
    throw invalid(`The name of ${what === 'identity' ? 'an' : 'a'} ${what} has at most ${nameCharactersMax} characters`)
  }
  if (!name.isWellFormed() || /[\u0000-\u001f\u007f-\u009f]/.test(name)) {
    throw invalid(`The name of ${what === 'identity' ? 'an' : 'a'} ${what} cannot contain control characters`)
  }
}

function invalid(sentence: string): LinkspanError {
  return new LinkspanError('invalid-request', sentence)
}
