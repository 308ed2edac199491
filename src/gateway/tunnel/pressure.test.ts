import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../../test/support/process.ts'
import { revealingKafka } from '../../../test/support/revealing-kafka.ts'
import { TunnelWorld } from '../../../test/support/tunnel-world.ts'
import { systemClock } from '../../base/clock.ts'
import { fetch } from '../../wire/api/01-fetch.ts'
import { metadata } from '../../wire/api/03-metadata.ts'
import { decodeResponse } from '../../wire/frame.ts'
import { ByteBudget, takeBytes } from './byte-budget.ts'
import { TokenBucket } from './token-bucket.ts'

const mebibyte = 1024 * 1024
const topics = [{ topic: 'orders', partitions: [{ partition: 0, partitionMaxBytes: mebibyte }] }]

/** Each fetch is answered with a mebibyte that says which it was. */
function fetchesOf(world: TunnelWorld): { asked: () => number } {
  let asked = 0
  world.kafka.on(fetch, ({ answer }) => {
    const records = Buffer.alloc(mebibyte, asked & 0xff)
    asked += 1
    answer({ responses: [{ topic: 'orders', partitions: [{ records }] }] })
  })
  return { asked: () => asked }
}

test('a link that does not read is not read ahead for, and misses nothing when it goes on', async () => {
  const limits = { bytesInFlightPerConnectionMax: 4 * mebibyte, requestsPendingMax: 64 }
  await using world = await TunnelWorld.start(revealingKafka(), limits)
  const fetches = fetchesOf(world)
  using client = await world.dial()
  client.socket.pause()
  const wanted = 60
  for (let id = 0; id < wanted; id += 1) client.send(fetch, 12, { maxBytes: mebibyte, topics }, id)
  await waitFor(() => fetches.asked() >= 4)
  // The kernel's buffers of both ends take some; what stands still for a while has come to its end.
  let before = -1
  await waitFor(
    () => {
      const still = before === fetches.asked()
      before = fetches.asked()
      return still
    },
    { intervalMs: 300 },
  )
  assert.ok(fetches.asked() < 40, `${fetches.asked()} mebibytes were fetched for a link that takes none`)
  client.socket.resume()
  for (let id = 0; id < wanted; id += 1) {
    const frame = (await client.next()) as Buffer
    assert.equal(frame.readInt32BE(0), id)
    const records = decodeResponse(fetch, 12, frame).responses[0]?.partitions[0]?.records
    assert.deepEqual([records?.length, records?.[0], records?.at(-1)], [mebibyte, id, id])
  }
})

test('answers that need no source count too: asking without reading does not fill the memory', async () => {
  await using world = await TunnelWorld.start(revealingKafka(), { bytesInFlightPerConnectionMax: 256 * 1024 })
  using client = await world.dial()
  client.socket.pause()
  const hidden = Array.from({ length: 2000 }, (_, partition) => ({ partition }))
  const request = { topics: [{ topic: 'secret', partitions: hidden }] }
  for (let id = 0; id < 200; id += 1) client.send(fetch, 12, request, id)
  let before = -1
  await waitFor(
    () => {
      const still = before === world.server.stats.tunnelRequests
      before = world.server.stats.tunnelRequests
      return still && before > 0
    },
    { intervalMs: 300 },
  )
  assert.ok(before < 190, `${before} answers were made for a link that takes none`)
  client.socket.resume()
  for (let id = 0; id < 200; id += 1) assert.equal((await client.next())?.readInt32BE(0), id)
})

test('a stalled tunnel does not hold up another one of the same link', async () => {
  await using world = await TunnelWorld.start(revealingKafka(), { bytesInFlightPerConnectionMax: 4 * mebibyte })
  fetchesOf(world)
  using stalled = await world.dial()
  stalled.socket.pause()
  for (let id = 0; id < 32; id += 1) stalled.send(fetch, 12, { maxBytes: mebibyte, topics }, id)
  using other = await world.dial()
  for (let round = 0; round < 20; round += 1) {
    const frame = await other.ask(fetch, 12, { maxBytes: mebibyte, topics })
    assert.ok(frame.length > mebibyte)
  }
  assert.ok(await other.ask(metadata, 12, { topics: null }))
})

test('an answer larger than every slab and budget passes', async () => {
  const limits = { bytesInFlightPerConnectionMax: mebibyte, bytesInFlightMax: 2 * mebibyte }
  await using world = await TunnelWorld.start(revealingKafka(), limits)
  world.kafka.on(fetch, ({ answer }) => {
    answer({ responses: [{ topic: 'orders', partitions: [{ records: Buffer.alloc(20 * mebibyte, 5) }] }] })
  })
  using client = await world.dial()
  for (let round = 0; round < 3; round += 1) {
    const frame = await client.ask(fetch, 12, { maxBytes: 2 ** 30, topics })
    const records = decodeResponse(fetch, 12, frame).responses[0]?.partitions[0]?.records
    assert.deepEqual([records?.length, records?.at(-1)], [20 * mebibyte, 5])
  }
})

test('a tunnel that ends in the middle gives back what it took', async () => {
  const limits = { bytesInFlightMax: 4 * mebibyte, bytesInFlightPerConnectionMax: 4 * mebibyte }
  await using world = await TunnelWorld.start(revealingKafka(), limits)
  fetchesOf(world)
  for (let round = 0; round < 5; round += 1) {
    const client = await world.dial()
    client.socket.pause()
    for (let id = 0; id < 20; id += 1) client.send(fetch, 12, { maxBytes: mebibyte, topics }, id)
    await waitFor(() => world.kafka.seen(fetch).length > 0)
    client[Symbol.dispose]()
    await waitFor(() => world.server.stats.tunnels === 0)
  }
  using client = await world.dial()
  assert.ok(await client.ask(fetch, 12, { maxBytes: mebibyte, topics }))
})

test('a budget serves in the order of asking, and one that wants too much when it is empty', async () => {
  const budget = new ByteBudget(10)
  const order: string[] = []
  const first = await takeBytes([budget], 8)
  const big = takeBytes([budget], 50).then((taken) => {
    order.push('big')
    return taken
  })
  const small = takeBytes([budget], 1).then((taken) => {
    order.push('small')
    return taken
  })
  await Promise.resolve()
  assert.deepEqual(order, [])
  first.become(3)
  first.giveBack()
  first.giveBack()
  const bigTaken = await big
  assert.equal(budget.used, 50)
  bigTaken.giveBack()
  const smallTaken = await small
  smallTaken.giveBack()
  assert.deepEqual(order, ['big', 'small'])
  assert.equal(budget.used, 0)
})

test('a bucket gives its burst at once and then so many a second', () => {
  let nowMs = 0
  const clock = { ...systemClock, monotonicMs: () => nowMs }
  const bucket = new TokenBucket({ perSecond: 10, burst: 2, clock })
  assert.deepEqual([bucket.tryTake(), bucket.tryTake(), bucket.tryTake()], [true, true, false])
  nowMs = 100
  assert.equal(bucket.tryTake(), true)
  assert.deepEqual([bucket.takeLater(), bucket.takeLater()], [100, 200])
  nowMs = 100_000
  assert.equal(bucket.takeLater(), 0)
})
