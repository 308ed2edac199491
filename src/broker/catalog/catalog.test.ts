import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeTopic, openTestNode, type TestNode } from '../handlers/test-node.ts'
import { editSettings } from './edits.ts'

const one = { partitions: 1, replicationFactor: 1 }

function stored({ disk }: TestNode) {
  return [...disk.rows.values()].map(({ value }) => JSON.parse(value).row)
}

async function restarted({ disk }: TestNode): Promise<TestNode> {
  return await openTestNode({ disk })
}

test('topics and their configs survive a restart, with the same ids', async () => {
  const before = await openTestNode()
  const topicId = await makeTopic(before, 'orders', { partitions: 3, configs: { 'retention.ms': '5' } })
  await makeTopic(before, 'copies')
  const after = await restarted(before)
  assert.deepEqual(
    after.node.catalog.list().map(({ name }) => name),
    ['copies', 'orders'],
  )
  const topic = after.node.catalog.get('orders')!
  assert.deepEqual(topic, { topicId, name: 'orders', partitions: 3, configs: { 'retention.ms': '5' }, mirrorId: null })
  assert.equal(after.node.catalog.byId(topicId), topic)
  assert.equal(after.log('orders', 2).config.retentionMs, 5)
})

test('topics of one request are made for themselves, and none twice', async () => {
  const test = await openTestNode()
  const [first, again, bad] = await test.node.catalog.create([
    { name: 'a', ...one },
    { name: 'b', ...one, partitions: 0 },
    { name: 'c', ...one },
  ])
  assert.ok(first?.ok && !again?.ok && bad?.ok)
  const outcomes = await Promise.all(['d', 'd'].map((name) => test.node.catalog.create([{ name, ...one }])))
  const said = outcomes.flat().map((outcome) => (outcome.ok ? 'made' : outcome.error))
  assert.deepEqual(said, ['made', 'TOPIC_ALREADY_EXISTS'])
})

test('a name that collides with one of the same request is found, too', async () => {
  const test = await openTestNode()
  const [, second] = await test.node.catalog.create([
    { name: 'x.y', ...one },
    { name: 'x_y', ...one },
  ])
  assert.ok(!second?.ok && second?.error === 'INVALID_TOPIC_EXCEPTION')
})

test('nothing is made of what is only asked for', async () => {
  const test = await openTestNode()
  const [outcome] = await test.node.catalog.create([{ name: 'a', ...one }], { validateOnly: true })
  assert.ok(outcome?.ok)
  assert.equal(test.node.catalog.get('a'), undefined)
  assert.deepEqual(stored(test), [])
})

test('a topic whose logs cannot be made leaves nothing behind', async () => {
  const test = await openTestNode()
  test.logs.unopenable.add('bad')
  const outcomes = await test.node.catalog.create([
    { name: 'bad', ...one, partitions: 2 },
    { name: 'good', ...one },
  ])
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.ok ? 'made' : outcome.error)),
    ['KAFKA_STORAGE_ERROR', 'made'],
  )
  assert.deepEqual(
    stored(test).map(({ name }) => name),
    ['good'],
  )
  assert.equal(test.disk.logs.size, 1)
})

test('a topic that cannot be stored is not made', async () => {
  const test = await openTestNode()
  test.failStore(1)
  const [outcome] = await test.node.catalog.create([{ name: 'a', ...one }])
  assert.ok(!outcome?.ok && outcome?.error === 'KAFKA_STORAGE_ERROR')
  assert.equal(test.node.catalog.get('a'), undefined)
  assert.equal(test.disk.logs.size, 0)
})

test('a creation that a crash interrupted is undone, a deletion is finished', async () => {
  const test = await openTestNode()
  const topicId = await makeTopic(test, 'a', { partitions: 2 })
  await makeTopic(test, 'b')
  for (const [key, row] of test.disk.rows) {
    if (!row.value.includes('"b"')) test.disk.rows.set(key, { ...row, value: row.value.replace('ready', 'creating') })
  }
  const after = await restarted(test)
  assert.equal(after.node.catalog.get('a'), undefined)
  assert.equal(after.logs.get(topicId, 0), undefined)
  after.logs.undeletable.add('b')
  const [gone] = await after.node.catalog.delete([after.node.catalog.get('b')!.topicId])
  assert.ok(gone?.ok)
  assert.deepEqual(
    stored(after).map(({ state }) => state),
    ['deleting'],
  )
  const later = await restarted(after)
  assert.deepEqual([stored(later), later.disk.logs.size], [[], 0])
})

