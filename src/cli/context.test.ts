import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { Context } from './context.ts'
import { stateDirectory } from './local.ts'

test('the state directory is that of the flag, the environment or the user', () => {
  assert.equal(stateDirectory('/a', { LINKSPAN_DIR: '/b' }), '/a')
  assert.equal(stateDirectory(undefined, { LINKSPAN_DIR: 'b' }), resolve('b'))
  const ofUser = process.getuid?.() === 0 ? '/var/lib/linkspan' : join(homedir(), '.local/state/linkspan')
  assert.equal(stateDirectory(undefined, {}), ofUser)
  assert.throws(() => stateDirectory(undefined, { LINKSPAN_DIR: '' }), { code: 'usage' })
})

test('the remote is that of the argument, the flag or the environment; a state directory is local', async () => {
  assert.equal(await new Context({}, 'b').remote(), 'b')
  assert.equal(await new Context({ remote: 'c:' }).remote(), 'c')
  assert.equal(await new Context({ remote: 'b' }, 'b').remote(), 'b')
  assert.equal(await new Context({ stateDir: '/x' }).remote(), 'local')
  assert.equal(await new Context({ stateDir: '/x' }, 'local').remote(), 'local')
  assert.equal(await new Context({ forceLocal: true }).remote(), 'local')
  assert.throws(() => new Context({ forceLocal: true }, 'b'), { code: 'usage', message: /--force-local means/ })
  assert.throws(() => new Context({ remote: 'c' }, 'b'), { code: 'usage', message: /Two remotes are named/ })
  assert.throws(() => new Context({ stateDir: '/x' }, 'b'), { code: 'usage', message: /leave one out/ })
})
