import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { systemClock } from '../base/clock.ts'
import { createCertificate, fingerprintOf } from '../identity/certificate.ts'
import { formatAddress } from './address.ts'
import { TlsFront } from './listener.ts'
import { pinnedHttp, unixHttp } from './pinned-fetch.ts'

async function pairs() {
  const request = { commonName: 'x', hostNames: [], addresses: [], clock: systemClock }
  return { server: await createCertificate(request), client: await createCertificate(request) }
}

async function serve(handler: RequestListener) {
  const { server, client } = await pairs()
  const http: Server = createServer(handler)
  const front = new TlsFront({
    listen: { host: '127.0.0.1', port: 0 },
    ...server,
    onConnection: ({ socket }) => http.emit('connection', socket),
  })
  const address = formatAddress(await front.listen())
  return { front, address, client, fingerprint: fingerprintOf(server.certificatePem) }
}

test('requests go over kept connections, with our certificate, and the answer comes whole', async () => {
  const ports = new Set<number | undefined>()
  const { front, address, client, fingerprint } = await serve((request, response) => {
    ports.add(request.socket.remotePort)
    const presented = (request.socket as TLSSocket).getPeerX509Certificate()
    request.setEncoding('utf8').on('data', (body: string) => {
      response.setHeader('x-method', request.method ?? '')
      response.writeHead(201).end(`${request.url} ${body} ${presented && fingerprintOf(presented)}`)
    })
  })
  await using call = pinnedHttp({
    address: ['127.0.0.1:1', address],
    fingerprint,
    certificate: client.certificatePem,
    key: client.privateKeyPem,
  })
  for (let round = 0; round < 3; round += 1) {
    const answer = await call({ method: 'POST', path: '/1.0?a=b', body: 'größe' })
    assert.equal(answer.status, 201)
    assert.equal(answer.headers['x-method'], 'POST')
    assert.equal(answer.body, `/1.0?a=b größe ${fingerprintOf(client.certificatePem)}`)
  }
  assert.equal(ports.size, 1)
  await front.close()
})

test('a wrong certificate, a dead address, a huge answer and an abort each end the call with their cause', async () => {
  const { front, address, client, fingerprint } = await serve((request, response) => {
    if (request.url === '/huge') response.end(Buffer.alloc(17 * 1024 * 1024, 65))
  })
  await using wrong = pinnedHttp({ address, fingerprint: fingerprintOf(client.certificatePem) })
  await assert.rejects(wrong({ method: 'GET', path: '/' }), { code: 'wrong-fingerprint' })
  await using dead = pinnedHttp({ address: '127.0.0.1:1', fingerprint })
  await assert.rejects(dead({ method: 'GET', path: '/' }), { code: 'unreachable' })
  await using call = pinnedHttp({ address, fingerprint })
  await assert.rejects(call({ method: 'GET', path: '/huge' }), { code: 'too-large' })
  const reason = new Error('enough')
  await assert.rejects(call({ method: 'GET', path: '/never' }, AbortSignal.abort(reason)), reason)
  const control = new AbortController()
  const waiting = call({ method: 'GET', path: '/never' }, control.signal)
  setImmediate(() => control.abort(reason))
  await assert.rejects(waiting, reason)
  await front.close()
})

test('an idle connection that the peer closed is replaced for reads, and reported for writes', async () => {
  let failures = 0
  const { front, address, fingerprint } = await serve((request, response) => {
    failures -= 1
    if (failures < 0) response.end('ok')
    else request.socket.destroy()
  })
  await using call = pinnedHttp({ address, fingerprint })
  const read = () => call({ method: 'GET', path: '/' })
  assert.equal((await read()).body, 'ok')
  failures = 1
  assert.equal((await read()).body, 'ok')
  failures = 1
  await assert.rejects(call({ method: 'POST', path: '/', body: 'x' }), { code: 'closed' })
  failures = 1
  await assert.rejects(read(), { code: 'unreachable' }, 'a fresh connection that is closed is no stale one')
  await front.close()
})

test('a Unix socket is spoken to, and a path that the system would cut off is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-'))
  const path = join(folder, 'unix.socket')
  const http = createServer((request, response) => response.end(request.headers.host))
  http.listen(path)
  await once(http, 'listening')
  {
    await using call = unixHttp(path)
    assert.equal((await call({ method: 'GET', path: '/' })).body, 'linkspan')
  }
  http.close()
  await once(http, 'close')
  await using gone = unixHttp(path)
  await assert.rejects(gone({ method: 'GET', path: '/' }), { code: 'unreachable' })
  await using long = unixHttp(`/${'x'.repeat(107)}`)
  await assert.rejects(long({ method: 'GET', path: '/' }), { code: 'invalid-config' })
  await rm(folder, { recursive: true })
})
