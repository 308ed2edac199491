import assert from 'node:assert/strict'
import { test } from 'node:test'
import { longId, newLinkId, shortId } from './ids.ts'

test('both forms of an id name the same UUID', () => {
  assert.equal(shortId('7840644d-f7d8-4844-a577-a10ef3df31df'), 'eEBkTffYSESld6EO898x3w')
  const id = newLinkId()
  assert.equal(longId(shortId(id)), id)
  assert.throws(() => longId('not-an-id'), { code: 'invalid-request' })
})
