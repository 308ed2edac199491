import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listOffsets } from '../../wire/api/02-list-offsets.ts'
import { deleteRecords } from '../../wire/api/21-delete-records.ts'
import { offsetForLeaderEpoch } from '../../wire/api/23-offset-for-leader-epoch.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { internalSession } from '../session.ts'
import { type AskOptions, ask, batchOf, identity, makeTopic, openTestNode, type TestNode } from './test-node.ts'

const mirrorId = '01234567-89ab-4cde-8f01-23456789abcd'

interface Wanted {
  name?: string
  partition?: number
  epoch?: number
  replicaId?: number
  isolationLevel?: number
}

async function find(test: TestNode, timestamp: number, wanted: Wanted = {}, options: AskOptions = {}) {
  const { name = 'orders', partition = 0, epoch = -1, ...reader } = wanted
  const partitions = [{ partitionIndex: partition, currentLeaderEpoch: epoch, timestamp }]
  const answer = await ask(test, listOffsets, { ...reader, topics: [{ name, partitions }] }, options)
  const { errorCode, offset, timestamp: found, leaderEpoch } = answer.topics[0]!.partitions[0]!
  return [errorCode, offset, found, leaderEpoch]
}

/** Three batches: offsets 0 to 5, from 1000, 3000 and 2000 on; the first record is gone, the last is not on disk. */
async function ordersWithRecords(): Promise<TestNode> {
  const test = await openTestNode()
  await makeTopic(test, 'orders')
  const log = test.log('orders')
  await log.append(batchOf(2, { timestampMs: 1000 }))
  await log.append(batchOf(2, { timestampMs: 3000 }))
  await log.deleteRecords(1)
  log.held = new Promise(() => {})
  void log.append(batchOf(2, { timestampMs: 9000 }))
  log.openTransactionAt = 2
  return test
}

test('offsets are found by what was asked for', async () => {
  const test = await ordersWithRecords()
  assert.deepEqual(await find(test, -1), [0, 4, -1, 0])
  assert.deepEqual(await find(test, -1, { isolationLevel: 1 }), [0, 2, -1, 0])
  for (const replicaId of [-2, 0, 2 ** 31 - 1]) assert.deepEqual(await find(test, -1, { replicaId }), [0, 6, -1, 0])
  assert.deepEqual(await find(test, -2), [0, 1, -1, 0])
  assert.deepEqual(await find(test, -4), [0, 1, -1, 0])
  assert.deepEqual(await find(test, 2000), [0, 2, 3001, 0])
  assert.deepEqual(await find(test, 4000), [0, -1, -1, -1])
  assert.deepEqual(await find(test, 2000, { isolationLevel: 1 }), [0, -1, -1, -1])
  assert.deepEqual(await find(test, -3), [0, -1, -1, -1])
  assert.deepEqual(await find(test, -3, { replicaId: -2 }), [0, 4, 9001, 0])
  await makeTopic(test, 'empty')
  assert.deepEqual(await find(test, -3, { name: 'empty' }), [0, -1, -1, -1])
})

test('a look-up that fails spoils only its own partition', async () => {
  const test = await ordersWithRecords()
  test.log('orders').findByTimestamp = () => Promise.reject(new Error('disk failed'))
  assert.deepEqual(await find(test, 1000), [kafkaErrors.KAFKA_STORAGE_ERROR, -1, -1, -1])
})

