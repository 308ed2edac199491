import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect } from 'node:tls'
import type { PermissionRow } from '../../src/access/rows.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts'
import { createIntake, type HttpIntake } from '../../src/gateway/http-intake.ts'
import type { GatewayAuditEvent } from '../../src/gateway/messages.ts'
import type { GatewaySnapshot } from '../../src/gateway/tunnel/access-rights.ts'
import { type CertificatePems, createCertificate, fingerprintOf } from '../../src/identity/certificate.ts'
import { openCluster } from '../../src/kafka/open-cluster.ts'
import { formatAddress } from '../../src/transport/address.ts'
import { type Caller, encodePreface } from '../../src/transport/caller.ts'
import { dialPinned } from '../../src/transport/pinned.ts'
import { pinnedHttp } from '../../src/transport/pinned-fetch.ts'
import { metadata } from '../../src/wire/api/03-metadata.ts'
import { waitFor } from '../support/process.ts'
import { revealingKafka } from '../support/revealing-kafka.ts'

/** A gateway in its worker, a control thread's HTTP server behind its intake, and a Kafka of canned answers. */
const kafka = revealingKafka()
const audited: GatewayAuditEvent[] = []
const failures: Error[] = []
const callers = new WeakMap<Socket, Caller>()
let folder: string
let path: string
let server: CertificatePems
let link: CertificatePems
let intake: HttpIntake
let gateway: Gateway
let address: string
let fingerprint: string
let linkFingerprint: string
let holdAnswers = false

const http = createServer({ headersTimeout: 600, requestTimeout: 900, connectionsCheckingInterval: 100 })
http.on('request', (request: IncomingMessage, response) => {
  if (holdAnswers) return
  const { transport, fingerprint: who } = callers.get(request.socket) ?? {}
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  request.on('end', () => {
    if (request.url === '/large') response.end(Buffer.alloc(8_000_000, 65))
    else response.end(JSON.stringify({ transport, who, bytes }))
  })
})

function snapshotOf(permissions: PermissionRow[]): GatewaySnapshot {
  const known = { id: linkFingerprint, fingerprint: linkFingerprint, name: 'east' }
  const identity = { ...known, kind: 'cluster-link' as const, groups: ['readers'] }
  const identities = [{ ...identity, validFromMs: 0, validToMs: Number.MAX_SAFE_INTEGER }]
  const links = [{ fingerprint: linkFingerprint, linkId: '11111111-2222-3333-4444-555555555555' }]
  return { access: { identities, groups: [{ name: 'readers', permissions }] }, links }
}

const ordersOnly: PermissionRow[] = [{ entity_type: 'topic', url: '/1.0/topics/orders', entitlement: 'can_read' }]

before(async () => {
  const request = { commonName: 'x', hostNames: [], addresses: [], clock: systemClock }
  server = await createCertificate(request)
  link = await createCertificate(request)
  fingerprint = fingerprintOf(server.certificatePem)
  linkFingerprint = fingerprintOf(link.certificatePem)
  folder = await mkdtemp(join(tmpdir(), 'linkspan-'))
  path = join(folder, 'internal', 'http.socket')
  await kafka.listen()
  http.emit('listening') // or its timeouts are never checked
  intake = await createIntake({
    path,
    onConnection: (socket, caller) => {
      callers.set(socket, caller)
      http.emit('connection', socket)
    },
  })
  gateway = await start()
  address = formatAddress(gateway.address)
})

function start(listen = { host: '127.0.0.1', port: 0 }): Promise<Gateway> {
  return startGateway({
    listen,
    certificate: server.certificatePem,
    key: server.privateKeyPem,
    internalSocketPath: path,
    snapshot: snapshotOf(ordersOnly),
    kafkaSpec: { reach: 'kafka', clientId: 'gateway', bootstrap: [{ host: '127.0.0.1', port: kafka.port }] },
    limits: { front: { handshakeTimeoutMs: 500 }, tunnel: { prefaceTimeoutMs: 500 } },
    onAudit: (event) => audited.push(event),
    onFailure: (error) => failures.push(error),
  })
}

