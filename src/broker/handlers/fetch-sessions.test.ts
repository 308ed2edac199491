import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../base/clock.ts'
import { Reader } from '../../bytes/reader.ts'
import { Writer } from '../../bytes/writer.ts'
import { fetch } from '../../wire/api/01-fetch.ts'
import { decodeRequestBody, encodeRequestBody } from '../../wire/codec.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { RequestInput } from '../../wire/schema.ts'
import { FetchSessions } from './fetch-sessions.ts'
import { ask, batchOf, identity, makeTopic, openTestNode, type TestNode } from './test-node.ts'

type FetchRequest = RequestInput<typeof fetch>

const from = (fetchOffset: number, partition: number) => ({ partition, fetchOffset, partitionMaxBytes: 1_000_000 })

async function read(test: TestNode, request: FetchRequest, options = {}) {
  const body = { maxWaitMs: 0, minBytes: 1, maxBytes: 10_000_000, ...request }
  const answer = await ask(test, fetch, body, { version: 12, ...options })
  const told = answer.responses.flatMap(({ topic, partitions }) => {
    return partitions.map((one) => `${topic}-${one.partitionIndex} ${one.errorCode || one.highWatermark}`)
  })
  return { code: answer.errorCode, id: answer.sessionId, told }
}

async function begin(test: TestNode) {
  const topics = [{ topic: 'orders', partitions: [from(0, 0), from(0, 1), from(0, 2)] }]
  return await read(test, { sessionId: 0, sessionEpoch: 0, topics })
}

async function ordersOf(partitions: number): Promise<TestNode> {
  const test = await openTestNode()
  await makeTopic(test, 'orders', { partitions })
  return test
}

test('a session remembers its partitions, and tells only what is new', async () => {
  const test = await ordersOf(4)
  const begun = await begin(test)
  assert.ok(begun.id > 0)
  assert.deepEqual(begun.told, ['orders-0 0', 'orders-1 0', 'orders-2 0'])
  assert.deepEqual(await read(test, { sessionId: begun.id, sessionEpoch: 1 }), { code: 0, id: begun.id, told: [] })
  await test.log('orders', 1).append(batchOf(2))
  const second = await read(test, { sessionId: begun.id, sessionEpoch: 2 })
  assert.deepEqual(second.told, ['orders-1 2'])
  const moved = [{ topic: 'orders', partitions: [from(2, 1), from(0, 3)] }]
  const forgotten = [{ topic: 'orders', partitions: [0] }]
  const third = await read(test, {
    sessionId: begun.id,
    sessionEpoch: 3,
    topics: moved,
    forgottenTopicsData: forgotten,
  })
  assert.deepEqual(third.told, ['orders-3 0'])
  await test.log('orders', 0).append(batchOf(1))
  await test.log('orders', 2).deleteRecords(0)
  assert.deepEqual((await read(test, { sessionId: begun.id, sessionEpoch: 4 })).told, [])
})

test('what gave records is read last the next time, and errors are told again and again', async () => {
  const test = await ordersOf(3)
  const { id } = await begin(test)
  for (const partition of [0, 2]) await test.log('orders', partition).append(batchOf(1))
  assert.deepEqual((await read(test, { sessionId: id, sessionEpoch: 1 })).told, ['orders-0 1', 'orders-2 1'])
  await test.log('orders', 1).append(batchOf(1))
  const next = await read(test, { sessionId: id, sessionEpoch: 2 })
  assert.deepEqual(next.told, ['orders-1 1', 'orders-0 1', 'orders-2 1'])
  await test.log('orders', 1).deleteRecords(1)
  const topics = [{ topic: 'orders', partitions: [from(0, 1), from(1, 0), from(1, 2)] }]
  assert.deepEqual((await read(test, { sessionId: id, sessionEpoch: 3, topics })).told, ['orders-1 1'])
  assert.deepEqual((await read(test, { sessionId: id, sessionEpoch: 4 })).told, ['orders-1 1'])
  const mended = [{ topic: 'orders', partitions: [from(1, 1)] }]
  assert.deepEqual((await read(test, { sessionId: id, sessionEpoch: 5, topics: mended })).told, ['orders-1 1'])
  assert.deepEqual((await read(test, { sessionId: id, sessionEpoch: 6 })).told, [])
})

