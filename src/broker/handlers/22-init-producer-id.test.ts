import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initProducerId } from '../../wire/api/22-init-producer-id.ts'
import { describeLogDirs } from '../../wire/api/35-describe-log-dirs.ts'
import { describeProducers } from '../../wire/api/61-describe-producers.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { type AskOptions, ask, batchOf, identity, makeTopic, openTestNode } from './test-node.ts'

test('each producer gets an id of its own, in epoch 0', async () => {
  const test = await openTestNode()
  const next = async (more: object = {}, options: AskOptions = {}) => {
    const answer = await ask(test, initProducerId, { transactionalId: null, transactionTimeoutMs: 0, ...more }, options)
    return [answer.errorCode, answer.producerId, answer.producerEpoch]
  }
  for (let version = 0; version <= 5; version += 1)
    assert.deepEqual(await next({}, { version }), [0, BigInt(version), 0])
  assert.deepEqual(await next({ producerId: 3n, producerEpoch: 7 }), [0, 6n, 0])
  const refused = (error: keyof typeof kafkaErrors) => [kafkaErrors[error], -1n, -1]
  assert.deepEqual(await next({ producerId: 3n }), refused('INVALID_REQUEST'))
  assert.deepEqual(await next({ producerEpoch: 3 }), refused('INVALID_REQUEST'))
  assert.deepEqual(await next({ transactionalId: 'x' }), refused('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'))
  await makeTopic(test, 'orders')
  assert.deepEqual(await next({}, { session: identity('can_read orders') }), refused('CLUSTER_AUTHORIZATION_FAILED'))
  assert.deepEqual(await next({}, { session: identity('can_edit orders') }), [0, 7n, 0])
  const other = await openTestNode()
  other.failStore(1)
  const failed = await ask(other, initProducerId, { transactionalId: null })
  assert.equal(failed.errorCode, kafkaErrors.COORDINATOR_NOT_AVAILABLE)
})

test('the producers of a partition are described to whoever may read it', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'orders')
  test.log('orders').producerStates = [
    {
      producerId: 2n ** 62n,
      producerEpoch: 1,
      lastSequence: 5,
      lastTimestampMs: 1000,
      coordinatorEpoch: -1,
      currentTransactionStartOffset: -1,
    },
  ]
  const describe = async (name: string, partition: number, options: AskOptions = {}) => {
    const topics = [{ name, partitionIndexes: [partition] }]
    return (await ask(test, describeProducers, { topics }, options)).topics[0]!.partitions[0]!
  }
  const { errorCode, errorMessage, activeProducers } = await describe('orders', 0)
  assert.deepEqual([errorCode, errorMessage], [0, null])
  assert.deepEqual(activeProducers, [
    {
      producerId: 2n ** 62n,
      producerEpoch: 1,
      lastSequence: 5,
      lastTimestamp: 1000,
      coordinatorEpoch: -1,
      currentTxnStartOffset: -1,
    },
  ])
  assert.equal((await describe('orders', 1)).errorCode, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal((await describe('none', 0)).errorCode, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  const viewer = { session: identity('can_view orders') }
  assert.equal((await describe('orders', 0, viewer)).errorCode, kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
})

test('the log directory tells what its partitions take', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'a', { partitions: 2 })
  await makeTopic(test, 'b')
  const batch = batchOf(1)
  await test.log('a', 1).append(batch)
  for (let version = 1; version <= 5; version += 1) {
    const { results } = await ask(test, describeLogDirs, { topics: null }, { version })
    const [directory] = results
    assert.deepEqual(
      directory?.topics.map(({ name, partitions }) => [name, partitions.map(({ partitionSize }) => partitionSize)]),
      [
        ['a', [0, batch.length]],
        ['b', [0]],
      ],
    )
    assert.deepEqual([directory?.totalBytes, directory?.usableBytes], version < 4 ? [-1, -1] : [1400, 400])
  }
  const topics = [
    { topic: 'a', partitions: [1, 7] },
    { topic: 'none', partitions: [0] },
  ]
  const { results } = await ask(test, describeLogDirs, { topics })
  assert.deepEqual(
    results[0]?.topics.map(({ name, partitions }) => [name, partitions.map((one) => one.partitionIndex)]),
    [['a', [1]]],
  )
  const nobody = await ask(test, describeLogDirs, { topics: null }, { session: identity() })
  assert.deepEqual([nobody.errorCode, nobody.results], [kafkaErrors.CLUSTER_AUTHORIZATION_FAILED, []])
})
