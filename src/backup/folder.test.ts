import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { createCertificate, fingerprintOf } from '../identity/certificate.ts'
import { createRecoveryKey } from '../identity/recovery-key.ts'
import { encodeBackup, verifyBackup } from './file.ts'
import { BackupFolder } from './folder.ts'

const pems = await createCertificate({ commonName: 'here', hostNames: [], addresses: [], clock: systemClock })
const signer = { ...pems, fingerprint: fingerprintOf(pems.certificatePem) }
const facts = {
  cluster_id: 'c',
  instance: 'here',
  generation: 1,
  fingerprint: signer.fingerprint,
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: '0001-01-01T00:00:00Z',
  version: '0.0.0',
  recovery_key: createRecoveryKey().publicText,
}
const bytes = encodeBackup(facts, Buffer.from('state'), signer)

async function openFolder(t: TestContext): Promise<BackupFolder> {
  const place = await mkdtemp(join(tmpdir(), 'linkspan-folder-'))
  t.after(() => rm(place, { recursive: true }))
  return new BackupFolder(join(place, 'backups', 'own'))
}

test('backups are kept for the owner alone, by names that are no paths', async (t) => {
  const folder = await openFolder(t)
  assert.deepEqual(await folder.list(), [])
  const stored = await folder.write('first', bytes)
  assert.deepEqual(stored, { name: 'first', sizeBytes: bytes.length, facts })
  assert.equal((await stat(join(folder.path, 'first.backup'))).mode & 0o777, 0o600)
  assert.equal((await stat(folder.path)).mode & 0o777, 0o700)
  await assert.rejects(folder.write('first', bytes), { code: 'already-exists' })
  for (const name of ['', '.', '..', '../x', 'a/b', '.hidden', 'a b', 'ä', 'x'.repeat(101)]) {
    await assert.rejects(folder.write(name, bytes), { code: 'invalid-request' }, name)
    await assert.rejects(folder.read(name), { code: 'not-found' }, name)
    await assert.rejects(folder.delete(name), { code: 'not-found' }, name)
  }
})

test('a damaged one is not listed, says so when it is asked for, and can be deleted', async (t) => {
  const folder = await openFolder(t)
  await folder.write('good', bytes)
  await writeFile(join(folder.path, 'bad.backup'), 'none')
  assert.deepEqual(
    (await folder.list()).map(({ name }) => name),
    ['good'],
  )
  await assert.rejects(folder.require('bad'), { code: 'corrupt' })
  await folder.delete('bad')
  await assert.rejects(folder.require('bad'), { code: 'not-found' })
})

test('what arrives gets its name when it is whole and good, and leaves nothing otherwise', async (t) => {
  const folder = await openFolder(t)
  const inPieces = (whole: Buffer) => async (take: (chunk: Uint8Array) => Promise<void>) => {
    for (let at = 0; at < whole.length; at += 100) await take(whole.subarray(at, at + 100))
  }
  const check = (whole: Buffer) => void verifyBackup(whole)
  await assert.rejects(folder.receive('cut', inPieces(bytes.subarray(0, -1)), check), { code: 'corrupt' })
  const broken = () => Promise.reject(new Error('the line went dead'))
  await assert.rejects(folder.receive('none', broken, check), /dead/)
  assert.deepEqual(await readdir(folder.path), [])
  await writeFile(join(folder.path, 'killed.arriving'), 'a part')
  await folder.receive('whole', inPieces(bytes), check)
  assert.deepEqual(await readdir(folder.path), ['whole.backup'])
  assert.deepEqual(await folder.read('whole'), bytes)
})
