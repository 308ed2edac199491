import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { cli, linkDaemons, refused } from '../support/sites.ts'

let east: Daemon
let west: Daemon
let folder: string
const inFolder = (name: string) => join(folder, name)

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linkspan-cli-backup-'))
  ;[east, west] = await Promise.all([startDaemon({ name: 'east' }), startDaemon({ name: 'west' })])
  await linkDaemons(west, east, ['instance can_manage_backups'])
})

after(async () => {
  await Promise.all([east?.[Symbol.asyncDispose](), west?.[Symbol.asyncDispose]()])
  await rm(folder, { recursive: true, force: true })
})

test('a recovery key is made once, and its secret is for the owner alone', async () => {
  const key = inFolder('recovery.key')
  const { code, stdout, stderr } = await east.cli(['backup', 'key', 'create', key, '--set'])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^x25519:[A-Za-z0-9_-]{43}\n$/)
  assert.match(stderr, /move it to where no daemon and no network reaches it/)
  assert.equal((await stat(key)).mode & 0o777, 0o600)
  assert.match(await readFile(key, 'utf8'), /^-----BEGIN PRIVATE KEY-----/)
  const { value } = await east.client.server.get()
  assert.equal(value.config['linkspan.backup.recovery_key'], stdout.trim())
  assert.match(await refused(east, `backup key create ${key}`), /is there already, and may be the only key/)
  await cli(west, `backup key create ${inFolder('other.key')}`)
})

test('backups are made, listed, saved, proven and deleted', async () => {
  assert.equal(await cli(east, 'backup create before-upgrade'), 'Backup before-upgrade created\n')
  assert.equal(await cli(east, 'backup create'), 'Backup backup0 created\n')
  const listed = await cli(east, 'backup list --format csv')
  assert.match(listed, /^backup0,east,[^,]+,,\d+,1,[0-9a-f]{12}\nbefore-upgrade,east,/)
  const file = inFolder('east.backup')
  assert.match(await cli(east, `backup export before-upgrade ${file}`), /saved as/)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.match(await refused(east, `backup export before-upgrade ${file}`), /is there already/)
  assert.match(await refused(east, `backup export none ${inFolder('none.backup')}`), /not found/)

  const proof = JSON.parse(await cli(east, `backup verify ${file} --format json`))
  assert.deepEqual([proof.whole, proof.instance, proof.fingerprint], [true, 'east', east.ready.fingerprint])
  const opened = JSON.parse(
    await cli(east, `backup verify ${file} --format json --recovery-key ${inFolder('recovery.key')}`),
  )
  assert.equal(opened.opened.rows.link, 1)
  assert.ok(opened.opened.files.includes('cluster.key'))
  const wrong = `backup verify ${file} --recovery-key ${inFolder('other.key')}`
  assert.match(await refused(east, wrong), /another recovery key/)
  await writeFile(inFolder('damaged.backup'), (await readFile(file)).fill(0, 2000, 2001))
  assert.match(await refused(east, `backup verify ${inFolder('damaged.backup')}`), /damaged/)

  assert.equal(await cli(east, 'backup delete backup0'), 'Backup backup0 deleted\n')
  assert.match(await refused(east, 'backup delete backup0'), /not found/)
})

test('the other side pulls, and what it has restores the host', async () => {
  const pulled = await cli(west, 'backup pull east')
  const [, name] = /^Backup (east-\S+) of east pulled over link east\n$/.exec(pulled)!
  assert.match(await cli(west, 'backup list --link east --format compact'), new RegExp(name!))
  const file = inFolder('pulled.backup')
  await cli(west, `backup export ${name} ${file} --link east`)

  const stateDir = inFolder('restored')
  const restore = ['backup', 'restore', file, '--recovery-key', inFolder('recovery.key')]
  assert.match(await refused(west, restore.join(' '), 2), /--state-dir/)
  const lost = ['--state-dir', stateDir, ...restore]
  const { code, stdout, stderr } = await west.cli(lost)
  assert.equal(code, 0, stderr)
  assert.match(stdout, /holds the state of the lost host, of generation 2/)
  assert.match((await west.cli(lost)).stderr, /is not empty/)
  assert.equal((await stat(stateDir)).mode & 0o777, 0o700)

  assert.equal(await cli(west, `backup delete ${name} --link east`), `Backup ${name} deleted\n`)
  assert.equal(await cli(west, 'backup list --link east --format json'), '[]\n')
})
