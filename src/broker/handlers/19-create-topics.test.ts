import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTopics } from '../../wire/api/19-create-topics.ts'
import { deleteTopics } from '../../wire/api/20-delete-topics.ts'
import { createPartitions } from '../../wire/api/37-create-partitions.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { type RequestInput, zeroUuid } from '../../wire/schema.ts'
import { internalSession } from '../session.ts'
import { type AskOptions, ask, identity, makeTopic, openTestNode, type TestNode } from './test-node.ts'

const someId = '01234567-89ab-4cde-8f01-23456789abcd'

interface Said {
  name: string | null
  errorCode: number
  errorMessage: string | null
}

function say(results: readonly Said[]) {
  return results.map(({ name, errorCode, errorMessage }) => [name, errorCode, errorMessage])
}

type CreateRequest = RequestInput<typeof createTopics>

function one(name: string, more: object = {}) {
  return { name, numPartitions: 1, replicationFactor: 1, ...more }
}

async function create(test: TestNode, request: CreateRequest, options: AskOptions = {}) {
  return (await ask(test, createTopics, request, options)).topics
}

test('a made topic is told with its id, its partitions and its configs', async () => {
  const test = await openTestNode()
  const configs = [{ name: 'retention.ms', value: '5' }]
  const [made] = await create(test, { topics: [one('orders', { numPartitions: 2, configs })] })
  const topic = test.node.catalog.get('orders')
  assert.deepEqual([made?.errorCode, made?.errorMessage, made?.topicId], [0, null, topic?.topicId])
  assert.deepEqual([made?.numPartitions, made?.replicationFactor, made?.topicConfigErrorCode], [2, 1, 0])
  const find = (key: string) => made?.configs?.find(({ name }) => name === key)
  const shown = { readOnly: false, isSensitive: false }
  assert.deepEqual(find('retention.ms'), { name: 'retention.ms', value: '5', configSource: 1, ...shown })
  assert.deepEqual(find('segment.bytes'), { name: 'segment.bytes', value: '1073741824', configSource: 5, ...shown })
})

test('topics are refused one by one, or all where nobody may make any', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'there')
  const topics = [one('a'), one('there'), one('b', { replicationFactor: 2 }), one('c'), one('c'), one('c')]
  const { INVALID_REPLICATION_FACTOR, INVALID_REQUEST, TOPIC_ALREADY_EXISTS } = kafkaErrors
  assert.deepEqual(
    say(await create(test, { topics })).map(([name, code]) => [name, code]),
    [
      ['a', 0],
      ['there', TOPIC_ALREADY_EXISTS],
      ['b', INVALID_REPLICATION_FACTOR],
      ['c', INVALID_REQUEST],
    ],
  )
  const nobody = { session: identity('can_view x', 'can_edit x') }
  const [forbidden] = await create(test, { topics: [one('x')] }, nobody)
  assert.equal(forbidden?.errorCode, kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
  const maker = { session: identity('can_create_topics') }
  const [unseen] = await create(test, { topics: [one('x')] }, maker)
  assert.deepEqual(
    [unseen?.errorCode, unseen?.topicConfigErrorCode, unseen?.configs],
    [0, kafkaErrors.TOPIC_AUTHORIZATION_FAILED, null],
  )
})

test('with validateOnly nothing is made', async () => {
  const test = await openTestNode()
  const [checked] = await create(test, { topics: [one('a')], validateOnly: true })
  assert.deepEqual([checked?.errorCode, checked?.topicId, checked?.numPartitions], [0, zeroUuid, 1])
  assert.equal(test.node.catalog.get('a'), undefined)
  for (let version = 2; version <= 7; version += 1) {
    const [made] = await create(test, { topics: [one(`v${version}`)] }, { version })
    assert.equal(made?.errorCode, 0)
  }
})

test('only our own daemon makes, and sees, mirrors', async () => {
  const test = await openTestNode()
  const configs = [{ name: 'linkspan.mirror.id', value: someId }]
  const [refused] = await create(test, { topics: [one('a', { configs })] })
  assert.deepEqual(say([refused!]), [
    ['a', kafkaErrors.INVALID_CONFIG, 'Unknown topic config name: linkspan.mirror.id'],
  ])
  const [made] = await create(test, { topics: [one('a', { configs })] }, { session: internalSession })
  assert.equal(made?.configs?.find(({ name }) => name === 'linkspan.mirror.id')?.value, someId)
  assert.equal(test.node.catalog.get('a')?.mirrorId, someId)
})

type DeleteRequest = RequestInput<typeof deleteTopics>

async function remove(test: TestNode, request: DeleteRequest, options: AskOptions = {}) {
  const { responses } = await ask(test, deleteTopics, request, options)
  return responses.map(({ name, topicId, errorCode }) => [name, topicId, errorCode])
}

