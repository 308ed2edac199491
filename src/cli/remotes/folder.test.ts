import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { checkRemoteName, configFolder, RemotesFolder } from './folder.ts'

async function folderWith(t: TestContext, config?: string): Promise<RemotesFolder> {
  const path = join(await mkdtemp(join(tmpdir(), 'linkspan-remotes-')), 'seat')
  t.after(() => rm(join(path, '..'), { recursive: true }))
  if (config !== undefined) {
    await mkdir(path)
    await writeFile(join(path, 'config.yml'), config)
  }
  return new RemotesFolder(path)
}

test('the folder is that of the environment, or of the user', () => {
  assert.equal(configFolder({ LINKSPAN_CONF: '/a', XDG_CONFIG_HOME: '/b' }), '/a')
  assert.equal(configFolder({ XDG_CONFIG_HOME: '/b' }), '/b/linkspan')
  assert.match(configFolder({}), /\/\.config\/linkspan$/)
})

test('what is written is read, by people as YAML, too', async (t) => {
  const folder = await folderWith(t)
  assert.deepEqual(await folder.readConfig(), { 'default-remote': 'local', remotes: {} })
  await folder.addRemote('b', { addresses: ['10.0.0.1:8443'] }, 'PEM')
  assert.deepEqual(await folder.readRemote('b'), { addresses: ['10.0.0.1:8443'] })
  assert.equal(await folder.readPin('b'), 'PEM')
  await assert.rejects(folder.addRemote('b', { addresses: ['x:1'] }, 'other'), { code: 'already-exists' })
  assert.equal(await folder.readPin('b'), 'PEM')
  await assert.rejects(folder.readRemote('constructor'), { code: 'usage', message: /There is no remote/ })
  await folder.removePin('b')
  await assert.rejects(folder.readPin('b'), { code: 'invalid-config', message: /add the remote anew/ })
  const byHand = await folderWith(t, 'default-remote: b\nremotes:\n  b:\n    addresses:\n    - a:1\n')
  assert.deepEqual(await byHand.readConfig(), { 'default-remote': 'b', remotes: { b: { addresses: ['a:1'] } } })
  assert.deepEqual((await (await folderWith(t, '')).readConfig()).remotes, {})
})

test('a file that cannot be used says why', async (t) => {
  for (const [text, problem] of [
    ['{"remotes": ', /cannot be used/],
    ['a: [b', /cannot be used/],
    ['remotes:\n  b: {}\n', /remote "b" has no addresses/],
    ['remotes:\n  b:\n    addresses: [1]\n', /remote "b" has no addresses/],
  ] as const) {
    const folder = await folderWith(t, text)
    await assert.rejects(folder.readConfig(), { code: 'invalid-config', message: problem })
    await assert.rejects(
      folder.changeConfig(() => {}),
      { code: 'invalid-config' },
    )
  }
})

test('names of remotes can stand before a colon, and be names of files', () => {
  for (const good of ['b', 'berlin-2', 'a.b_c', 'größe', '1']) checkRemoteName(good)
  for (const bad of ['', 'local', 'a:b', 'a/b', '..', '.a', '-a', 'a b', 'x'.repeat(65)]) {
    assert.throws(() => checkRemoteName(bad), { code: 'usage' }, bad)
  }
})
