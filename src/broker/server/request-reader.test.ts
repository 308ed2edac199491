import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Frame } from '../../transport/frame-reader.ts'
import { ByteAccount } from './byte-account.ts'
import { createBulkPool, RequestReader } from './request-reader.ts'

function framesOf(sizes: readonly number[]): Buffer[] {
  return sizes.map((size, index) => {
    const frame = Buffer.alloc(4 + size, (index * 37 + 1) & 0xff)
    frame.writeInt32BE(size)
    return frame
  })
}

const runs = fc.record({
  sizes: fc.array(
    fc.oneof(fc.nat(60), fc.nat(20_000), { weight: 1, arbitrary: fc.integer({ min: 100_000, max: 3_000_000 }) }),
    { minLength: 1, maxLength: 25 },
  ),
  reads: fc.array(fc.integer({ min: 1, max: 65_536 }), { minLength: 1, maxLength: 20 }),
  heldMax: fc.nat(8),
  rests: fc.boolean(),
})

/** Of the microtasks in which a reader takes up again what it had to leave. */
const turnsMax = 1000

test('whatever reads, sizes and releases: requests come whole and in order, and all memory comes back', async () => {
  const bulkPool = createBulkPool()
  const property = fc.asyncProperty(runs, async ({ sizes, reads, heldMax, rests }) => {
    const account = new ByteAccount(1e9)
    const expected = framesOf(sizes)
    const held: { frame: Frame; index: number }[] = []
    let count = 0
    let ready = true
    const reader = new RequestReader({
      ...{ frameBytesMax: 4_000_000, bulkPool, account },
      onFrame: (frame) => {
        held.push({ frame, index: count })
        count += 1
      },
      onError: (error) => assert.fail(error),
      onReady: () => {
        ready = true
      },
    })
    const release = () => {
      const { frame, index } = held.shift()!
      // It has to be what came, however long it was held.
      assert.ok(frame.bytes.equals(expected[index]!.subarray(4)), `request ${index}`)
      frame.release()
    }
    // What was released may let more requests through than were held.
    const untilReady = async () => {
      for (let turn = 0; !ready && turn < turnsMax; turn += 1) {
        if (held.length > 0) release()
        await Promise.resolve()
      }
      assert.ok(ready, 'the reader goes on')
    }
    const bytes = Buffer.concat(expected)
    for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
      const chunk = Buffer.from(bytes.subarray(at, at + reads[turn % reads.length]! * 10))
      ready = reader.push(chunk)
      at += chunk.length
      while (held.length > heldMax) release()
      await untilReady()
      if (rests) reader.rest()
    }
    while (held.length > 0) release()
    assert.equal(count, sizes.length)
    assert.equal(reader.partialBytes, 0)
    reader.close()
    assert.equal(account.used, 0)
    assert.equal(bulkPool.used, 0)
  })
  const foundOnce = { sizes: [9856, 6521, 100_000, 0, 16_377, 100_000], reads: [13_278], heldMax: 0, rests: false }
  await fc.assert(property, { numRuns: Number(process.env.LINKSPAN_PROPERTY_RUNS || 40), examples: [[foundOnce]] })
})

test('half a request is given back when its connection is gone', () => {
  const account = new ByteAccount(1e9)
  const never = () => assert.fail('there is no whole request')
  const options = { frameBytesMax: 1000, bulkPool: createBulkPool(), account, onReady: never }
  const reader = new RequestReader({ ...options, onFrame: never, onError: never })
  reader.push(Buffer.from('000000ff00', 'hex'))
  assert.deepEqual([reader.partialBytes, account.used], [5, 5])
  reader.rest()
  assert.equal(reader.partialBytes, 5)
  reader.close()
  assert.equal(account.used, 0)
  assert.equal(reader.push(Buffer.alloc(10)), false)
  assert.equal(account.used, 0)
})
