import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import fc from 'fast-check'
import { systemClock } from '../base/clock.ts'
import { createCertificate } from '../identity/certificate.ts'
import { type Frame, FrameReader } from './frame-reader.ts'
import { SlabPool } from './slabs.ts'

function framesOf(sizes: number[]): Buffer[] {
  return sizes.map((size, index) => {
    const frame = Buffer.alloc(4 + size)
    frame.writeInt32BE(size)
    for (let at = 0; at < size; at += 1) frame[4 + at] = (index * 31 + at) & 0xff
    return frame
  })
}

/** Feeds `bytes` through `onread` as a socket does: it asks for the next buffer after every callback, paused or not. */
class FakeSocket {
  readonly #reader: FrameReader
  readonly #bytes: Buffer
  #at = 0
  #target: Buffer
  running = true

  constructor(reader: FrameReader, bytes: Buffer) {
    this.#reader = reader
    this.#bytes = bytes
    this.#target = this.#ask()
    reader.attach({ resume: () => (this.running = true) } as unknown as Socket)
  }

  get done(): boolean {
    return this.#at === this.#bytes.length
  }

  #ask(): Buffer {
    const { buffer } = this.#reader.onread
    const target = (buffer as () => Buffer)()
    assert.ok(target.length > 0, 'a buffer without room stops a socket for good')
    return target
  }

  /** One read; TLS goes on after a pause with what it has decrypted, so `evenPaused`. */
  read(count: number, evenPaused: boolean): void {
    if (this.done || (!this.running && !evenPaused)) return
    const size = Math.min(count, this.#target.length, this.#bytes.length - this.#at)
    this.#bytes.copy(this.#target, 0, this.#at, this.#at + size)
    this.#at += size
    if (this.#reader.onread.callback(size, this.#target) === false) this.running = false
    this.#target = this.#ask()
  }
}

const runs = fc.record({
  sizes: fc.array(fc.oneof(fc.nat(40), fc.nat(400), fc.nat(3000)), { minLength: 1, maxLength: 40 }),
  reads: fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 50 }),
  slabBytes: fc.integer({ min: 8, max: 600 }),
  slabsMax: fc.integer({ min: 1, max: 4 }),
  heldMax: fc.nat(6),
  tls: fc.boolean(),
})

test('whatever the reads, slabs and releases: all frames come in order, and every slab comes back', async () => {
  await fc.assert(
    fc.asyncProperty(runs, async ({ sizes, reads, slabBytes, slabsMax, heldMax, tls }) => {
      const expected = framesOf(sizes)
      const pool = new SlabPool({ slabBytes, slabsMax })
      const held: Frame[] = []
      let received = 0
      const check = (frame: Frame, index: number) => assert.deepEqual(frame.bytes, expected[index]?.subarray(4))
      const reader = new FrameReader({
        pool,
        frameBytesMax: 4000,
        onFrame: (frame) => {
          check(frame, received)
          received += 1
          held.push(frame)
        },
        onError: assert.fail,
      })
      const socket = new FakeSocket(reader, Buffer.concat(expected))
      for (let turn = 0; !socket.done || received < sizes.length; turn += 1) {
        assert.ok(turn < 20_000, 'the reader is stuck')
        socket.read(reads[turn % reads.length]!, tls && turn % 3 > 0 && pool.used === slabsMax)
        if (held.length > heldMax || !socket.running) {
          const first = received - held.length
          for (const [index, frame] of held.entries()) check(frame, first + index)
          held.shift()?.release()
        }
        if (!socket.running) await Promise.resolve()
      }
      for (const frame of held) frame.release()
      reader.close()
      assert.equal(pool.used, 0)
    }),
    { numRuns: 400 },
  )
})

