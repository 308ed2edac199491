import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rawAppendId } from '../../kafka/raw-append.ts'
import { produce } from '../../wire/api/00-produce.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { zeroUuid } from '../../wire/schema.ts'
import { internalSession } from '../session.ts'
import { type AskOptions, ask, batchOf, handle, identity, makeTopic, openTestNode, type TestNode } from './test-node.ts'

const mirrorId = '01234567-89ab-4cde-8f01-23456789abcd'
const otherMirrorId = '11111111-89ab-4cde-8f01-23456789abcd'

interface Wanted {
  name?: string
  partition?: number
  records?: Buffer | null
  acks?: number
  transactionalId?: string | null
}

function requestOf({ name = 'orders', partition = 0, records = batchOf(1), acks = -1, ...more }: Wanted) {
  const partitionData = [{ index: partition, records }]
  return { acks, timeoutMs: 1000, topicData: [{ name, partitionData }], ...more }
}

async function write(test: TestNode, wanted: Wanted, options: AskOptions = {}) {
  const answer = await ask(test, produce, requestOf(wanted), { version: 11, ...options })
  return answer.responses[0]!.partitionResponses[0]!
}

test('what is appended is answered once it is on disk, with its offsets', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'orders')
  for (const acks of [1, -1]) {
    let release = () => {}
    test.log('orders').held = new Promise((resolve) => {
      release = resolve
    })
    let isAnswered = false
    const answer = write(test, { acks, records: batchOf(3) }).finally(() => {
      isAnswered = true
    })
    await new Promise((resolve) => setTimeout(resolve, 2))
    assert.equal(isAnswered, false)
    release()
    const { errorCode, baseOffset, logStartOffset, logAppendTimeMs, errorMessage } = await answer
    assert.deepEqual([errorCode, logStartOffset, logAppendTimeMs, errorMessage], [0, 0, -1, null])
    assert.equal(baseOffset, acks === 1 ? 0 : 3)
  }
})