test('a deleted topic is told to whoever asked, and its name is free for another one', async () => {
  const test = await openTestNode()
  const topicId = await makeTopic(test, 'a', { partitions: 2 })
  const told: string[] = []
  const stop = test.node.catalog.onDeleted((topic) => told.push(topic.topicId))
  const outcomes = await test.node.catalog.delete([topicId, 'none'])
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.ok ? 'gone' : outcome.error)),
    ['gone', 'UNKNOWN_TOPIC_ID'],
  )
  assert.deepEqual([told, test.disk.logs.size, test.node.catalog.byId(topicId)], [[topicId], 0, undefined])
  stop()
  assert.notEqual(await makeTopic(test, 'a'), topicId)
})

test('partitions are added, and a growth that a crash interrupted is finished', async () => {
  const test = await openTestNode()
  const topicId = await makeTopic(test, 'a', { partitions: 1 })
  const grown = await test.node.catalog.grow({ name: 'a', count: 3, assignments: null })
  assert.ok(grown.ok)
  assert.equal(test.node.catalog.get('a')?.partitions, 3)
  for (const [key, row] of test.disk.rows) {
    test.disk.rows.set(key, { ...row, value: row.value.replace('"growingTo":null', '"growingTo":5') })
  }
  const after = await restarted(test)
  assert.equal(after.node.catalog.get('a')?.partitions, 5)
  assert.ok(after.logs.get(topicId, 4))
  assert.deepEqual(
    stored(after).map(({ partitions, growingTo }) => [partitions, growingTo]),
    [[5, null]],
  )
})

test('a growth that fails leaves the topic as it was', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'a', { partitions: 1 })
  test.logs.unopenable.add('a')
  const grown = await test.node.catalog.grow({ name: 'a', count: 3, assignments: null })
  assert.ok(!grown.ok && grown.error === 'KAFKA_STORAGE_ERROR')
  assert.equal(test.node.catalog.get('a')?.partitions, 1)
  assert.deepEqual([stored(test)[0].partitions, stored(test)[0].growingTo], [1, null])
})

test('configs change for the logs too, each change of what those before have made', async () => {
  const test = await openTestNode({ topicDefaults: { 'retention.ms': '77' } })
  await makeTopic(test, 'a', { partitions: 2 })
  assert.equal(test.log('a', 1).config.retentionMs, 77)
  const editor = { internal: false, defaults: test.node.catalog.defaults }
  const set = (name: string, value: string) => {
    return test.node.catalog.alter('a', (topic) => editSettings(topic, [{ name, operation: 'set', value }], editor))
  }
  await Promise.all([set('retention.ms', '5'), set('segment.bytes', '2000000')])
  assert.deepEqual(test.node.catalog.get('a')?.configs, { 'retention.ms': '5', 'segment.bytes': '2000000' })
  assert.equal(test.log('a', 1).config.segmentBytes, 2_000_000)
  test.failStore(1)
  const failed = await set('retention.ms', '9')
  assert.ok(!failed.ok && failed.error === 'KAFKA_STORAGE_ERROR')
  assert.equal(test.log('a', 1).config.retentionMs, 5)
})

test('defaults that cannot be stop the start, naming the key', async () => {
  await assert.rejects(openTestNode({ topicDefaults: { 'retention.ms': 'x' } }), {
    code: 'invalid-config',
    message: /Invalid value x for configuration retention\.ms/,
  })
})

test('there is a limit to partitions', async () => {
  const test = await openTestNode()
  const wanted = Array.from({ length: 6 }, (_, index) => ({ name: `t${index}`, ...one, partitions: 2000 }))
  const checked = await test.node.catalog.create(wanted, { validateOnly: true })
  assert.deepEqual(
    checked.map((outcome) => (outcome.ok ? 'fine' : outcome.error)),
    ['fine', 'fine', 'fine', 'fine', 'fine', 'POLICY_VIOLATION'],
  )
})
