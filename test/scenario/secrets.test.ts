import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { WebSocket } from 'ws'
import { systemClock } from '../../src/base/clock.ts'
import { createCertificate } from '../../src/identity/certificate.ts'
import { encodeToken, type TrustToken } from '../../src/identity/trust-token.ts'
import { pinnedHttp } from '../../src/transport/pinned-fetch.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { type Callable, callV1, mintLinkToken, useLinkToken } from '../support/link-calls.ts'
import { waitFor } from '../support/process.ts'

let a: Daemon
let b: Daemon
/** Everything that happens at either. */
const events: string[] = []
const watchers: WebSocket[] = []

before(async () => {
  const args = ['--log-level', 'debug']
  ;[a, b] = await Promise.all([startDaemon({ name: 'a', args }), startDaemon({ name: 'b', args })])
  for (const daemon of [a, b]) await watch(daemon)
})

after(async () => {
  for (const watcher of watchers) watcher.terminate()
  await Promise.all([a?.[Symbol.asyncDispose](), b?.[Symbol.asyncDispose]()])
})

async function watch(daemon: Daemon): Promise<void> {
  const watcher = new WebSocket(`ws+unix://${join(daemon.stateDir, 'unix.socket')}:/1.0/events`)
  watcher.on('message', (data) => events.push(String(data)))
  await new Promise((resolve, reject) => watcher.once('open', resolve).once('error', reject))
  watchers.push(watcher)
}

async function stranger(at: Daemon): Promise<Callable & AsyncDisposable> {
  const request = { commonName: 'stranger', hostNames: [], addresses: [], clock: systemClock }
  const { certificatePem: certificate, privateKeyPem: key } = await createCertificate(request)
  const http = pinnedHttp({ address: at.ready.https, fingerprint: at.ready.fingerprint, certificate, key })
  return { http, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() }
}

/** The token of the older trust store; its operation's metadata has the secret. */
async function certificateToken(): Promise<{ token: string; secret: string }> {
  const { metadata: operation } = await callV1(a, 'POST', '/1.0/certificates', { name: 'old', token: true })
  const { secret, fingerprint, addresses, expiresAt: expires_at } = operation.metadata
  return { secret, token: encodeToken({ client_name: 'old', fingerprint, addresses, secret, expires_at, type: '' }) }
}

/** Every text of a daemon that outlives a request: what it printed, and its files. */
async function traces(daemon: Daemon): Promise<string> {
  const entries = await readdir(daemon.stateDir, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const contents = await Promise.all(files.map((path) => readFile(path, 'latin1')))
  return [daemon.process.output, ...contents].join('\n')
}

test('secrets of tokens, spent, wrong and waiting, are in no log, no event and no file', async () => {
  await using one = await stranger(a)
  await using other = await stranger(a)
  const [link, waiting] = [await mintLinkToken(a, 'to-b'), await mintLinkToken(a, 'waiting')]
  const client = await callV1(a, 'POST', '/1.0/auth/identities/tls', { name: 'person', token: true })
  const clientToken = client.metadata as TrustToken
  const old = await certificateToken()
  const wrong = { ...link, secret: 'ab'.repeat(32) }

  assert.equal((await useLinkToken(b, 'wrong', wrong)).code, 'token-unknown')
  assert.equal((await useLinkToken(b, 'cut', encodeToken(link).slice(0, -7))).code, 'token-undecodable')
  assert.equal((await useLinkToken(b, 'to-a', link)).status, 201)
  const asPassword = { type: 'client', password: old.token }
  assert.equal((await callV1(one, 'POST', '/1.0/certificates', asPassword)).status, 201)
  const spend = { trust_token: encodeToken(clientToken) }
  assert.equal((await callV1(other, 'POST', '/1.0/auth/identities/tls', spend)).status, 201)
  assert.equal((await callV1(other, 'POST', '/1.0/auth/identities/tls', spend)).status, 409)
  // A token pasted as a config key, as old documents have it.
  const [key = '', ...rest] = encodeToken(waiting).split('=')
  await callV1(b, 'POST', '/1.0/cluster/links', { name: 'x', type: 'bidirectional', config: { [key]: rest.join('=') } })

  await waitFor(() => events.some((event) => event.includes('authn_token_created')), { what: 'an event of a token' })
  const secrets = [link.secret, waiting.secret, clientToken.secret, old.secret, wrong.secret]
  const tokens = [encodeToken(link), encodeToken(waiting), encodeToken(clientToken), old.token]
  const all = [await traces(a), await traces(b), ...events].join('\n')
  assert.match(all, /user_created:tls:/)
  for (const secret of [...secrets, ...tokens.map((token) => token.slice(0, 200))]) {
    const at = all.indexOf(secret)
    assert.equal(at, -1, `a secret is told: ${all.slice(Math.max(0, at - 300), at + 80)}`)
  }
})

function handshake(options: object): Promise<TLSSocket> {
  const [host, port] = a.ready.https.split(':')
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false, ...options }, () =>
      resolve(socket),
    )
    socket.once('error', reject)
  })
}

test('the port speaks TLS 1.3 with each of its cipher suites, and nothing older', async () => {
  const old = handshake({ maxVersion: 'TLSv1.2', minVersion: 'TLSv1' })
  await assert.rejects(old, { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' })
  for (const suite of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']) {
    const socket = await handshake({ ciphers: suite })
    assert.deepEqual([socket.getProtocol(), socket.getCipher().name], ['TLSv1.3', suite])
    socket.destroy()
  }
})