test('each refusal has its code', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'orders')
  await makeTopic(test, 'mirror', { configs: { 'linkspan.mirror.id': mirrorId }, internal: true })
  const transactional = batchOf(1, { isTransactional: true, producerId: 1n, producerEpoch: 0, baseSequence: 0 })
  const cases: [Wanted, keyof typeof kafkaErrors, AskOptions?][] = [
    [{ name: 'none' }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    [{ partition: 1 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    [{ partition: -1 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    [{ acks: 2 }, 'INVALID_REQUIRED_ACKS'],
    [{ acks: -2 }, 'INVALID_REQUIRED_ACKS'],
    [{ transactionalId: 'x' }, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'],
    [{ transactionalId: rawAppendId(mirrorId) }, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'],
    [{ records: transactional }, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'],
    [{ records: batchOf(1, { codec: 'zstd' }) }, 'UNSUPPORTED_COMPRESSION_TYPE', { version: 6 }],
    [{}, 'TOPIC_AUTHORIZATION_FAILED', { session: identity('can_view orders', 'can_read orders') }],
    [{ name: 'none' }, 'TOPIC_AUTHORIZATION_FAILED', { session: identity() }],
    [{ name: 'mirror' }, 'INVALID_REQUEST'],
  ]
  for (const [wanted, error, options] of cases) {
    const one = await write(test, wanted, options)
    assert.equal(one.errorCode, kafkaErrors[error], error)
    assert.equal(one.baseOffset, -1)
  }
  assert.equal(
    (await write(test, { name: 'mirror' })).errorMessage,
    "Cannot append records to read-only mirror topic 'mirror'",
  )
  assert.equal(test.log('orders').logEndOffset, 0)
  assert.equal((await write(test, {}, { session: identity('can_edit orders') })).errorCode, 0)
})

test('what the log says is passed on, and its failure spoils only its own partition', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'orders', { partitions: 3 })
  const recordErrors = [{ batchIndex: 2, message: 'too far' }]
  test.log('orders', 0).refuse = { ok: false, error: 'INVALID_TIMESTAMP', message: 'far', recordErrors }
  test.log('orders', 1).refuse = new Error('disk failed')
  const partitionData = [0, 1, 2].map((index) => ({ index, records: batchOf(1) }))
  const answer = await ask(test, produce, { acks: 1, topicData: [{ name: 'orders', partitionData }] }, { version: 9 })
  const [bad, failed, fine] = answer.responses[0]!.partitionResponses
  assert.deepEqual(
    [bad?.errorCode, bad?.errorMessage, bad?.recordErrors],
    [kafkaErrors.INVALID_TIMESTAMP, 'far', [{ batchIndex: 2, batchIndexErrorMessage: 'too far' }]],
  )
  assert.equal(failed?.errorCode, kafkaErrors.KAFKA_STORAGE_ERROR)
  assert.deepEqual([fine?.errorCode, fine?.baseOffset], [0, 0])
})

test('partitions of one request are appended at the same time, in the order of the requests', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'orders', { partitions: 2 })
  let release = () => {}
  test.log('orders', 0).held = new Promise((resolve) => {
    release = resolve
  })
  const partitionData = [0, 1].map((index) => ({ index, records: batchOf(1) }))
  const request = { acks: -1, topicData: [{ name: 'orders', partitionData }] }
  const first = ask(test, produce, request, { version: 9 })
  const second = ask(test, produce, request, { version: 9 })
  assert.equal(test.log('orders', 1).logEndOffset, 2)
  release()
  const bases = (await Promise.all([first, second])).map(({ responses }) => {
    return responses[0]!.partitionResponses.map(({ baseOffset }) => baseOffset)
  })
  assert.deepEqual(bases, [
    [0, 0],
    [1, 1],
  ])
})

test('from v13 on topics are named by id', async () => {
  const test = await openTestNode()
  const topicId = await makeTopic(test, 'orders')
  const by = (id: string) => {
    const topicData = [{ topicId: id, partitionData: [{ index: 0, records: batchOf(1) }] }]
    return ask(test, produce, { acks: -1, topicData }, { version: 13 })
  }
  const [known, unknown] = [await by(topicId), await by(zeroUuid)]
  assert.equal(known.responses[0]?.topicId, topicId)
  assert.equal(known.responses[0]?.partitionResponses[0]?.errorCode, 0)
  assert.equal(unknown.responses[0]?.partitionResponses[0]?.errorCode, kafkaErrors.UNKNOWN_TOPIC_ID)
})

test('who wants no answer gets none, and learns of a failure by the end of his connection', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'orders')
  const sent = requestOf({ acks: 0 })
  assert.deepEqual(await handle(test.node, produce, sent, { version: 11 }), { kind: 'none' })
  assert.equal(test.log('orders').logEndOffset, 1)
  await assert.rejects(handle(test.node, produce, requestOf({ acks: 0, name: 'none' }), { version: 11 }), {
    code: 'closed',
    message: /UNKNOWN_TOPIC_OR_PARTITION/,
  })
})

test('our own daemon appends to its mirror as it is, as long as it is that mirror', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'mirror', { configs: { 'linkspan.mirror.id': mirrorId }, internal: true })
  await makeTopic(test, 'orders')
  const raw = (name: string, id: string, records: Buffer) => {
    return write(test, { name, records, transactionalId: rawAppendId(id) }, { session: internalSession })
  }
  const transactional = { baseOffset: 1000, isTransactional: true, producerId: 5n, producerEpoch: 0, baseSequence: 0 }
  const appended = await raw('mirror', mirrorId, batchOf(2, transactional))
  assert.deepEqual([appended.errorCode, appended.baseOffset], [0, 1000])
  assert.deepEqual([test.log('mirror').raw, test.log('mirror').logEndOffset], [1, 1002])
  for (const [name, id] of [
    ['mirror', otherMirrorId],
    ['orders', mirrorId],
  ] as const) {
    assert.equal((await raw(name, id, batchOf(1))).errorCode, kafkaErrors.PRODUCER_FENCED)
  }
  const plain = await write(test, { name: 'mirror' }, { session: internalSession })
  assert.deepEqual([plain.errorCode, test.log('mirror').raw], [0, 1])
})

test('every version is answered in its own form', async () => {
  const test = await openTestNode()
  const topicId = await makeTopic(test, 'orders')
  for (let version = 3; version <= 13; version += 1) {
    const partitionData = [{ index: 0, records: batchOf(1) }]
    const topicData = [version < 13 ? { name: 'orders', partitionData } : { topicId, partitionData }]
    const answer = await ask(test, produce, { acks: 1, topicData }, { version })
    const [one] = answer.responses[0]!.partitionResponses
    assert.deepEqual([one?.errorCode, one?.baseOffset], [0, version - 3])
  }
})
