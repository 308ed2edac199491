import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIdentityName, parseName, parseNames, parsePath, parseRemote, parseRemoteName } from './names.ts'

test('a remote ends at the first colon, and has no slash', () => {
  assert.deepEqual(parseRemoteName('berlin'), { remote: undefined, name: 'berlin' })
  assert.deepEqual(parseRemoteName('east:a:b'), { remote: 'east', name: 'a:b' })
  assert.deepEqual(parseRemoteName(':a'), { remote: undefined, name: 'a' })
  assert.deepEqual(parseRemoteName('tls/a:b'), { remote: undefined, name: 'tls/a:b' })
})

test('names, remotes and paths are told apart', () => {
  assert.deepEqual(parseName('east:berlin', 'link'), { remote: 'east', name: 'berlin' })
  assert.throws(() => parseName('local:', 'link'), { code: 'usage', message: 'Name the link' })
  assert.deepEqual(parseNames(['b:x', 'y', 'b:z']), { remote: 'b', names: ['x', 'y', 'z'] })
  assert.deepEqual(parseNames(['b:']), { remote: 'b', names: [] })
  assert.throws(() => parseNames(['b:x', 'c:y']), { code: 'usage', message: /Name one remote, not b and c/ })
  assert.equal(parseRemote(undefined), undefined)
  assert.equal(parseRemote('east:'), 'east')
  assert.throws(() => parseRemote('berlin'), { code: 'usage', message: /Expected a remote/ })
  assert.deepEqual(parsePath('/1.0?x=a:b'), { remote: undefined, path: '/1.0?x=a:b' })
  assert.deepEqual(parsePath('east:/1.0'), { remote: 'east', path: '/1.0' })
  assert.throws(() => parsePath('1.0'), { code: 'usage' })
})

test('identities are named by type and name', () => {
  assert.deepEqual(parseIdentityName('tls/a/b'), { remote: undefined, shorthand: 'tls', nameOrId: 'a/b' })
  const link = { remote: 'east', shorthand: 'cluster-link', nameOrId: 'x' }
  assert.deepEqual(parseIdentityName('east:cluster-link/x'), link)
  assert.throws(() => parseIdentityName('x'), { code: 'usage', message: /"tls\/x"/ })
  assert.throws(() => parseIdentityName('tls/'), { code: 'usage' })
  assert.throws(() => parseIdentityName('oidc/x'), { code: 'usage', message: /tls and cluster-link/ })
})
