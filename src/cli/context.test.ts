import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { stateDirectory } from './context.ts'

test('the state directory is that of the flag, the environment or the user', () => {
  assert.equal(stateDirectory('/a', { LINKSPAN_DIR: '/b' }), '/a')
  assert.equal(stateDirectory(undefined, { LINKSPAN_DIR: 'b' }), resolve('b'))
  const ofUser = process.getuid?.() === 0 ? '/var/lib/linkspan' : join(homedir(), '.local/state/linkspan')
  assert.equal(stateDirectory(undefined, {}), ofUser)
  assert.throws(() => stateDirectory(undefined, { LINKSPAN_DIR: '' }), { code: 'usage' })
})
