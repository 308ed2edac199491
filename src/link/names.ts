import { checkIdentityName } from '../access/names.ts'
import { LinkspanError } from '../base/errors.ts'
import type { RowsView } from '../store/rows.ts'
import { findLink, type LinkRow } from './rows.ts'

const descriptionCharactersMax = 4000
const linksMax = 1000

/** LXD's rules: a link's name stands in URLs and on command lines. Throws `invalid-request`. */
export function checkLinkName(name: string): void {
  if (name === '') throw invalid('Give the cluster link a name')
  checkIdentityName(name)
  if (/[^\x20-\x7e]/.test(name)) throw invalid('The name of a cluster link can contain ASCII characters only')
  const character = /[/?&+\\]/.exec(name)?.[0]
  if (character) throw invalid(`The name of a cluster link cannot contain "${character}"`)
  if (name.includes('..')) throw invalid('The name of a cluster link cannot contain ".."')
}

export function checkDescription(description: string): void {
  if (description.length <= descriptionCharactersMax) return
  throw invalid(`A description has at most ${descriptionCharactersMax} characters`)
}

/** Throws `already-exists`, or `too-large` when there are too many links. */
export function checkLinkFree(rows: RowsView, name: string, count: number): void {
  if (findLink(rows, name)) {
    throw new LinkspanError('already-exists', `Cluster link ${JSON.stringify(name)} already exists`)
  }
  if (count >= linksMax) {
    throw new LinkspanError('too-large', `There are ${linksMax} cluster links already: delete some of them first`)
  }
}

/** Throws `not-found`. */
export function requireLink(rows: RowsView, name: string): LinkRow {
  const link = findLink(rows, name)
  if (!link) throw new LinkspanError('not-found', `Cluster link ${JSON.stringify(name)} not found`)
  return link
}

function invalid(sentence: string): LinkspanError {
  return new LinkspanError('invalid-request', sentence)
}