after(async () => {
  await gateway.stop()
  await intake[Symbol.asyncDispose]()
  http.closeAllConnections()
  await kafka[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
  assert.deepEqual(failures, [])
})

function linkHttp() {
  return pinnedHttp({ address, fingerprint, certificate: link.certificatePem, key: link.privateKeyPem })
}

function linkCluster() {
  const { certificatePem, privateKeyPem } = link
  const spec = { reach: 'peer' as const, clientId: 'mirror', addresses: [address], fingerprint }
  return openCluster({ ...spec, certificatePem, privateKeyPem }, { log: silentLog, clock: systemClock })
}

test('HTTP reaches the control thread with who is there; large bodies pass both ways', async () => {
  await using known = linkHttp()
  const answer = await known({ method: 'POST', path: '/', body: 'x'.repeat(8_000_000) })
  assert.deepEqual(JSON.parse(answer.body), { transport: 'tls', who: linkFingerprint, bytes: 8_000_000 })
  assert.equal((await known({ method: 'GET', path: '/large' })).body.length, 8_000_000)
  await using stranger = pinnedHttp({ address, fingerprint })
  assert.deepEqual(JSON.parse((await stranger({ method: 'GET', path: '/' })).body), { transport: 'tls', bytes: 0 })
})

test('nobody becomes somebody else by sending a preface of his own', async () => {
  const preface = encodePreface({ transport: 'unix', address: '@', fingerprint: linkFingerprint })
  const socket = await dialPinned({ addresses: [address], fingerprint })
  socket.write(`${preface}GET / HTTP/1.1\r\nhost: x\r\n\r\n`)
  assert.match(await textOf(socket), /^HTTP\/1\.1 400 /)
})

test('the internal socket is for this daemon alone', async () => {
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await stat(join(folder, 'internal'))).mode & 0o777, 0o700)
})

test('a request that is half sent times out, and so do a handshake and a tunnel without preface', async () => {
  const half = await dialPinned({ addresses: [address], fingerprint })
  half.write('GET / HTTP/1.1\r\nhost')
  assert.match(await textOf(half), /^HTTP\/1\.1 408 /)
  const silent = await dialPinned({ addresses: [address], fingerprint, alpn: 'linkspan-kafka/1', ...link })
  const start = performance.now()
  assert.match(await textOf(silent), /"ok":false.*"malformed"/)
  assert.ok(performance.now() - start < 5000)
})

test('TLS 1.2 and foreign protocols are refused in the handshake, and written down', async () => {
  audited.length = 0
  for (const options of [{ maxVersion: 'TLSv1.2' as const }, { ALPNProtocols: ['h2'] }]) {
    const { host, port } = gateway.address
    const socket = connect({ host, port, rejectUnauthorized: false, ...options })
    await once(socket, 'error')
  }
  await waitFor(() => audited.length === 2)
  assert.deepEqual([...new Set(audited.map(({ name }) => name))], ['connection-refused'])
})

test('a Kafka client of ours works through the tunnel and sees what the newest snapshot grants', async () => {
  await gateway.updateAccess(snapshotOf(ordersOnly))
  await using cluster = linkCluster()
  const names = async () => {
    const { topics } = await cluster.request({ to: 'any' }, metadata, { topics: null })
    return topics.map(({ name }) => name)
  }
  assert.deepEqual(await names(), ['orders'])
  await gateway.updateAccess(snapshotOf([{ entity_type: 'topic', url: '/1.0/topics', entitlement: 'can_view' }]))
  assert.deepEqual(await names(), ['orders', 'viewed', 'secret'])
  await gateway.updateAccess(snapshotOf(ordersOnly))
  assert.deepEqual(await names(), ['orders'])
})

test('revocation cuts tunnels and requests that wait, within a second, and nobody else', async () => {
  holdAnswers = true
  await using known = linkHttp()
  await using stranger = pinnedHttp({ address, fingerprint })
  const waiting = known({ method: 'GET', path: '/wait' })
  const other = stranger({ method: 'GET', path: '/wait' }, AbortSignal.timeout(1500))
  const tunnel = await dialPinned({ addresses: [address], fingerprint, alpn: 'linkspan-kafka/1', ...link })
  const cut = closeOf(tunnel)
  const refused = assert.rejects(waiting, { code: 'unreachable' })
  const untouched = assert.rejects(other, { name: 'TimeoutError' })
  await waitFor(async () => (await gateway.stats()).connections >= 3)
  const start = performance.now()
  await gateway.updateAccess({ access: { identities: [], groups: [] }, links: [] })
  await gateway.revoke([linkFingerprint])
  await refused
  await cut
  assert.ok(performance.now() - start < 1000)
  await untouched
  await using cluster = linkCluster()
  await assert.rejects(cluster.request({ to: 'any' }, metadata, { topics: null }), { code: 'not-permitted' })
  holdAnswers = false
  await gateway.updateAccess(snapshotOf(ordersOnly))
})

test('a new certificate serves new connections', async () => {
  await gateway.useCertificate(link.certificatePem, link.privateKeyPem)
  await using moved = pinnedHttp({ address, fingerprint: linkFingerprint })
  assert.equal((await moved({ method: 'GET', path: '/' })).status, 200)
  await gateway.useCertificate(server.certificatePem, server.privateKeyPem)
})

test('a port that is taken is an error; a stopped gateway frees its port and says closed', async () => {
  await assert.rejects(start(gateway.address), { code: 'in-use' })
  const second = await start()
  const busy = await dialPinned({ addresses: [formatAddress(second.address)], fingerprint })
  const cut = closeOf(busy)
  await second.stop()
  await cut
  await assert.rejects(second.stats(), { code: 'closed' })
  const third = await start(second.address)
  await third.stop()
})

/** However it is closed: what is cut is reset. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.resume().once('close', () => resolve()))
}

async function textOf(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}
