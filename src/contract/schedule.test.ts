import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intervalMs } from './schedule.ts'

test('a schedule is a name or an interval', () => {
  const hourMs = 3_600_000
  const known = {
    '@hourly': hourMs,
    '@daily': 24 * hourMs,
    '@weekly': 168 * hourMs,
    '30m': hourMs / 2,
    '6h': 6 * hourMs,
  }
  for (const [text, ms] of Object.entries(known)) assert.equal(intervalMs(text), ms, text)
  for (const text of ['', '@yearly', '0h', '-1h', '6', 'h', '1.5h', '99999m', '6h ', '6s', 'toString']) {
    assert.equal(intervalMs(text), undefined, text)
  }
})
