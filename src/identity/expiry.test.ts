import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expiryMs, formatExpiry, isExpired, neverExpires, parseExpiry } from './expiry.ts'

const from = Date.UTC(2026, 0, 31, 12)
const until = (setting: string) => new Date(expiryMs(setting, from, 'core.remote_token_expiry')).toISOString()

test('the grammar is that of LXD: M minutes, m months, parts in any order', () => {
  assert.equal(until('15d'), '2026-02-15T12:00:00.000Z')
  assert.equal(until('90S'), '2026-01-31T12:01:30.000Z')
  assert.equal(until('2M'), '2026-01-31T12:02:00.000Z')
  assert.equal(until(' 30M  1H '), '2026-01-31T13:30:00.000Z')
  assert.equal(until('1w 1d'), '2026-02-08T12:00:00.000Z')
  assert.equal(until('1m'), '2026-03-03T12:00:00.000Z', 'the 31st of February, counted on as Go does')
  assert.equal(until('1y'), '2027-01-31T12:00:00.000Z')
})

test('anything else is refused and names the key', () => {
  for (const setting of ['', '15', 'd', '1D', '1d 2d', '-1d', '1.5d', '1d,2H', '0d', '999999999y', '1h']) {
    assert.throws(() => until(setting), { code: 'invalid-config', message: /core\.remote_token_expiry/ }, setting)
  }
})

test('expiry is RFC 3339 in and out', () => {
  assert.equal(formatExpiry(from), '2026-01-31T12:00:00.000000000Z')
  assert.equal(parseExpiry(formatExpiry(from)), from)
  assert.equal(parseExpiry('2026-01-31T14:00:00.123456789+02:00'), from + 123)
  assert.equal(formatExpiry(null), neverExpires)
  assert.equal(parseExpiry(neverExpires), null)
  for (const text of ['', 'soon', '2026-01-31', '2026-01-31T12:00:00', '2026-13-31T12:00:00Z', '1']) {
    assert.equal(parseExpiry(text), undefined, text)
  }
})

test('the end itself is too late', () => {
  const clock = { wallMs: () => from, monotonicMs: () => 0 }
  assert.deepEqual(
    [from - 1, from, from + 1, null].map((end) => isExpired(end, clock)),
    [true, true, false, false],
  )
})
