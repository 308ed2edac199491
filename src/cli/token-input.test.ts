import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeToken } from '../identity/trust-token.ts'
import { looksLikeToken, readToken } from './token-input.ts'

const token = encodeToken({
  client_name: 'east',
  fingerprint: 'ab'.repeat(32),
  addresses: ['127.0.0.1:8443'],
  secret: 'cd'.repeat(32),
  expires_at: '2030-01-01T00:00:00Z',
  type: 'Cluster link certificate',
})

test('a token is told from config, padded or not', () => {
  assert.ok(looksLikeToken(token))
  assert.ok(looksLikeToken(token.replace(/=+$/, '')))
  assert.ok(looksLikeToken(`${token.replace(/=+$/, '')}=`))
  for (const word of ['user.owner=ops', 'eyJ=1', `user.token=${token}`, '']) assert.ok(!looksLikeToken(word), word)
})

test('a token comes from one place, whole', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-token-'))
  try {
    const path = join(folder, 'token')
    await writeFile(path, `  ${token.slice(0, 80)}\n${token.slice(80)}\n`)
    assert.equal(await readToken({ tokenFile: path }), token)
    assert.equal(await readToken({ argument: token }), token)
    assert.equal(await readToken({}), undefined)
    await assert.rejects(readToken({ argument: token, tokenFile: path }), { code: 'usage', message: /once/ })
    await assert.rejects(readToken({ token: token.slice(0, 90) }), { code: 'token-undecodable', message: /cut off/ })
    await assert.rejects(readToken({ tokenFile: `${path}.gone` }), { code: 'usage', message: /Cannot read/ })
  } finally {
    await rm(folder, { recursive: true })
  }
})