test('refusals have their codes', async () => {
  const test = await ordersWithRecords()
  const codeOf = async (timestamp: number, wanted: Wanted = {}, options: AskOptions = {}) => {
    return (await find(test, timestamp, wanted, options))[0]
  }
  assert.equal(await codeOf(-1, { name: 'none' }), kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await codeOf(-1, { partition: 1 }), kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await codeOf(-1, { epoch: 1 }), kafkaErrors.UNKNOWN_LEADER_EPOCH)
  assert.equal(await codeOf(-1, { epoch: -2 }), kafkaErrors.FENCED_LEADER_EPOCH)
  assert.equal(await codeOf(-3, {}, { version: 6 }), kafkaErrors.UNSUPPORTED_VERSION)
  assert.equal(await codeOf(-4, {}, { version: 7 }), kafkaErrors.UNSUPPORTED_VERSION)
  assert.equal(await codeOf(-5), kafkaErrors.UNSUPPORTED_VERSION)
  assert.equal(await codeOf(-1, {}, { session: identity('can_view x') }), kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
  const partitions = [0, 0].map((partitionIndex) => ({ partitionIndex, timestamp: -1 }))
  const doubled = await ask(test, listOffsets, { topics: [{ name: 'orders', partitions }] })
  assert.deepEqual(
    doubled.topics[0]?.partitions.map(({ errorCode }) => errorCode),
    [kafkaErrors.INVALID_REQUEST, kafkaErrors.INVALID_REQUEST],
  )
  for (let version = 1; version <= 8; version += 1) assert.equal(await codeOf(-1, {}, { version }), 0)
})

test('epoch 0 ends at the log end, others are not known', async () => {
  const test = await ordersWithRecords()
  const endOf = async (leaderEpoch: number, wanted: Wanted = {}, options: AskOptions = {}) => {
    const { name = 'orders', partition = 0, epoch = -1 } = wanted
    const partitions = [{ partition, currentLeaderEpoch: epoch, leaderEpoch }]
    const answer = await ask(test, offsetForLeaderEpoch, { topics: [{ topic: name, partitions }] }, options)
    const one = answer.topics[0]!.partitions[0]!
    return [one.errorCode, one.leaderEpoch, one.endOffset]
  }
  for (let version = 2; version <= 4; version += 1) assert.deepEqual(await endOf(0, {}, { version }), [0, 0, 6])
  assert.deepEqual(await endOf(3), [0, -1, -1])
  assert.deepEqual(await endOf(-1), [0, -1, -1])
  assert.deepEqual(await endOf(0, { epoch: 4 }), [kafkaErrors.UNKNOWN_LEADER_EPOCH, -1, -1])
  assert.deepEqual(await endOf(0, { name: 'none' }), [kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, -1, -1])
  assert.deepEqual(await endOf(0, { partition: 9 }), [kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, -1, -1])
  const session = identity()
  assert.deepEqual(await endOf(0, {}, { session }), [kafkaErrors.TOPIC_AUTHORIZATION_FAILED, -1, -1])
})

test('records are deleted up to an offset, or all that can be seen', async () => {
  const test = await ordersWithRecords()
  const cut = async (offset: number, wanted: Wanted = {}, options: AskOptions = {}) => {
    const { name = 'orders', partition = 0 } = wanted
    const topics = [{ name, partitions: [{ partitionIndex: partition, offset }] }]
    const answer = await ask(test, deleteRecords, { topics }, options)
    const one = answer.topics[0]!.partitions[0]!
    return [one.errorCode, one.lowWatermark]
  }
  for (let version = 0; version <= 2; version += 1) assert.deepEqual(await cut(2, {}, { version }), [0, 2])
  assert.deepEqual(await cut(-1), [0, 4])
  assert.deepEqual(await cut(5), [kafkaErrors.OFFSET_OUT_OF_RANGE, -1])
  assert.deepEqual(await cut(-2), [kafkaErrors.OFFSET_OUT_OF_RANGE, -1])
  assert.deepEqual(await cut(9, {}, { session: internalSession }), [kafkaErrors.OFFSET_OUT_OF_RANGE, -1])
  assert.deepEqual(await cut(1, { name: 'none' }), [kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, -1])
  const session = identity('can_edit orders', 'can_view orders')
  assert.deepEqual(await cut(1, {}, { session }), [kafkaErrors.TOPIC_AUTHORIZATION_FAILED, -1])
  await makeTopic(test, 'm', { configs: { 'linkspan.mirror.id': mirrorId }, internal: true })
  assert.deepEqual(await cut(0, { name: 'm' }), [kafkaErrors.INVALID_REQUEST, -1])
  assert.deepEqual(await cut(500, { name: 'm' }, { session: internalSession }), [0, 500])
  assert.deepEqual(test.log('m').restarts, [500])
  assert.deepEqual(await cut(500, { name: 'm' }, { session: internalSession }), [0, 500])
  assert.deepEqual(test.log('m').restarts, [500])
})
