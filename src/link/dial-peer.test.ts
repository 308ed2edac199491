import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { createCertificate, fingerprintOf } from '../identity/certificate.ts'
import { formatAddress } from '../transport/address.ts'
import { TlsFront } from '../transport/listener.ts'
import { dialPeer } from './dial-peer.ts'

const newPair = () => createCertificate({ commonName: 'x', hostNames: [], addresses: [], clock: systemClock })
const patience = () => AbortSignal.timeout(20_000)

/** A server with this certificate; it counts who comes. */
async function serve(t: TestContext, pair: Awaited<ReturnType<typeof newPair>>) {
  let connections = 0
  const front = new TlsFront({
    listen: { host: '127.0.0.1', port: 0 },
    ...pair,
    onConnection: ({ socket }) => {
      connections += 1
      socket.on('error', () => {}).resume()
    },
  })
  const address = formatAddress(await front.listen())
  t.after(() => front.close())
  return { address, connections: () => connections }
}

/** Takes connections and never says a word. */
async function swallow(t: TestContext): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => {}).unref())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('the first address that presents the certificate is taken, however many before it are dead', async (t) => {
  const [pair, stranger] = await Promise.all([newPair(), newPair()])
  const [right, also, wrong] = await Promise.all([serve(t, pair), serve(t, pair), serve(t, stranger)])
  const silent = await swallow(t)
  const fingerprint = fingerprintOf(pair.certificatePem)
  const addresses = ['127.0.0.1:1', silent, wrong.address, silent, right.address, also.address]
  const startedMs = performance.now()
  const { socket, address } = await dialPeer({ addresses, fingerprint, signal: patience() })
  const tookMs = performance.now() - startedMs
  assert.equal(address, right.address)
  assert.ok(tookMs < 3000, `it took ${tookMs} ms`)
  assert.ok(!socket.destroyed)
  socket.destroy()
  assert.equal(also.connections(), 0, 'nobody else is bothered')
})

test('when none is right, a wrong certificate is told rather than silence', async (t) => {
  const [pair, stranger] = await Promise.all([newPair(), newPair()])
  const wrong = await serve(t, stranger)
  const fingerprint = fingerprintOf(pair.certificatePem)
  const dial = (...addresses: string[]) => dialPeer({ addresses, fingerprint, signal: patience() })
  await assert.rejects(dial('127.0.0.1:1', wrong.address), { code: 'wrong-fingerprint' })
  await assert.rejects(dial('127.0.0.1:1', '127.0.0.1:2'), { code: 'unreachable', message: /127.0.0.1:1/ })
  await assert.rejects(dial(), { code: 'unreachable', message: /no address/ })
})

test('whoever has lost patience is told why at once', async (t) => {
  const silent = await swallow(t)
  const reason = new Error('enough')
  const control = new AbortController()
  const dialled = dialPeer({ addresses: [silent, silent], fingerprint: 'ab'.repeat(32), signal: control.signal })
  setImmediate(() => control.abort(reason))
  await assert.rejects(dialled, reason)
})
