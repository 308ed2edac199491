import { createHash } from 'node:crypto'
import { LinkspanError } from '../../base/errors.ts'
import type { ApiRequest } from '../request.ts'

/** Opaque to clients: the hash of the value, whatever the order of its members. */
export function etagOf(value: unknown): string {
  return `"${createHash('sha256').update(canonical(value)).digest('hex')}"`
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
  })
}

/** Throws `precondition-failed` when the request wants another value than the one there is. Wanting none is fine. */
export function checkMatch(request: ApiRequest, value: unknown): void {
  const wanted = request.headers['if-match']
  if (wanted === undefined || wanted === '') return
  const tags = wanted.split(',').map((tag) => tag.trim().replace(/^W\//, '').replaceAll('"', ''))
  const actual = etagOf(value).replaceAll('"', '')
  if (tags.includes('*') || tags.includes(actual)) return
  const sentence = 'It was changed meanwhile: read it again, and repeat the change on what it is now'
  throw new LinkspanError('precondition-failed', sentence)
}
