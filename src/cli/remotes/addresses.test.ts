import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { type CertificatePems, createCertificate, fingerprintOf } from '../../identity/certificate.ts'
import { formatAddress } from '../../transport/address.ts'
import { TlsFront } from '../../transport/listener.ts'
import { findCertificate, parseAddresses } from './addresses.ts'

const newPair = () => createCertificate({ commonName: 'x', hostNames: [], addresses: [], clock: systemClock })

/** A server that counts the bytes that it is sent. */
async function serve(t: TestContext, pair: CertificatePems) {
  let bytes = 0
  const front = new TlsFront({
    listen: { host: '127.0.0.1', port: 0 },
    ...pair,
    onConnection: ({ socket }) => {
      socket
        .on('error', () => {})
        .on('data', (chunk: Buffer) => {
          bytes += chunk.length
        })
    },
  })
  const address = formatAddress(await front.listen())
  t.after(() => front.close())
  return { address, fingerprint: fingerprintOf(pair.certificatePem), bytes: () => bytes }
}

test('addresses come in several forms', () => {
  assert.deepEqual(parseAddresses('https://10.0.0.1:1/'), ['10.0.0.1:1'])
  assert.deepEqual(parseAddresses('a, [::1]:2,::1'), ['a:8443', '[::1]:2', '[::1]:8443'])
  for (const wrong of ['', ',', 'a:70000', 'http://a', 'a/b']) assert.throws(() => parseAddresses(wrong), wrong)
})

test('the expected certificate is found, and nobody is told anything', async (t) => {
  const [one, other] = await Promise.all([newPair(), newPair()])
  const [here, there, stranger] = [await serve(t, one), await serve(t, one), await serve(t, other)]
  const dead = '127.0.0.1:1'
  const addresses = [dead, stranger.address, here.address, there.address]
  const found = await findCertificate(addresses, here.fingerprint)
  assert.deepEqual(found.addresses, [here.address, there.address, dead])
  assert.deepEqual([found.fingerprint, found.strangers], [here.fingerprint, [stranger.address]])
  assert.deepEqual((await findCertificate([there.address])).fingerprint, there.fingerprint)
  // Where nobody knows which one is right, two are one too many.
  await assert.rejects(findCertificate([here.address, stranger.address]), { code: 'wrong-fingerprint' })
  await assert.rejects(findCertificate([stranger.address, dead], here.fingerprint), { code: 'wrong-fingerprint' })
  await assert.rejects(findCertificate([dead]), { code: 'unreachable', message: /No address answers: .*127.0.0.1:1/ })
  assert.deepEqual([here.bytes(), there.bytes(), stranger.bytes()], [0, 0, 0])
})
