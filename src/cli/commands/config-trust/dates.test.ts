import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goDate, tokenDate } from './dates.ts'

test('dates are written as LXD writes them', () => {
  assert.equal(goDate(new Date('2026-11-21T01:18:59Z')), 'Nov 21, 2026 at 1:18am (UTC)')
  assert.equal(goDate(new Date('2026-01-02T12:05:00Z')), 'Jan 2, 2026 at 12:05pm (UTC)')
  assert.equal(goDate(new Date('2026-01-02T00:05:00Z')), 'Jan 2, 2026 at 12:05am (UTC)')
  assert.equal(tokenDate('2026-11-21T01:18:59.123456789Z'), '2026/11/21 01:18 UTC')
  assert.equal(tokenDate('never'), 'never')
})
