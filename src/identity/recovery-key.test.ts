import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  createRecoveryKey,
  openWithRecovery,
  parseRecoveryKey,
  parseRecoverySecret,
  recoveryKeyOf,
  sealForRecovery,
} from './recovery-key.ts'

const { publicText, secretPem } = createRecoveryKey()
const recipient = parseRecoveryKey(publicText)
const secret = parseRecoverySecret(secretPem)
const aad = Buffer.from('what everybody may read')

test('only the secret opens what was sealed for its public part', () => {
  assert.match(publicText, /^x25519:[A-Za-z0-9_-]{43}$/)
  assert.equal(recoveryKeyOf(secret), publicText)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (plain) => {
      const sealed = sealForRecovery(recipient, plain, aad)
      assert.deepEqual(new Uint8Array(openWithRecovery(secret, sealed, aad)), plain)
    }),
  )
  const other = parseRecoverySecret(createRecoveryKey().secretPem)
  const sealed = sealForRecovery(recipient, Buffer.from('state'), aad)
  assert.throws(() => openWithRecovery(other, sealed, aad), { code: 'corrupt', message: /another recovery key/ })
})

test('two seals of one text have nothing in common', () => {
  const [one, other] = [1, 2].map(() => sealForRecovery(recipient, Buffer.alloc(64), aad))
  assert.notEqual(one!.ephemeral, other!.ephemeral)
  assert.notDeepEqual(one!.body, other!.body)
})

test('whatever byte is changed, it does not open', () => {
  const sealed = sealForRecovery(recipient, Buffer.from('state of the daemon'), aad)
  for (let at = 0; at < sealed.body.length; at += 1) {
    const body = Buffer.from(sealed.body)
    body[at]! ^= 1
    assert.throws(() => openWithRecovery(secret, { ...sealed, body }, aad), { code: 'corrupt' })
  }
  assert.throws(() => openWithRecovery(secret, sealed, Buffer.from('What everybody may read')), { code: 'corrupt' })
  const ephemeral = sealForRecovery(recipient, Buffer.alloc(1), aad).ephemeral
  assert.throws(() => openWithRecovery(secret, { ...sealed, ephemeral }, aad), { code: 'corrupt' })
  const body = sealed.body.subarray(0, 5)
  assert.throws(() => openWithRecovery(secret, { ...sealed, body }, aad), { code: 'corrupt' })
})

test('a text that is no key is refused, and points of small order too', () => {
  const zero = `x25519:${'A'.repeat(43)}`
  for (const text of ['', 'x25519:', publicText.slice(0, -1), secretPem, publicText.replace('x', 'ed'), zero]) {
    assert.throws(() => parseRecoveryKey(text), { code: 'invalid-config' }, text)
  }
  for (const text of ['', publicText, secretPem.slice(0, 40)]) {
    assert.throws(() => parseRecoverySecret(text), { code: 'invalid-request' }, text)
  }
})