test('sessions that are not there, or at another step, are told so', async () => {
  const test = await ordersOf(3)
  const { id } = await begin(test)
  const codeOf = async (request: FetchRequest, options = {}) => (await read(test, request, options)).code
  assert.equal(await codeOf({ sessionId: id + 1, sessionEpoch: 1 }), kafkaErrors.FETCH_SESSION_ID_NOT_FOUND)
  assert.equal(await codeOf({ sessionId: id, sessionEpoch: 2 }), kafkaErrors.INVALID_FETCH_SESSION_EPOCH)
  const byId = { version: 13 }
  assert.equal(await codeOf({ sessionId: id, sessionEpoch: 1 }, byId), kafkaErrors.FETCH_SESSION_TOPIC_ID_ERROR)
  const another = { session: identity('can_read orders') }
  assert.equal(await codeOf({ sessionId: id, sessionEpoch: 1 }, another), kafkaErrors.FETCH_SESSION_ID_NOT_FOUND)
  assert.equal(await codeOf({ sessionId: id, sessionEpoch: -1 }), 0)
  assert.equal(await codeOf({ sessionId: id, sessionEpoch: 1 }), kafkaErrors.FETCH_SESSION_ID_NOT_FOUND)
})

test('a session without partitions ends', async () => {
  const test = await ordersOf(3)
  const { id } = await begin(test)
  const forgottenTopicsData = [{ topic: 'orders', partitions: [0, 1, 2] }]
  const emptied = await read(test, { sessionId: id, sessionEpoch: 1, forgottenTopicsData })
  assert.deepEqual(emptied, { code: 0, id: 0, told: [] })
  const again = await read(test, { sessionId: id, sessionEpoch: 2 })
  assert.equal(again.code, kafkaErrors.FETCH_SESSION_ID_NOT_FOUND)
})

test('a request that did not wait for the one before spoils that one', async () => {
  const test = await ordersOf(3)
  const { id } = await begin(test)
  const first = read(test, { sessionId: id, sessionEpoch: 1, maxWaitMs: 20 })
  const second = await read(test, { sessionId: id, sessionEpoch: 2 })
  assert.equal(second.code, 0)
  assert.deepEqual(await first, { code: kafkaErrors.INVALID_FETCH_SESSION_EPOCH, id, told: [] })
})

function requestOf(partitions: number, more: FetchRequest = {}) {
  const listed = Array.from({ length: partitions }, (_, partition) => from(0, partition))
  const writer = new Writer()
  encodeRequestBody(fetch, 12, { topics: [{ topic: 'orders', partitions: listed }], ...more }, writer)
  return decodeRequestBody(fetch, 12, new Reader(writer.toBuffer()))
}

test('there is a limit to sessions; one that was idle for two minutes gives way', () => {
  let nowMs = 0
  const clock: Clock = { wallMs: () => nowMs, monotonicMs: () => nowMs }
  const sessions = new FetchSessions(clock)
  const open = (partitions = 1) => {
    const begun = sessions.begin(requestOf(partitions, { sessionId: 0, sessionEpoch: 0 }), 12, 'User:a')
    assert.ok(begun.kind === 'full')
    return sessions.open(begun.targets, false, 'User:a')
  }
  const first = open()
  for (let count = 1; count < 1000; count += 1) open()
  assert.equal(open(), 0)
  nowMs = 119_000
  assert.equal(sessions.begin(requestOf(0, { sessionId: first, sessionEpoch: 1 }), 12, 'User:a').kind, 'incremental')
  nowMs = 121_000
  assert.ok(open() > 0)
  assert.equal(sessions.count, 1000)
  assert.equal(sessions.begin(requestOf(0, { sessionId: first, sessionEpoch: 2 }), 12, 'User:a').kind, 'incremental')
  assert.equal(open(20_001), 0)
})

test('a session cannot grow without limit', () => {
  const clock: Clock = { wallMs: () => 0, monotonicMs: () => 0 }
  const sessions = new FetchSessions(clock)
  const begun = sessions.begin(requestOf(1, { sessionId: 0, sessionEpoch: 0 }), 12, 'User:a')
  assert.ok(begun.kind === 'full')
  const sessionId = sessions.open(begun.targets, false, 'User:a')
  const grown = sessions.begin(requestOf(20_001, { sessionId, sessionEpoch: 1 }), 12, 'User:a')
  assert.deepEqual(grown, { kind: 'error', code: kafkaErrors.FETCH_SESSION_ID_NOT_FOUND })
  assert.equal(sessions.count, 0)
})