test('chunks of an accepted socket are cut the same way, and kept while there is no slab', async () => {
  await fc.assert(
    fc.asyncProperty(runs, async ({ sizes, reads, slabBytes, slabsMax, heldMax }) => {
      const expected = framesOf(sizes)
      const pool = new SlabPool({ slabBytes, slabsMax })
      const held: Frame[] = []
      const received: Buffer[] = []
      const reader = new FrameReader({
        pool,
        frameBytesMax: 4000,
        onFrame: (frame) => {
          received.push(Buffer.from(frame.bytes))
          held.push(frame)
        },
        onError: assert.fail,
      })
      let running = true
      reader.attach({ resume: () => (running = true) } as unknown as Socket)
      const bytes = Buffer.concat(expected)
      for (let at = 0, turn = 0; at < bytes.length || received.length < sizes.length; turn += 1) {
        assert.ok(turn < 20_000, 'the reader is stuck')
        if (running && at < bytes.length) {
          const count = reads[turn % reads.length]!
          running = reader.push(bytes.subarray(at, at + count))
          at += count
        }
        if (held.length > heldMax || !running) held.shift()?.release()
        if (!running) await Promise.resolve()
      }
      assert.deepEqual(
        received,
        expected.map((frame) => frame.subarray(4)),
      )
      for (const frame of held) frame.release()
      reader.close()
      assert.equal(pool.used, 0)
    }),
    { numRuns: 200 },
  )
})

test('a claimed size beyond the limit, or below zero, ends the reading with its cause', () => {
  for (const size of [1001, -1, 0x7fffffff]) {
    const pool = new SlabPool({ slabBytes: 100, slabsMax: 1 })
    const errors: string[] = []
    const reader = new FrameReader({
      pool,
      frameBytesMax: 1000,
      onFrame: () => assert.fail('no frame'),
      onError: (error) => errors.push(error.code),
    })
    const claim = Buffer.alloc(4)
    claim.writeInt32BE(size)
    assert.equal(reader.push(claim), false)
    assert.equal(reader.push(claim), false)
    assert.deepEqual(errors, ['malformed'])
    assert.equal(pool.used, 0)
  }
})

test('a claimed size alone allocates little', () => {
  const pool = new SlabPool({ slabBytes: 100, slabsMax: 1 })
  const reader = new FrameReader({ pool, frameBytesMax: 2 ** 27, onFrame: () => {}, onError: assert.fail })
  const claim = Buffer.alloc(8)
  claim.writeInt32BE(2 ** 27)
  reader.push(claim)
  const next = (reader.onread.buffer as () => Buffer)()
  assert.ok(next.buffer.byteLength <= 4 * 1024 * 1024)
  reader.close()
})

test('a reader that left while it waited does not keep a slab from the next one', async () => {
  const pool = new SlabPool({ slabBytes: 64, slabsMax: 1 })
  const taken = pool.take()
  const make = (onFrame: (frame: Frame) => void) => {
    const reader = new FrameReader({ pool, frameBytesMax: 50, onFrame, onError: assert.fail })
    reader.push(framesOf([8])[0]!)
    return reader
  }
  const first = make(() => assert.fail('closed before'))
  let received = 0
  const second = make((frame) => {
    received += 1
    frame.release()
  })
  first.close()
  taken?.release()
  await Promise.resolve()
  assert.equal(received, 1)
  second.close()
})

for (const kind of ['plain', 'TLS'] as const) {
  test(`over a ${kind} socket a slow owner slows the peer and loses nothing`, { timeout: 60_000 }, async () => {
    const pair = await createCertificate({ commonName: 'x', hostNames: [], addresses: [], clock: systemClock })
    const sizes = Array.from({ length: 300 }, (_, index) => (index % 17 === 0 ? 300_000 : (index * 7919) % 60_000))
    const bytes = Buffer.concat(framesOf(sizes))
    const serve = (socket: Socket) => socket.on('error', () => {}).write(bytes)
    const server =
      kind === 'plain'
        ? createServer(serve)
        : createTlsServer({ cert: pair.certificatePem, key: pair.privateKeyPem }, serve)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }

    const pool = new SlabPool({ slabBytes: 100_000, slabsMax: 2 })
    const held: Frame[] = []
    let received = 0
    const reader = new FrameReader({
      pool,
      frameBytesMax: 1 << 20,
      onFrame: (frame) => {
        assert.equal(frame.bytes.length, sizes[received])
        const last = frame.bytes.length - 1
        if (last >= 0) assert.equal(frame.bytes[last], (received * 31 + last) & 0xff)
        received += 1
        held.push(frame)
      },
      onError: assert.fail,
    })
    const options = { port, host: '127.0.0.1', onread: reader.onread, rejectUnauthorized: false }
    const socket = kind === 'plain' ? connect(options) : connectTls(options)
    reader.attach(socket)
    while (received < sizes.length || held.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      while (held.length > 0) held.shift()?.release()
    }
    socket.destroy()
    reader.close()
    server.close()
    assert.equal(pool.used, 0)
  })
}
