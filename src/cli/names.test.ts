import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectLocal, localName, localPath, parseIdentityName, parseRemoteName } from './names.ts'

test('a remote ends at the first colon', () => {
  assert.deepEqual(parseRemoteName('berlin'), { remote: 'local', name: 'berlin' })
  assert.deepEqual(parseRemoteName('east:a:b'), { remote: 'east', name: 'a:b' })
  assert.deepEqual(parseRemoteName(':a'), { remote: 'local', name: 'a' })
})

test('only the local daemon can be meant', () => {
  assert.equal(localName('local:berlin', 'link'), 'berlin')
  assert.throws(() => localName('east:berlin', 'link'), { code: 'usage', message: /There is no remote "east"/ })
  assert.throws(() => localName('local:', 'link'), { code: 'usage', message: 'Name the link' })
  expectLocal(undefined)
  expectLocal('local:')
  assert.throws(() => expectLocal('berlin'), { code: 'usage', message: /Expected a remote/ })
  assert.equal(localPath('/1.0?x=a:b'), '/1.0?x=a:b')
  assert.equal(localPath('local:/1.0'), '/1.0')
  assert.throws(() => localPath('1.0'), { code: 'usage' })
})

test('identities are named by type and name', () => {
  assert.deepEqual(parseIdentityName('tls/a/b'), { shorthand: 'tls', nameOrId: 'a/b' })
  assert.deepEqual(parseIdentityName('local:cluster-link/x'), { shorthand: 'cluster-link', nameOrId: 'x' })
  assert.throws(() => parseIdentityName('x'), { code: 'usage', message: /"tls\/x"/ })
  assert.throws(() => parseIdentityName('tls/'), { code: 'usage' })
  assert.throws(() => parseIdentityName('oidc/x'), { code: 'usage', message: /tls and cluster-link/ })
})
