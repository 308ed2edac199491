import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fetch } from '../../wire/api/01-fetch.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { RequestInput, ResponseOf } from '../../wire/schema.ts'
import { type AskOptions, ask, batchOf, handle, identity, makeTopic, openTestNode, type TestNode } from './test-node.ts'

type FetchRequest = RequestInput<typeof fetch>

function wanted(name: string, offsets: readonly number[], partitionMaxBytes = 1_000_000): FetchRequest['topics'] {
  const partitions = offsets.map((fetchOffset, partition) => ({ partition, fetchOffset, partitionMaxBytes }))
  return [{ topic: name, partitions }]
}

function read(test: TestNode, request: FetchRequest, options: AskOptions = {}) {
  const body = { maxWaitMs: 0, minBytes: 1, maxBytes: 10_000_000, ...request }
  return ask(test, fetch, body, { version: 12, ...options })
}

function partitionsOf(answer: ResponseOf<typeof fetch>) {
  return answer.responses.flatMap(({ partitions }) => partitions)
}

async function ordersOf(partitions: number): Promise<TestNode> {
  const test = await openTestNode()
  await makeTopic(test, 'orders', { partitions })
  return test
}

test('batches come as they are stored, with the bounds of the log', async () => {
  const test = await ordersOf(2)
  const log = test.log('orders')
  await log.append(batchOf(3))
  await log.append(batchOf(2))
  const answer = await read(test, { topics: wanted('orders', [1, 0]) })
  assert.deepEqual([answer.errorCode, answer.sessionId, answer.responses[0]?.topic], [0, 0, 'orders'])
  const [first, empty] = partitionsOf(answer)
  assert.deepEqual(Buffer.from(first!.records!), Buffer.concat(log.batches.map(({ bytes }) => bytes)))
  assert.deepEqual(
    [first?.errorCode, first?.highWatermark, first?.lastStableOffset, first?.logStartOffset],
    [0, 5, 5, 0],
  )
  assert.deepEqual([first?.abortedTransactions, first?.preferredReadReplica], [null, -1])
  assert.deepEqual([empty?.errorCode, empty?.records?.length], [0, 0])
  assert.equal(log.releases, log.reads)
})

