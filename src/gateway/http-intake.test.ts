import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Caller, encodePreface, prefaceBytesMax } from '../transport/caller.ts'
import { createIntake, type HttpIntake } from './http-intake.ts'

let folder: string
let path: string
let intake: HttpIntake
let taken: { socket: Socket; caller: Caller }[] = []

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linkspan-'))
  path = join(folder, 'inner', 'http.socket')
  intake = await open()
})

after(async () => {
  await intake[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

function open(): Promise<HttpIntake> {
  return createIntake({ path, prefaceTimeoutMs: 300, onConnection: (socket, caller) => taken.push({ socket, caller }) })
}

async function dial(): Promise<Socket> {
  const socket = connect({ path })
  await once(socket, 'connect')
  return socket
}

test('the caller is read off the start, in whatever pieces it comes, and the rest is untouched', async () => {
  const caller: Caller = { transport: 'tls', address: '192.0.2.1:5', fingerprint: 'ab', certificate: 'größe\n' }
  const bytes = Buffer.from(`${encodePreface(caller)}GET / HTTP/1.1\r\n`)
  for (const pieceBytes of [1000, 7, 1]) {
    taken = []
    const socket = await dial()
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      socket.write(bytes.subarray(at, at + pieceBytes))
      await new Promise((resolve) => setImmediate(resolve))
    }
    socket.end('host: x\r\n\r\n')
    while (taken.length === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(taken[0]?.caller, caller)
    let rest = ''
    for await (const chunk of taken[0]!.socket) rest += chunk
    assert.equal(rest, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  }
})

test('no preface, a wrong one, an endless one: the connection is closed and nobody hears of it', async () => {
  taken = []
  const endless = Buffer.alloc(prefaceBytesMax + 1, 65)
  for (const words of ['', 'GET / HTTP/1.1\r\n', '{"transport":"carrier pigeon","address":"x"}\n', '{}\n', endless]) {
    const socket = await dial()
    socket.on('error', () => {}).write(words)
    await once(socket.resume(), 'close')
  }
  assert.deepEqual(taken, [])
})

test('what a killed daemon left is replaced; a path that the system would cut off is refused', async () => {
  await intake[Symbol.asyncDispose]()
  await writeFile(path, 'left over')
  intake = await open()
  const socket = await dial()
  socket.destroy()
  const long = createIntake({ path: join(folder, 'x'.repeat(107)), onConnection: () => {} })
  await assert.rejects(long, { code: 'invalid-config' })
})
