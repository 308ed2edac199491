import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectList, parsePairs } from './pairs.ts'

test('a pair is parted at its first equals sign', () => {
  assert.deepEqual(parsePairs(['a=b=c', 'd=']), { a: 'b=c', d: '' })
  assert.throws(() => parsePairs(['a']), { code: 'usage', message: 'Expected key=value, got "a"' })
  assert.throws(() => parsePairs(['=a']), { code: 'usage' })
})

test('lists come by commas and by repetition', () => {
  assert.deepEqual(collectList('c,,d', collectList('a,b')), ['a', 'b', 'c', 'd'])
})
