import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { createCertificate } from '../../src/identity/certificate.ts'
import { encodeToken } from '../../src/identity/trust-token.ts'
import { type HttpConnections, pinnedHttp } from '../../src/transport/pinned-fetch.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { assertMatches } from '../support/wire.ts'
import { type As, type Exchange, exchanges } from './wire/exchanges.ts'

let daemon: Daemon
let callers: Record<As, HttpConnections>

async function withCertificate(name: string): Promise<HttpConnections> {
  const request = { commonName: name, hostNames: [], addresses: [], clock: systemClock }
  const { certificatePem: certificate, privateKeyPem: key } = await createCertificate(request)
  return pinnedHttp({ address: daemon.ready.https, fingerprint: daemon.ready.fingerprint, certificate, key })
}

async function withIdentity(name: string): Promise<HttpConnections> {
  const http = await withCertificate(name)
  const { metadata } = await daemon.client.identities.createToken(name)
  const body = JSON.stringify({ trust_token: encodeToken(metadata) })
  const headers = { 'content-type': 'application/json' }
  const { status } = await http({ method: 'POST', path: '/1.0/auth/identities/tls', headers, body })
  assert.equal(status, 201)
  return http
}

before(async () => {
  daemon = await startDaemon({ name: 'site' })
  const { https: address, fingerprint } = daemon.ready
  const bare = pinnedHttp({ address, fingerprint })
  const [stranger, nobody] = [await withCertificate('stranger'), await withIdentity('nobody')]
  callers = { socket: daemon.http, bare, stranger, nobody }
})

after(async () => {
  await Promise.all(Object.values(callers ?? {}).map((http) => http[Symbol.asyncDispose]()))
  await daemon?.[Symbol.asyncDispose]()
})

const emptySync = { type: 'sync', status: 'Success', status_code: 200, operation: '', error_code: 0, error: '' }

for (const [name, recorded] of Object.entries(exchanges)) {
  test(`${name}: every answer is as LXD gives it`, async () => {
    const saved = new Map<string, string>()
    const filled = (text: string) => text.replace(/\{(\w+)\}/g, (_, key: string) => saved.get(key) ?? assert.fail(key))
    for (const exchange of recorded) await play(exchange, filled, saved)
  })
}

async function play(exchange: Exchange, filled: (text: string) => string, saved: Map<string, string>): Promise<void> {
  const { as = 'socket', send, body, headers = {}, status, location, etag, save = {} } = exchange
  const where = `${as}: ${send} ${JSON.stringify(body) ?? ''}`
  const [method = '', path = ''] = filled(send).split(' ')
  const answer = await callers[as]({
    method,
    path,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, filled(value)])),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  assert.equal(answer.status, status, `${where}: ${answer.body}`)
  assert.equal(answer.headers['x-content-type-options'], 'nosniff', where)
  if (location) assert.match(answer.headers.location ?? '', location, where)
  if (etag !== undefined) assert.equal(answer.headers.etag !== undefined, etag, `${where}: its ETag`)
  if (exchange.type === 'text/plain') {
    assert.match(answer.headers['content-type'] ?? '', /^text\/plain/)
    return
  }
  const envelope = JSON.parse(answer.body)
  checkEnvelope(exchange, envelope, answer.headers.location, where)
  for (const [key, part] of Object.entries(save)) {
    const value = part === 'location' || part === 'etag' ? answer.headers[part] : envelope.metadata[part]
    saved.set(key, String(value))
  }
}

function checkEnvelope(
  { status, type = status < 300 ? 'sync' : 'error', metadata, error }: Exchange,
  envelope: { metadata: unknown; error: string },
  location: string | undefined,
  where: string,
): void {
  const { metadata: actual, ...rest } = envelope
  if (type === 'sync') assert.deepEqual(rest, emptySync, where)
  if (type === 'async') {
    const running = { ...emptySync, type, status: 'Operation created', status_code: 100, operation: location }
    assert.deepEqual(rest, running, where)
  }
  if (type === 'error') {
    const code = status < 300 ? 500 : status
    assert.deepEqual(
      { ...envelope, error: '' },
      { type, status: '', status_code: 0, operation: '', error_code: code, error: '', metadata: null },
      where,
    )
    assert.match(envelope.error, error ?? /\S/, where)
  }
  if (metadata !== undefined) assertMatches(actual, metadata, where)
}
