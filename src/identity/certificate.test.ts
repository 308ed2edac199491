import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, createServer, type TLSSocket } from 'node:tls'
import fc from 'fast-check'
import { type Clock, systemClock } from '../base/clock.ts'
import { isLinkspanError } from '../base/errors.ts'
import { commonNameOf, createCertificate, fingerprintOf, pairProblem, parseCertificate } from './certificate.ts'

const request = { commonName: 'berlin', hostNames: ['berlin.example'], addresses: ['192.0.2.7'], clock: systemClock }
const yearMs = 365 * 86_400_000
const hasOpenssl = spawnSync('openssl', ['version']).status === 0

function clockAt(offsetMs: number): Clock {
  return { wallMs: () => systemClock.wallMs() + offsetMs, monotonicMs: () => systemClock.monotonicMs() }
}

test('a certificate is what LXD clients expect of one', async () => {
  const startMs = systemClock.wallMs()
  const { certificatePem, privateKeyPem } = await createCertificate(request)
  const certificate = parseCertificate(certificatePem, systemClock)
  assert.equal(
    certificate.subjectAltName,
    'DNS:berlin.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, ' + 'IP Address:192.0.2.7',
  )
  assert.equal(certificate.ca, false)
  assert.match(certificate.subject, /CN=berlin$/)
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'secp384r1')
  assert.ok(certificate.verify(certificate.publicKey), 'self-signed')
  const backdatedMs = startMs - certificate.validFromDate.getTime()
  assert.ok(backdatedMs > 86_398_000 && backdatedMs < 86_402_000, `backdated by ${backdatedMs} ms`)
  const years = (certificate.validToDate.getTime() - startMs) / yearMs
  assert.ok(years > 9.99 && years < 10.02, `${years} years`)
  assert.equal(pairProblem({ certificatePem, privateKeyPem }), undefined)
})

test('openssl reads the certificate as we mean it', { skip: !hasOpenssl && 'no openssl here' }, async () => {
  const { certificatePem } = await createCertificate(request)
  const text = execFileSync('openssl', ['x509', '-noout', '-text'], { input: certificatePem, encoding: 'utf8' })
  assert.match(text, /Signature Algorithm: ecdsa-with-SHA384/)
  assert.match(text, /Basic Constraints: critical\s+CA:FALSE/)
  assert.match(text, /Key Usage: critical\s+Digital Signature, Key Encipherment/)
  assert.match(text, /TLS Web Server Authentication, TLS Web Client Authentication/)
})

test('one certificate serves and dials: mutual TLS 1.3 between two of them', async () => {
  const [server, client] = await Promise.all([createCertificate(request), createCertificate(request)])
  const listener = createServer({
    cert: server.certificatePem,
    key: server.privateKeyPem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  try {
    const accepted = once(listener, 'secureConnection') as Promise<[TLSSocket]>
    const socket = connect({
      port: (listener.address() as AddressInfo).port,
      host: '127.0.0.1',
      ca: server.certificatePem,
      cert: client.certificatePem,
      key: client.privateKeyPem,
    })
    await once(socket, 'secureConnect')
    const [peer] = await accepted
    assert.equal(socket.authorized, true, 'the pin as CA verifies it, the address is in the certificate')
    assert.equal(fingerprintOf(peer.getPeerX509Certificate()!), fingerprintOf(client.certificatePem))
    socket.destroy()
    peer.destroy()
  } finally {
    listener.close()
  }
})

test('names that are none are left out, and one DNS name is always there', async () => {
  const odd = { ...request, hostNames: ['10.0.0.1', 'a b', '', 'x'.repeat(300)], addresses: ['nonsense', '::1'] }
  const { certificatePem } = await createCertificate(odd)
  const names = new X509Certificate(certificatePem).subjectAltName
  assert.equal(names, 'DNS:linkspan, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1')
})

test('the fingerprint is the same from PEM, DER, bare base64 and the object', async () => {
  const { certificatePem } = await createCertificate(request)
  const certificate = new X509Certificate(certificatePem)
  const expected = certificate.fingerprint256.replaceAll(':', '').toLowerCase()
  assert.equal(fingerprintOf(certificatePem), expected)
  assert.equal(fingerprintOf(certificate), expected)
  assert.equal(fingerprintOf(certificate.raw), expected)
  assert.equal(fingerprintOf(parseCertificate(certificate.raw.toString('base64'), systemClock)), expected)
})

test('what cannot be trusted is refused with its reason', async () => {
  const { certificatePem } = await createCertificate(request)
  const refused = (text: string, clock: Clock, message: RegExp) =>
    assert.throws(() => parseCertificate(text, clock), { code: 'invalid-request', message })
  refused(certificatePem, clockAt(11 * yearMs), /expired/)
  refused(certificatePem, clockAt(-2 * 86_400_000), /not valid before/)
  refused('', systemClock, /Not a certificate/)
  refused('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', systemClock, /Not a certificate/)
  refused(certificatePem.slice(0, 300), systemClock, /Not a certificate/)
  refused('A'.repeat(70_000), systemClock, /at most/)
})

test('property: whatever is damaged in a certificate, it is read or refused as one, never worse', async () => {
  const { certificatePem } = await createCertificate(request)
  const der = new X509Certificate(certificatePem).raw
  const damage = fc.array(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
  const damaged = damage.map((changes) => {
    const bytes = Buffer.from(der)
    for (const [index, value] of changes) bytes[index] = value
    return bytes.toString('base64')
  })
  const cut = fc.nat(der.length).map((length) => der.subarray(0, length).toString('base64'))
  const armoured = fc.oneof(damaged, cut).map((text) => {
    return `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`
  })
  const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), damaged, cut, armoured)
  fc.assert(
    fc.property(texts, (text) => {
      for (const parse of [(it: string) => parseCertificate(it, systemClock), commonNameOf, fingerprintOf]) {
        try {
          parse(text)
        } catch (error) {
          assert.ok(isLinkspanError(error, 'invalid-request'), String(error))
        }
      }
    }),
    { numRuns: 2000 },
  )
})

test('weak keys are refused', { skip: !hasOpenssl && 'no openssl here' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'linkspan-weak-'))
  try {
    const config = join(folder, 'openssl.cnf')
    writeFileSync(config, '[req]\ndistinguished_name=dn\n[dn]\n')
    const make = (...key: string[]) => {
      const options = ['req', '-x509', '-nodes', '-config', config, '-subj', '/CN=x', '-keyout', join(folder, 'key')]
      return execFileSync('openssl', [...options, '-newkey', ...key], { encoding: 'utf8', stdio: 'pipe' })
    }
    // The backdating of ours is missing here: openssl's notBefore is this very second.
    const clock = clockAt(1000)
    assert.throws(() => parseCertificate(make('rsa:1024'), clock), { code: 'invalid-request', message: /1024 bits/ })
    assert.doesNotThrow(() => parseCertificate(make('rsa:2048'), clock))
    const curve = make('ec', '-pkeyopt', 'ec_paramgen_curve:secp224r1')
    assert.throws(() => parseCertificate(curve, clock), { code: 'invalid-request', message: /ec secp224r1/ })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
