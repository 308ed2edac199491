import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { systemClock } from '../base/clock.ts'
import { createCertificate, fingerprintOf } from '../identity/certificate.ts'
import { createRecoveryKey, parseRecoverySecret } from '../identity/recovery-key.ts'
import { decodeContents, encodeContents } from './contents.ts'
import { type BackupFacts, encodeBackup, openBackup, readFacts, verifyBackup } from './file.ts'

const request = { commonName: 'here', hostNames: [], addresses: [], clock: systemClock }
const pems = await createCertificate(request)
const signer = { ...pems, fingerprint: fingerprintOf(pems.certificatePem) }
const recovery = createRecoveryKey()
const secret = parseRecoverySecret(recovery.secretPem)
const facts: BackupFacts = {
  cluster_id: '00000000-0000-4000-8000-000000000000',
  instance: 'größe',
  generation: 1,
  fingerprint: signer.fingerprint,
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: '0001-01-01T00:00:00Z',
  version: '0.0.0',
  recovery_key: recovery.publicText,
}
const plain = Buffer.from('the state of a daemon')
const whole = encodeBackup(facts, plain, signer)

test('a backup tells what it is, proves it, and opens', () => {
  assert.deepEqual(readFacts(whole), facts)
  assert.deepEqual(verifyBackup(whole).facts, facts)
  assert.match(verifyBackup(whole).digest, /^[0-9a-f]{64}$/)
  assert.equal(verifyBackup(whole).certificatePem, signer.certificatePem)
  assert.deepEqual(openBackup(whole, secret), plain)
})

test('no byte of it can be changed, left out or added unseen', () => {
  for (let at = 0; at < whole.length; at += 1) {
    const changed = Buffer.from(whole)
    changed[at]! ^= 1 << (at % 8)
    assert.throws(() => verifyBackup(changed), { code: 'corrupt' }, `byte ${at} of ${whole.length}`)
  }
  for (let length = 0; length < whole.length; length += 7) {
    assert.throws(() => verifyBackup(whole.subarray(0, length)), { code: 'corrupt' }, `${length} bytes`)
  }
  assert.throws(() => verifyBackup(Buffer.concat([whole, Buffer.alloc(1)])), { code: 'corrupt' })
})

test('nobody else can sign in the name of a certificate', async () => {
  const other = await createCertificate(request)
  const forged = encodeBackup(facts, plain, { ...other, fingerprint: signer.fingerprint })
  assert.throws(() => verifyBackup(forged), { code: 'corrupt', message: /not signed by the cluster/ })
})

test('facts cannot be put on the state of another backup', () => {
  const later = encodeBackup({ ...facts, generation: 2 }, plain, signer)
  const lengthOf = (bytes: Buffer) => 12 + bytes.readUInt32BE(8)
  const mixed = Buffer.concat([whole.subarray(0, lengthOf(whole)), later.subarray(lengthOf(later))])
  assert.throws(() => openBackup(mixed, secret), { code: 'corrupt' })
})

test('contents survive, and only files that we would have taken are among them', async () => {
  const contents = {
    rows: [{ kind: 'group', key: 'a', value: '{"version":1,"row":{}}' }],
    files: { 'host.key': 'k', 'cluster-0123456789abcdef.crt': 'c', 'linkspand.json': '{}' },
  }
  assert.deepEqual(await decodeContents(await encodeContents(contents)), contents)
  const refused = (value: unknown, code = 'corrupt') => {
    return assert.rejects(decodeContents(gzipSync(JSON.stringify(value))), { code })
  }
  await refused({ layout: 2, rows: [], files: {} }, 'state-too-new')
  for (const name of ['../host.key', 'a/host.key', 'linkspan.db', 'ready.json', 'lock.db']) {
    await refused({ layout: 1, rows: [], files: { [name]: 'x' } })
  }
  await refused({ layout: 1, rows: [{ kind: 'a' }], files: {} })
  await refused(null)
  await assert.rejects(decodeContents(Buffer.from('no gzip')), { code: 'corrupt' })
})
