import assert from 'node:assert/strict'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { waitFor } from './process.ts'
import { startProxy, type TestProxy } from './proxy.ts'

/** A server that keeps what it gets and answers every chunk with the same bytes, and a proxy before it. */
interface Bench extends AsyncDisposable {
  proxy: TestProxy
  sockets: Socket[]
  received(): string
  open(): Client
}

interface Client {
  socket: Socket
  answers(): string
  closed(): boolean
}

async function openBench(): Promise<Bench> {
  const sockets: Socket[] = []
  let received = ''
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('data', (bytes) => {
      received += bytes
      socket.write(bytes)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy = await startProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  const clients: Socket[] = []
  return {
    proxy,
    sockets,
    received: () => received,
    open: () => {
      const client = openClient(proxy.port)
      clients.push(client.socket)
      return client
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of [...clients, ...sockets]) socket.destroy()
      await proxy.close()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function openClient(port: number): Client {
  const socket = connect({ host: '127.0.0.1', port })
  let answers = ''
  let closed = false
  socket.on('data', (bytes) => {
    answers += bytes
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  return { socket, answers: () => answers, closed: () => closed }
}

test('what is held is counted, and passed on in order', async () => {
  await using bench = await openBench()
  const client = bench.open()
  client.socket.write('one,')
  await waitFor(() => client.answers() === 'one,')
  bench.proxy.hold()
  client.socket.write('two,')
  await waitFor(() => bench.proxy.heldBytes === 4)
  client.socket.write('three,')
  await waitFor(() => bench.proxy.heldBytes === 10)
  assert.equal(bench.received(), 'one,')
  bench.proxy.release()
  await waitFor(() => client.answers() === 'one,two,three,')
  assert.equal(bench.proxy.heldBytes, 0)
})

test('what a client sent before its end arrives after it, by a reset too', async () => {
  await using bench = await openBench()
  for (const end of ['destroy', 'resetAndDestroy'] as const) {
    bench.proxy.hold()
    const client = bench.open()
    client.socket.write(`${end};`)
    await waitFor(() => bench.proxy.heldBytes > 0)
    client.socket[end]()
    await waitFor(client.closed)
    bench.proxy.release()
    await waitFor(() => bench.received().endsWith(`${end};`))
    await waitFor(() => bench.proxy.connections === 0)
  }
  assert.equal(bench.received(), 'destroy;resetAndDestroy;')
  assert.equal(bench.proxy.accepted, 2)
})

test('everything is taken while it is held, also after a server that was too slow', async () => {
  await using bench = await openBench()
  const client = bench.open()
  await waitFor(() => bench.sockets.length === 1)
  bench.sockets[0]?.pause()
  client.socket.write('abcdefghij'.repeat(3_000_000))
  await waitFor(() => bench.proxy.heldBytes > 0)
  bench.proxy.hold()
  const sent = () => client.socket.writableLength === 0
  await waitFor(sent, { what: 'a client that got rid of everything' })
  bench.sockets[0]?.resume()
  bench.proxy.release()
  await waitFor(() => client.answers().length === 30_000_000)
})

test('old connections can be held while new ones pass', async () => {
  await using bench = await openBench()
  const old = bench.open()
  old.socket.write('old')
  await waitFor(() => old.answers() === 'old')
  bench.proxy.hold()
  bench.proxy.spareNew()
  old.socket.write(' held')
  await waitFor(() => bench.proxy.heldBytes === 5)
  const next = bench.open()
  next.socket.write('new')
  await waitFor(() => next.answers() === 'new')
  assert.equal(old.answers(), 'old')
  bench.proxy.release()
  await waitFor(() => old.answers() === 'old held')
})

test('answers can be held and lost while requests pass', async () => {
  await using bench = await openBench()
  const client = bench.open()
  bench.proxy.hold('answers')
  client.socket.write('request')
  await waitFor(() => bench.proxy.heldIn('answers') === 7)
  assert.equal(bench.received(), 'request')
  bench.proxy.kill()
  await waitFor(client.closed)
  assert.equal(client.answers(), '')
})

test('a delay counts for each chunk', async () => {
  await using bench = await openBench()
  const client = bench.open()
  bench.proxy.delay(150)
  const startMs = performance.now()
  client.socket.write('late')
  await waitFor(() => client.answers() === 'late')
  assert.ok(performance.now() - startMs >= 145)
})

test('the end of the server reaches the client after its answers', async () => {
  await using bench = await openBench()
  const client = bench.open()
  client.socket.write('last')
  await waitFor(() => bench.sockets.length === 1 && client.answers() === 'last')
  bench.proxy.closeUpstream()
  await waitFor(client.closed)
})

test('a refusing proxy, and one without a server behind it, close the connection', async () => {
  await using bench = await openBench()
  bench.proxy.refusing = true
  const refused = bench.open()
  await waitFor(refused.closed)
  assert.equal(bench.proxy.accepted, 0)
  bench.proxy.refusing = false
  bench.proxy.target = { host: '127.0.0.1', port: 1 }
  const lost = bench.open()
  await waitFor(lost.closed)
})

test('much data passes whole, whoever is slow', async () => {
  await using bench = await openBench()
  const client = bench.open()
  const text = 'abcdefghij'.repeat(1_000_000)
  client.socket.write(text)
  await waitFor(() => client.answers().length === text.length)
  assert.equal(client.answers(), text)
})
