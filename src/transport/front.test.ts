import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { systemClock } from '../base/clock.ts'
import { type CertificatePems, createCertificate, fingerprintOf } from '../identity/certificate.ts'
import { formatAddress } from './address.ts'
import { createDialler } from './create-dialler.ts'
import { FrameReader } from './frame-reader.ts'
import { type FrontConnection, type FrontLimits, type FrontRefusal, TlsFront } from './listener.ts'
import { dialPinned, peekCertificate } from './pinned.ts'
import { SlabPool } from './slabs.ts'
import { decodeTunnelPreface, encodeTunnelFrame, type TunnelAnswer, tunnelProtocol } from './tunnel-preface.ts'

let server: CertificatePems
let client: CertificatePems

before(async () => {
  const request = { commonName: 'front', hostNames: [], addresses: [], clock: systemClock }
  server = await createCertificate(request)
  client = await createCertificate(request)
})

const open: TlsFront[] = []
after(() => Promise.all(open.map((front) => front.close())))

async function startFront(
  onConnection: (connection: FrontConnection) => void,
  limits: Partial<FrontLimits> = {},
  onRefused?: (refusal: FrontRefusal) => void,
) {
  const front = new TlsFront({
    listen: { host: '127.0.0.1', port: 0 },
    ...server,
    limits,
    onConnection,
    ...(onRefused ? { onRefused } : {}),
  })
  open.push(front)
  return { front, address: formatAddress(await front.listen()), fingerprint: fingerprintOf(server.certificatePem) }
}

test('the peer is known by its certificate, and the protocol by ALPN', async () => {
  const seen: FrontConnection[] = []
  const { address, fingerprint } = await startFront((connection) => seen.push(connection))
  for (const [alpn, pair] of [
    [tunnelProtocol, client],
    ['http/1.1', client],
    [undefined, undefined],
  ] as const) {
    const socket = await dialPinned({ addresses: [address], fingerprint, ...(alpn ? { alpn } : {}), ...pair })
    socket.end()
    await once(socket.resume(), 'close')
  }
  const known = fingerprintOf(client.certificatePem)
  const facts = seen.map((connection) => [connection.protocol, connection.fingerprint])
  assert.deepEqual(facts, [
    ['tunnel', known],
    ['http', known],
    ['http', undefined],
  ])
  assert.equal(seen[0]?.certificatePem, client.certificatePem)
})

test('another certificate than the pinned one is refused before a byte is sent', async () => {
  let received = 0
  const { address, fingerprint } = await startFront(({ socket }) => socket.on('data', () => (received += 1)))
  const wrong = fingerprintOf(client.certificatePem)
  await assert.rejects(dialPinned({ addresses: ['127.0.0.1:1', address], fingerprint: wrong }), (error: Error) => {
    assert.equal((error as Error & { code: string }).code, 'wrong-fingerprint')
    for (const part of [address, wrong.slice(0, 12), fingerprint.slice(0, 12)]) assert.ok(error.message.includes(part))
    return true
  })
  assert.equal(received, 0)
  const peeked = await peekCertificate(address)
  assert.deepEqual(peeked, { certificatePem: server.certificatePem, fingerprint })
})

test('a dead first address does not hinder the second', async () => {
  const { address, fingerprint } = await startFront(() => {})
  const socket = await dialPinned({ addresses: ['127.0.0.1:1', address], fingerprint })
  socket.destroy()
  await assert.rejects(dialPinned({ addresses: ['127.0.0.1:1'], fingerprint }), { code: 'unreachable' })
})

test('TLS 1.2 and unknown protocols do not get in', async () => {
  const refusals: FrontRefusal[] = []
  const accepted: FrontConnection[] = []
  const { address } = await startFront(
    (connection) => accepted.push(connection),
    {},
    (refusal) => refusals.push(refusal),
  )
  const port = Number(address.split(':')[1])
  for (const options of [{ maxVersion: 'TLSv1.2' as const }, { ALPNProtocols: ['h2'] }]) {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
    const [error] = await once(socket, 'error')
    assert.match((error as NodeJS.ErrnoException).code ?? '', /ALERT|ECONNRESET/)
  }
  assert.equal(accepted.length, 0)
  assert.deepEqual(
    refusals.map(({ reason }) => reason),
    ['handshake', 'handshake'],
  )
})

test('connections are bounded per address and in total, also while they only shake hands', async () => {
  const refusals: string[] = []
  const { front, address, fingerprint } = await startFront(
    () => {},
    { connectionsPerAddressMax: 2, handshakeTimeoutMs: 200 },
    ({ reason }) => refusals.push(reason),
  )
  const port = Number(address.split(':')[1])
  const { connect } = await import('node:net')
  const silent = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
  await Promise.all(silent.map((socket) => once(socket, 'connect')))
  await assert.rejects(dialPinned({ addresses: [address], fingerprint }), { code: 'unreachable' })
  assert.deepEqual(refusals, ['too-many-connections'])
  await Promise.all(silent.map((socket) => once(socket.resume(), 'close')))
  const socket = await dialPinned({ addresses: [address], fingerprint })
  assert.equal(front.connections, 1)
  socket.destroy()
})