test('each refusal has its code, and is answered at once', async () => {
  const test = await ordersOf(1)
  await test.log('orders').append(batchOf(3))
  await test.log('orders').deleteRecords(1)
  const partition = { partition: 0, fetchOffset: 3, partitionMaxBytes: 1000 }
  const cases: [Partial<typeof partition> & { currentLeaderEpoch?: number }, keyof typeof kafkaErrors][] = [
    [{ partition: 1 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    [{ fetchOffset: 4 }, 'OFFSET_OUT_OF_RANGE'],
    [{ fetchOffset: 0 }, 'OFFSET_OUT_OF_RANGE'],
    [{ fetchOffset: -5 }, 'OFFSET_OUT_OF_RANGE'],
    [{ currentLeaderEpoch: 1 }, 'UNKNOWN_LEADER_EPOCH'],
    [{ currentLeaderEpoch: -2 }, 'FENCED_LEADER_EPOCH'],
  ]
  const codeOf = async (request: FetchRequest, options: AskOptions = {}) => {
    const [one] = partitionsOf(await read(test, { ...request, maxWaitMs: 60_000 }, options))
    assert.deepEqual([one?.highWatermark, one?.records?.length], [-1, 0])
    return one?.errorCode
  }
  for (const [more, error] of cases) {
    const topics = [{ topic: 'orders', partitions: [{ ...partition, ...more }] }]
    assert.equal(await codeOf({ topics }), kafkaErrors[error], error)
  }
  assert.equal(await codeOf({ topics: wanted('none', [0]) }), kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  const session = identity('can_view orders')
  assert.equal(await codeOf({ topics: wanted('orders', [3]) }, { session }), kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
  const asReplica = { replicaId: 2, topics: wanted('orders', [3]) }
  assert.equal(await codeOf(asReplica), kafkaErrors.NOT_LEADER_OR_FOLLOWER)
})

test('limits hold in the order of the partitions, and the first batch comes whole', async () => {
  const test = await ordersOf(4)
  const size = batchOf(1, { bytes: 1000 }).length
  for (const partition of [1, 2, 3]) {
    for (let count = 0; count < 3; count += 1) await test.log('orders', partition).append(batchOf(1, { bytes: 1000 }))
  }
  const sizes = async (request: FetchRequest, partitionMaxBytes = 1_000_000) => {
    const answer = await read(test, { ...request, topics: wanted('orders', [0, 0, 0, 0], partitionMaxBytes) })
    return partitionsOf(answer).map(({ records }) => records!.length / size)
  }
  assert.deepEqual(await sizes({}), [0, 3, 3, 3])
  assert.deepEqual(await sizes({ maxBytes: 1 }), [0, 1, 0, 0])
  assert.deepEqual(await sizes({ maxBytes: 4 * size + 5 }), [0, 3, 1, 0])
  assert.deepEqual(await sizes({}, 2 * size), [0, 2, 2, 2])
  assert.deepEqual(await sizes({}, 10), [0, 1, 0, 0])
})

test('a fetch waits for records, and only for those that it asks for', async () => {
  const test = await ordersOf(2)
  const startMs = performance.now()
  const topics = wanted('orders', [0])
  const none = await read(test, { topics, maxWaitMs: 30 })
  assert.ok(performance.now() - startMs >= 25)
  assert.equal(partitionsOf(none)[0]?.records?.length, 0)
  const waiting = read(test, { topics, maxWaitMs: 60_000 })
  await new Promise((resolve) => setTimeout(resolve, 5))
  const { reads } = test.log('orders', 0)
  await test.log('orders', 1).append(batchOf(1))
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(test.log('orders', 0).reads, reads)
  await test.log('orders', 0).append(batchOf(1))
  assert.ok(partitionsOf(await waiting)[0]!.records!.length > 0)
  assert.equal(test.log('orders', 0).listeners.size, 0)
})

test('a log that tells nobody any more is looked at now and then', async () => {
  const test = await ordersOf(1)
  test.log('orders').listenersMax = 0
  const waiting = read(test, { topics: wanted('orders', [0]), maxWaitMs: 60_000 })
  await test.log('orders').append(batchOf(1))
  assert.ok(partitionsOf(await waiting)[0]!.records!.length > 0)
})

test('who wants many bytes waits for them, also when some are there', async () => {
  const test = await ordersOf(1)
  await test.log('orders').append(batchOf(1, { bytes: 1000 }))
  const waiting = read(test, { topics: wanted('orders', [0]), minBytes: 3000, maxWaitMs: 60_000 })
  for (let count = 0; count < 2; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, 15))
    await test.log('orders').append(batchOf(1, { bytes: 1000 }))
  }
  assert.ok(partitionsOf(await waiting)[0]!.records!.length > 3000)
  assert.equal(test.log('orders').releases, test.log('orders').reads)
  const late = await read(test, { topics: wanted('orders', [0]), minBytes: 1_000_000, maxWaitMs: 20 })
  assert.ok(partitionsOf(late)[0]!.records!.length > 3000)
})

test('a fetch ends its waiting when its topic is deleted, and when its client leaves', async () => {
  const test = await ordersOf(1)
  await makeTopic(test, 'other')
  const topics = wanted('orders', [0])
  const leaving = new AbortController()
  const left = read(test, { topics, maxWaitMs: 60_000 }, { signal: leaving.signal })
  setTimeout(() => leaving.abort(), 5)
  assert.equal(partitionsOf(await left)[0]?.records?.length, 0)
  const waiting = read(test, { topics, maxWaitMs: 60_000 })
  await new Promise((resolve) => setTimeout(resolve, 5))
  await test.node.catalog.delete([test.node.catalog.get('orders')!.topicId])
  assert.equal(partitionsOf(await waiting)[0]?.errorCode, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
})

test('reading committed ends where a transaction is open, and tells the aborted ones', async () => {
  const test = await ordersOf(1)
  const log = test.log('orders')
  await log.append(batchOf(2))
  await log.append(batchOf(2))
  log.openTransactionAt = 2
  log.aborted = [{ producerId: 7n, firstOffset: 0 }]
  const committed = partitionsOf(await read(test, { topics: wanted('orders', [0]), isolationLevel: 1 }))[0]
  assert.equal(committed?.records?.length, log.batches[0]?.bytes.length)
  assert.deepEqual(committed?.abortedTransactions, [{ producerId: 7n, firstOffset: 0 }])
  assert.deepEqual([committed?.highWatermark, committed?.lastStableOffset], [4, 2])
  const atEnd = partitionsOf(await read(test, { topics: wanted('orders', [2]), isolationLevel: 1 }))[0]
  assert.deepEqual([atEnd?.records?.length, atEnd?.abortedTransactions], [0, []])
})

test('from v13 on topics are named by id', async () => {
  const test = await ordersOf(1)
  const { topicId } = test.node.catalog.get('orders')!
  await test.log('orders').append(batchOf(1))
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
  const by = async (id: string, options: AskOptions = {}) => {
    const answer = await read(test, { topics: [{ topicId: id, partitions }] }, { version: 17, ...options })
    assert.equal(answer.responses[0]?.topicId, id)
    return partitionsOf(answer)[0]?.errorCode
  }
  assert.equal(await by(topicId), 0)
  assert.equal(await by('01234567-89ab-4cde-8f01-23456789abcd'), kafkaErrors.UNKNOWN_TOPIC_ID)
  assert.equal(await by(topicId, { session: identity() }), kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
})

test('every version is answered in its own form', async () => {
  const test = await ordersOf(1)
  const { topicId } = test.node.catalog.get('orders')!
  await test.log('orders').append(batchOf(1))
  for (let version = 4; version <= 17; version += 1) {
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    const topics = [version < 13 ? { topic: 'orders', partitions } : { topicId, partitions }]
    const one = partitionsOf(await read(test, { topics }, { version }))[0]
    assert.ok(one?.errorCode === 0 && one.records!.length > 0)
  }
})

test('what was read is held until the answer is written, once', async () => {
  const test = await ordersOf(1)
  await test.log('orders').append(batchOf(1))
  const request = { maxBytes: 1000, minBytes: 1, topics: wanted('orders', [0]) }
  const answer = await handle(test.node, fetch, request, { version: 12 })
  assert.equal(test.log('orders').releases, 0)
  assert.ok(answer.kind === 'answer')
  answer.release?.()
  answer.release?.()
  assert.equal(test.log('orders').releases, 1)
})
