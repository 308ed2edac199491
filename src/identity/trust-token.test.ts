import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLinkspanError } from '../base/errors.ts'
import { decodeToken, encodeToken, hashSecret, mintSecret, secretMatcher, type TrustToken } from './trust-token.ts'

const token: TrustToken = {
  client_name: 'berlin',
  fingerprint: 'ab'.repeat(32),
  addresses: ['10.0.0.1:8443', '[::1]:8443'],
  secret: 'cd'.repeat(32),
  expires_at: '2026-09-06T12:00:00.123456789+02:00',
  type: 'Cluster link certificate',
}

function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64')
}

test('a token is the base64 of compact JSON in the order of LXD', () => {
  const { type, ...rest } = token
  assert.equal(encodeToken({ type, ...rest }), base64(token))
  assert.deepEqual(decodeToken(encodeToken(token)), token)
})

test('what pasting does to a token is forgiven', () => {
  const text = encodeToken(token)
  const wrapped = `\n  ${text.match(/.{1,60}/g)!.join('\r\n ')}\t\n`
  assert.deepEqual(decodeToken(wrapped), token)
  assert.deepEqual(decodeToken(text.replace(/=+$/, '')), token)
  const reversed = Object.fromEntries(Object.entries({ ...token, extra: { a: 1 } }).reverse())
  assert.deepEqual(decodeToken(base64(reversed)), token)
  assert.equal(decodeToken(base64({ ...token, fingerprint: 'AB'.repeat(32) })).fingerprint, token.fingerprint)
})

test('a token without type and expiry is a legacy one that never ends', () => {
  const { type: _, expires_at: __, ...legacy } = token
  const decoded = decodeToken(base64(legacy))
  assert.deepEqual([decoded.type, decoded.expires_at], ['', '0001-01-01T00:00:00Z'])
})

test('what is missing or wrong is said, and the secret is never repeated', () => {
  const refused = (text: string, problem: RegExp) =>
    assert.throws(
      () => decodeToken(text),
      (error) => {
        assert.ok(isLinkspanError(error, 'token-undecodable'))
        assert.match(error.message, problem)
        assert.match(error.message, /copy it again whole/)
        assert.ok(!error.message.includes(token.secret))
        return true
      },
    )
  refused('', /empty/)
  refused('not a token!', /not base64/)
  refused('A'.repeat(20_000), /longer than/)
  refused(base64(null), /cut off or changed/)
  refused(base64([token]), /cut off or changed/)
  refused(Buffer.from([0xff, 0xfe, 0x7b]).toString('base64'), /cut off or changed/)
  refused(base64({ ...token, client_name: '' }), /no client/)
  refused(base64({ ...token, fingerprint: 'abc' }), /fingerprint/)
  refused(base64({ ...token, addresses: [] }), /addresses/)
  refused(base64({ ...token, addresses: Array(65).fill('a:1') }), /addresses/)
  refused(base64({ ...token, addresses: [1] }), /addresses/)
  refused(base64({ ...token, secret: 5 }), /no secret/)
  refused(base64({ ...token, expires_at: 'soon' }), /expiry/)
  refused(base64({ ...token, type: {} }), /type/)
})

test('a token that is cut off anywhere is refused', () => {
  const text = encodeToken(token).replace(/=+$/, '')
  for (let length = 0; length < text.length; length += 1) {
    assert.throws(() => decodeToken(text.slice(0, length)), { code: 'token-undecodable' }, `cut at ${length}`)
  }
})

test('property: any text either decodes or is refused as a token, never worse', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.json().map((json) => Buffer.from(json).toString('base64')),
  )
  fc.assert(
    fc.property(anything, (text) => {
      try {
        decodeToken(text)
      } catch (error) {
        assert.ok(isLinkspanError(error, 'token-undecodable'), String(error))
      }
    }),
  )
})

test('property: a token with any member replaced by anything decodes or is refused, and its secret is not told', () => {
  const member = fc.constantFrom(...Object.keys(token))
  fc.assert(
    fc.property(member, fc.jsonValue(), (name, value) => {
      try {
        const decoded = decodeToken(base64({ ...token, [name]: value }))
        assert.deepEqual(Object.keys(decoded), Object.keys(token))
      } catch (error) {
        assert.ok(isLinkspanError(error, 'token-undecodable'), String(error))
        assert.ok(!String(error).includes(token.secret))
      }
    }),
    { numRuns: 2000 },
  )
})

test('a secret matches its hash and nothing else does', () => {
  const secret = mintSecret()
  assert.match(secret, /^[0-9a-f]{64}$/)
  assert.notEqual(mintSecret(), secret)
  const hash = hashSecret(secret)
  assert.ok(!hash.includes(secret))
  assert.equal(secretMatcher(secret)(hash), true)
  assert.equal(secretMatcher(`${secret} `)(hash), false)
  assert.equal(secretMatcher('')(hash), false)
  assert.equal(secretMatcher(secret)(''), false)
})