test('what a certificate has open is cut at once, and nothing else', async () => {
  const { front, address, fingerprint } = await startFront(() => {})
  const ours = await dialPinned({ addresses: [address], fingerprint, ...client })
  const other = await dialPinned({ addresses: [address], fingerprint })
  await waitFor(() => front.connections === 2)
  const closed = once(ours.resume(), 'close')
  await waitFor(() => front.closeByFingerprint(fingerprintOf(client.certificatePem)) === 1)
  await closed
  await waitFor(() => front.connections === 1)
  assert.equal(other.destroyed, false)
  other.destroy()
})

test('a new certificate serves new connections', async () => {
  const { front, address, fingerprint } = await startFront(() => {})
  const before = await dialPinned({ addresses: [address], fingerprint })
  front.setCertificate(client.certificatePem, client.privateKeyPem)
  const after = await dialPinned({ addresses: [address], fingerprint: fingerprintOf(client.certificatePem) })
  await assert.rejects(dialPinned({ addresses: [address], fingerprint }), { code: 'wrong-fingerprint' })
  assert.equal(before.destroyed, false)
  before.destroy()
  after.destroy()
})

/** The far end of a tunnel that gives one answer, then sends every byte back. */
function answering(answer: TunnelAnswer | Buffer | undefined, targets: unknown[] = []) {
  return ({ socket }: FrontConnection) => {
    socket.once('data', (chunk: Buffer) => {
      targets.push(decodeTunnelPreface(chunk.subarray(4)).target)
      if (answer) socket.write(Buffer.isBuffer(answer) ? answer : encodeTunnelFrame(answer))
      socket.on('data', (bytes: Buffer) => socket.write(bytes))
    })
  }
}

function tunnelTo(address: string, timeoutMs = 5000) {
  return createDialler(
    {
      reach: 'peer',
      clientId: 'x',
      addresses: [address],
      fingerprint: fingerprintOf(server.certificatePem),
      ...client,
    },
    { timeoutMs },
  )
}

test('a tunnel carries frames after its answer, with and without onread', async () => {
  const targets: unknown[] = []
  const { address } = await startFront(answering({ version: 1, ok: true }, targets))
  await using dialler = tunnelTo(address)
  const pool = new SlabPool({ slabBytes: 64 * 1024, slabsMax: 2 })
  const frame = Buffer.alloc(50_004, 7)
  frame.writeInt32BE(50_000)
  const received = Promise.withResolvers<number>()
  const reader = new FrameReader({
    pool,
    frameBytesMax: 1 << 20,
    onFrame: ({ bytes, release }) => {
      received.resolve(bytes.length)
      release()
    },
    onError: received.reject,
  })
  const direct = await dialler.dial({ kind: 'node', nodeId: 4 }, { onread: reader.onread })
  reader.attach(direct)
  direct.write(frame)
  assert.equal(await received.promise, 50_000)
  direct.destroy()
  reader.close()
  assert.equal(pool.used, 0)

  const stream = await dialler.dial({ kind: 'bootstrap' })
  const bytes: Promise<Buffer> = readCount(stream, 5)
  stream.write('hello')
  assert.equal((await bytes).toString(), 'hello')
  stream.destroy()
  assert.deepEqual(targets, [{ kind: 'node', nodeId: 4 }, { kind: 'bootstrap' }])
})

test('a tunnel that is refused, garbled, talkative or silent is an error with its cause', async () => {
  const refusal: TunnelAnswer = { version: 1, ok: false, code: 'not-permitted', message: 'no link' }
  const early = Buffer.alloc(200)
  encodeTunnelFrame({ version: 1, ok: true }).copy(early)
  const cases: [TunnelAnswer | Buffer | undefined, string][] = [
    [refusal, 'not-permitted'],
    [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'malformed'],
    [early, 'malformed'],
    [undefined, 'timeout'],
  ]
  for (const [answer, code] of cases) {
    const { address } = await startFront(answering(answer))
    await using dialler = tunnelTo(address, code === 'timeout' ? 300 : 5000)
    await assert.rejects(dialler.dial({ kind: 'bootstrap' }), { code })
  }
  const { address } = await startFront(({ socket }) => socket.end())
  await using dialler = tunnelTo(address)
  await assert.rejects(dialler.dial({ kind: 'bootstrap' }), { code: 'closed' })
})

async function readCount(socket: Socket, count: number): Promise<Buffer> {
  let text = Buffer.alloc(0)
  for await (const chunk of socket) {
    text = Buffer.concat([text, chunk])
    if (text.length >= count) break
  }
  return text
}

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}