test('topics are deleted by name, and from v6 on by id', async () => {
  const test = await openTestNode()
  const [a, b] = [await makeTopic(test, 'a'), await makeTopic(test, 'b')]
  const { UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION } = kafkaErrors
  const topics = [{ name: 'a' }, { topicId: b }, { topicId: someId }, { name: 'none' }]
  assert.deepEqual(
    new Set(await remove(test, { topics })),
    new Set([
      ['a', a, 0],
      ['b', b, 0],
      [null, someId, UNKNOWN_TOPIC_ID],
      ['none', zeroUuid, UNKNOWN_TOPIC_OR_PARTITION],
    ]),
  )
  assert.deepEqual(test.node.catalog.list(), [])
  for (let version = 1; version <= 5; version += 1) {
    await makeTopic(test, 'a')
    assert.deepEqual(await remove(test, { topicNames: ['a'] }, { version }), [['a', zeroUuid, 0]])
  }
})

test('what is named twice, by nothing or by both is not deleted', async () => {
  const test = await openTestNode()
  const [a, b] = [await makeTopic(test, 'a'), await makeTopic(test, 'b')]
  const c = await makeTopic(test, 'c')
  const topics = [
    { name: 'a' },
    { name: 'a' },
    { topicId: b },
    { topicId: b },
    { name: null },
    { name: 'c', topicId: c },
    { name: 'c' },
    { topicId: c },
  ]
  const { responses } = await ask(test, deleteTopics, { topics })
  assert.ok(responses.every(({ errorCode }) => errorCode === kafkaErrors.INVALID_REQUEST))
  assert.deepEqual(
    new Set(responses.map(({ errorMessage }) => errorMessage)),
    new Set([
      'Neither topic name nor id were specified.',
      'You may not specify both topic name and topic id.',
      'Duplicate topic id.',
      'Duplicate topic name.',
      'The provided topic name maps to an ID that was already supplied.',
    ]),
  )
  assert.equal(test.node.catalog.list().length, 3)
  assert.ok(a)
})

test('whoever may not delete is told as little as he may see', async () => {
  const test = await openTestNode()
  const [a, b] = [await makeTopic(test, 'a'), await makeTopic(test, 'b')]
  const session = identity('can_view a')
  const forbidden = kafkaErrors.TOPIC_AUTHORIZATION_FAILED
  assert.deepEqual(await remove(test, { topics: [{ topicId: a }, { topicId: b }] }, { session }), [
    ['a', a, forbidden],
    [null, b, forbidden],
  ])
  assert.deepEqual(await remove(test, { topics: [{ name: 'b' }, { name: 'none' }] }, { session }), [
    ['b', zeroUuid, forbidden],
    ['none', zeroUuid, forbidden],
  ])
  assert.equal(test.node.catalog.list().length, 2)
})

test('partitions are added, but not to mirrors', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'a')
  await makeTopic(test, 'm', { configs: { 'linkspan.mirror.id': someId }, internal: true })
  const add = async (topics: { name: string; count: number }[], more: object = {}, options: AskOptions = {}) => {
    const wanted = topics.map((topic) => ({ ...topic, assignments: null }))
    const { results } = await ask(test, createPartitions, { topics: wanted, ...more }, options)
    return results.map(({ name, errorCode, errorMessage }) => [name, errorCode, errorMessage])
  }
  assert.deepEqual(await add([{ name: 'a', count: 3 }], { validateOnly: true }), [['a', 0, null]])
  assert.equal(test.node.catalog.get('a')?.partitions, 1)
  const { INVALID_REQUEST, INVALID_PARTITIONS, UNKNOWN_TOPIC_OR_PARTITION } = kafkaErrors
  const wanted = [
    { name: 'a', count: 3 },
    { name: 'none', count: 3 },
    { name: 'm', count: 3 },
    { name: 'b', count: 2 },
    { name: 'b', count: 2 },
  ]
  assert.deepEqual(await add(wanted), [
    ['a', 0, null],
    ['none', UNKNOWN_TOPIC_OR_PARTITION, "The topic 'none' does not exist."],
    ['m', INVALID_REQUEST, "Cannot add partitions to read-only mirror topic 'm'"],
    ['b', INVALID_REQUEST, 'Duplicate topic name.'],
  ])
  for (let version = 0; version <= 3; version += 1) {
    const [[, code]] = (await add([{ name: 'a', count: 3 }], {}, { version })) as [[string, number]]
    assert.equal(code, INVALID_PARTITIONS)
  }
  assert.deepEqual(await add([{ name: 'm', count: 2 }], {}, { session: internalSession }), [['m', 0, null]])
  const [[, code]] = (await add([{ name: 'a', count: 4 }], {}, { session: identity() })) as [[string, number]]
  assert.equal(code, kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
})
