import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metadata } from '../../wire/api/03-metadata.ts'
import { describeCluster } from '../../wire/api/60-describe-cluster.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { type RequestInput, zeroUuid } from '../../wire/schema.ts'
import { type AskOptions, ask, identity, makeTopic, openTestNode, type TestNode } from './test-node.ts'

const someId = '01234567-89ab-4cde-8f01-23456789abcd'

async function tell(test: TestNode, request: RequestInput<typeof metadata>, options: AskOptions = {}) {
  const { topics } = await ask(test, metadata, request, options)
  return topics.map(({ name, errorCode, partitions }) => `${name} ${errorCode} ${partitions.length}`)
}

function names(...wanted: string[]) {
  return { topics: wanted.map((name) => ({ name })), allowAutoTopicCreation: false }
}

test('one broker leads everything, and is the controller', async () => {
  const test = await openTestNode({ config: { nodeId: 5 } })
  const topicId = await makeTopic(test, 'orders', { partitions: 2 })
  const answer = await ask(test, metadata, { topics: null })
  assert.deepEqual(answer.brokers, [{ nodeId: 5, host: 'broker.example', port: 9092, rack: null }])
  assert.deepEqual([answer.clusterId, answer.controllerId, answer.errorCode], ['abcdefghijklmnopqrstuv', 5, 0])
  const [topic] = answer.topics
  assert.deepEqual([topic?.name, topic?.topicId, topic?.isInternal], ['orders', topicId, false])
  assert.equal(topic?.topicAuthorizedOperations, -(2 ** 31))
  assert.deepEqual(topic?.partitions[1], {
    errorCode: 0,
    partitionIndex: 1,
    leaderId: 5,
    leaderEpoch: 0,
    replicaNodes: [5],
    isrNodes: [5],
    offlineReplicas: [],
  })
})

test('all, some, or none: by name', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'b')
  await makeTopic(test, 'a', { partitions: 3 })
  assert.deepEqual(await tell(test, { topics: null }), ['a 0 3', 'b 0 1'])
  assert.deepEqual(await tell(test, { topics: [] }), [])
  assert.deepEqual(await tell(test, { topics: [] }, { version: 0 }), ['a 0 3', 'b 0 1'])
  assert.deepEqual(await tell(test, names('b', 'none', 'b')), ['b 0 1', 'none 3 0'])
  assert.deepEqual(await tell(test, names('a b', '')), ['a b 17 0', ' 17 0'])
})

test('by id, from v12 on', async () => {
  const test = await openTestNode()
  const topicId = await makeTopic(test, 'a')
  const topics = [
    { topicId, name: null },
    { topicId: someId, name: null },
  ]
  assert.deepEqual(await tell(test, { topics }), ['a 0 1', `null ${kafkaErrors.UNKNOWN_TOPIC_ID} 0`])
  const named = [{ topicId: zeroUuid, name: 'a' }]
  assert.deepEqual(await tell(test, { topics: named }), ['a 0 1'])
})

test('what may not be seen is not listed, and forbidden when asked for', async () => {
  const test = await openTestNode()
  const topicId = await makeTopic(test, 'a')
  await makeTopic(test, 'b')
  const session = identity('can_view b', 'can_edit b')
  assert.deepEqual(await tell(test, { topics: null }, { session }), ['b 0 1'])
  const forbidden = kafkaErrors.TOPIC_AUTHORIZATION_FAILED
  assert.deepEqual(await tell(test, names('a', 'b', 'c'), { session }), [
    `a ${forbidden} 0`,
    'b 0 1',
    `c ${forbidden} 0`,
  ])
  assert.deepEqual(await tell(test, { topics: [{ topicId, name: null }] }, { session }), [`null ${forbidden} 0`])
  const request = { topics: [{ name: 'b' }], includeTopicAuthorizedOperations: true }
  const answer = await ask(test, metadata, request, { session })
  const [write, alter, describe, describeConfigs, alterConfigs] = [4, 7, 8, 10, 11].map((bit) => 1 << bit)
  assert.equal(
    answer.topics[0]?.topicAuthorizedOperations,
    write! | alter! | describe! | describeConfigs! | alterConfigs!,
  )
  const everything = await ask(test, metadata, request)
  assert.equal(everything.topics[0]?.topicAuthorizedOperations, 0b1101_1111_1000)
})

test('a topic is made by being asked for, where request, broker and rights allow it', async () => {
  const test = await openTestNode({ config: { numPartitions: 2 } })
  const creating = (...wanted: string[]) => ({ topics: wanted.map((name) => ({ name })), allowAutoTopicCreation: true })
  assert.deepEqual(await tell(test, names('a')), ['a 3 0'])
  assert.deepEqual(await tell(test, creating('a', 'x y')), ['a 0 2', 'x y 17 0'])
  assert.deepEqual(await tell(test, creating('a', 'b'), { version: 3 }), ['a 0 2', 'b 0 2'])
  const viewer = { session: identity('can_view c') }
  assert.deepEqual(await tell(test, creating('c'), viewer), [`c ${kafkaErrors.TOPIC_AUTHORIZATION_FAILED} 0`])
  const maker = { session: identity('can_view c', 'can_create_topics') }
  assert.deepEqual(await tell(test, creating('c'), maker), ['c 0 2'])
  const both = await Promise.all([tell(test, creating('d')), tell(test, creating('d'))])
  assert.deepEqual(both, [['d 0 2'], ['d 0 2']])
  assert.deepEqual(await tell(test, creating('a.1', 'a_1')), ['a.1 0 2', 'a_1 17 0'])
  assert.deepEqual(await tell(test, creating('__consumer_offsets')), ['__consumer_offsets 17 0'])
  test.logs.unopenable.add('e')
  assert.deepEqual(await tell(test, creating('e')), [`e ${kafkaErrors.LEADER_NOT_AVAILABLE} 0`])
  const strict = await openTestNode({ config: { autoCreateTopics: false } })
  assert.deepEqual(await tell(strict, creating('a')), ['a 3 0'])
})

test('every version is answered in its own form', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'a')
  for (let version = 0; version <= 13; version += 1) {
    assert.deepEqual(await tell(test, { topics: [{ name: 'a' }] }, { version }), ['a 0 1'])
  }
})

test('the cluster is described with its one broker', async () => {
  const test = await openTestNode()
  for (const version of [0, 1, 2]) {
    const answer = await ask(test, describeCluster, {}, { version })
    assert.deepEqual([answer.errorCode, answer.clusterId, answer.controllerId], [0, 'abcdefghijklmnopqrstuv', 1])
    const broker = { brokerId: 1, host: 'broker.example', port: 9092, rack: null, isFenced: false }
    assert.deepEqual(answer.brokers, [broker])
    assert.equal(answer.clusterAuthorizedOperations, -(2 ** 31))
  }
  const rights = await ask(test, describeCluster, { includeClusterAuthorizedOperations: true })
  assert.equal(rights.clusterAuthorizedOperations, 0b1_1111_1010_0000)
  const nobody = { session: identity() }
  const none = await ask(test, describeCluster, { includeClusterAuthorizedOperations: true }, nobody)
  assert.equal(none.clusterAuthorizedOperations, 0)
  const controllers = await ask(test, describeCluster, { endpointType: 2 })
  assert.equal(controllers.errorCode, kafkaErrors.MISMATCHED_ENDPOINT_TYPE)
  const others = await ask(test, describeCluster, { endpointType: 3 })
  assert.equal(others.errorCode, kafkaErrors.UNSUPPORTED_ENDPOINT_TYPE)
})
