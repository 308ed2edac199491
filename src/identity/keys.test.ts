import assert from 'node:assert/strict'
import { mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { createCertificate, fingerprintOf } from './certificate.ts'
import { stagedPath } from './files.ts'
import { type IdentityOptions, loadHostIdentity, storeKeyPair } from './keys.ts'

async function temporary(context: TestContext): Promise<IdentityOptions> {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-keys-'))
  context.after(() => rm(directory, { recursive: true }))
  return { directory, name: 'berlin', hostNames: ['berlin'], addresses: [], clock: systemClock }
}

test('keys are made once, for the owner alone, and are the same ever after', async (context) => {
  const options = await temporary(context)
  const first = await loadHostIdentity(options)
  assert.notEqual(first.hostId, first.clusterFingerprint)
  assert.equal(first.hostId, fingerprintOf(first.host.certificatePem))
  assert.deepEqual((await readdir(options.directory)).sort(), ['cluster.crt', 'cluster.key', 'host.crt', 'host.key'])
  for (const name of await readdir(options.directory)) {
    assert.equal((await stat(join(options.directory, name))).mode & 0o777, 0o600)
  }
  assert.deepEqual(await loadHostIdentity(options), first)
})

test('half a pair, a foreign certificate or a damaged key each stop the start and change nothing', async (context) => {
  const options = await temporary(context)
  const file = (name: string) => join(options.directory, name)
  const first = await loadHostIdentity(options)
  const other = await createCertificate({ ...options, commonName: 'other' })
  const refused = (message: RegExp) => assert.rejects(loadHostIdentity(options), { code: 'corrupt', message })

  await rename(file('host.crt'), file('aside'))
  await refused(/host\.crt is missing.*restore/)
  await writeFile(file('host.crt'), other.certificatePem)
  await refused(/does not belong/)
  await rename(file('aside'), file('host.crt'))
  await writeFile(file('cluster.key'), first.cluster.privateKeyPem.slice(0, 40))
  await refused(/cluster key pair is broken.*cannot be read/)
  await writeFile(file('cluster.key'), first.cluster.privateKeyPem)
  assert.deepEqual(await loadHostIdentity(options), first)
})

test('a start that was cut off between the two names is finished by the next one', async (context) => {
  const options = await temporary(context)
  const file = (name: string) => join(options.directory, name)
  const first = await loadHostIdentity(options)
  await rename(file('host.crt'), stagedPath(file('host.crt')))
  assert.deepEqual(await loadHostIdentity(options), first)
  // Nothing but staged files: no pair was promised to anybody yet.
  await rm(file('host.key'))
  await rename(file('host.crt'), stagedPath(file('host.crt')))
  assert.notEqual((await loadHostIdentity(options)).hostId, first.hostId)
})

test('a pair is replaced whole, also when the replacing is cut off', async (context) => {
  const options = await temporary(context)
  const file = (name: string) => join(options.directory, name)
  const first = await loadHostIdentity(options)
  const other = await createCertificate({ ...options, commonName: 'other' })
  await storeKeyPair(options.directory, 'cluster', other)
  const second = await loadHostIdentity(options)
  assert.equal(second.clusterFingerprint, fingerprintOf(other.certificatePem))
  assert.equal(second.hostId, first.hostId)

  await writeFile(stagedPath(file('cluster.crt')), first.cluster.certificatePem)
  assert.deepEqual(await loadHostIdentity(options), second, 'the key was not renamed yet: still the old pair')
  await writeFile(file('cluster.key'), first.cluster.privateKeyPem)
  assert.deepEqual(await loadHostIdentity(options), first, 'the key was renamed: the new pair')
  await assert.rejects(storeKeyPair(options.directory, 'cluster', { ...other, privateKeyPem: 'x' }), {
    code: 'corrupt',
  })
  assert.deepEqual(await loadHostIdentity(options), first)
})
