import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FakeKafka, PlainDialler, send } from '../../test/support/fake-kafka.ts'
import { waitFor } from '../../test/support/process.ts'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import type { Frame } from '../transport/frame-reader.ts'
import { SlabPool } from '../transport/slabs.ts'
import { produce } from '../wire/api/00-produce.ts'
import { fetch } from '../wire/api/01-fetch.ts'
import { metadata } from '../wire/api/03-metadata.ts'
import { listGroups } from '../wire/api/16-list-groups.ts'
import { saslHandshake } from '../wire/api/17-sasl-handshake.ts'
import { apiVersions } from '../wire/api/18-api-versions.ts'
import { saslAuthenticate } from '../wire/api/36-sasl-authenticate.ts'
import { kafkaErrors } from '../wire/errors.ts'
import { encodeRequest, encodeResponse } from '../wire/frame.ts'
import type { ConnectionOptions } from './connection-options.ts'
import { openConnection } from './open-connection.ts'

const defaults: ConnectionOptions = { clientId: 'test', log: silentLog, clock: systemClock }

async function open(t: TestContext, fake: FakeKafka, options: Partial<ConnectionOptions> = {}) {
  await fake.listen()
  const connection = await openConnection(
    new PlainDialler(fake.port),
    { kind: 'bootstrap' },
    { ...defaults, ...options },
  )
  t.after(async () => {
    await connection[Symbol.asyncDispose]()
    await fake[Symbol.asyncDispose]()
  })
  return connection
}

function groupsFake(): FakeKafka {
  return new FakeKafka().on(listGroups, ({ answer }) => answer({}))
}

test('versions: the highest that both speak, under an optional cap', async (t) => {
  const fake = new FakeKafka().on(listGroups, ({ answer }) => answer({}), [1, 3])
  const connection = await open(t, fake)
  await connection.request(listGroups, {})
  await connection.request(listGroups, {}, { versionMax: 2 })
  assert.deepEqual(
    fake.seen(listGroups).map(({ version }) => version),
    [3, 2],
  )
  assert.equal(fake.seen(apiVersions)[0]?.body.clientSoftwareName, 'linkspan')
  assert.equal(fake.seen(listGroups)[0]?.clientId, 'test')
  await assert.rejects(connection.request(listGroups, {}, { versionMax: 0 }), { code: 'unsupported' })
  await assert.rejects(connection.request(metadata, {}), { code: 'unsupported', message: /does not offer Metadata/ })
})

test('versions: an old broker is asked again in the version that it speaks', async (t) => {
  const fake = groupsFake()
  fake.on(apiVersions, ({ version, socket, correlationId, answer }) => {
    if (version <= 2) return answer({ apiKeys: fake.apiKeys() })
    const apiKeys = [{ apiKey: apiVersions.key, minVersion: 0, maxVersion: 2 }]
    const refusal = { errorCode: kafkaErrors.UNSUPPORTED_VERSION, apiKeys }
    send(socket, encodeResponse(apiVersions, 0, correlationId, refusal))
  })
  const connection = await open(t, fake)
  assert.deepEqual(
    fake.seen(apiVersions).map(({ version }) => version),
    [4, 2],
  )
  await connection.request(listGroups, {})
})

test('pipelined requests get their own answers', async (t) => {
  const fake = new FakeKafka().on(listGroups, ({ body, answer }) => {
    answer({ groups: [{ groupId: body.statesFilter[0] }] })
  })
  const connection = await open(t, fake)
  const names = Array.from({ length: 200 }, (_, index) => `g${index}`)
  const answers = await Promise.all(names.map((name) => connection.request(listGroups, { statesFilter: [name] })))
  assert.deepEqual(
    answers.map(({ groups }) => groups[0]?.groupId),
    names,
  )
  assert.equal(connection.pending, 0)
})

test('an answer out of order ends the connection and fails all that wait', async (t) => {
  const fake = new FakeKafka().on(listGroups, ({ socket, correlationId }) => {
    send(socket, encodeResponse(listGroups, 5, correlationId + 1, {}))
  })
  const connection = await open(t, fake)
  const both = await Promise.allSettled([connection.request(listGroups, {}), connection.request(listGroups, {})])
  for (const one of both) assert.equal(one.status === 'rejected' && one.reason.code, 'malformed')
  assert.equal((await connection.closed).code, 'malformed')
  await assert.rejects(connection.request(listGroups, {}), { code: 'malformed' })
})

test('a lost connection fails all that wait, with the address', async (t) => {
  const fake = new FakeKafka().on(listGroups, ({ socket }) => socket.destroy())
  const connection = await open(t, fake)
  const request = connection.request(listGroups, {})
  await assert.rejects(request, { code: 'closed', message: new RegExp(`127.0.0.1:${fake.port}`) })
})

test('a request without an answer ends the connection at its deadline', async (t) => {
  const connection = await open(
    t,
    new FakeKafka().on(listGroups, () => {}),
  )
  const slow = connection.request(listGroups, {})
  await assert.rejects(connection.request(listGroups, {}, { timeoutMs: 60 }), {
    code: 'timeout',
    message: /ListGroups/,
  })
  await assert.rejects(slow, { code: 'timeout' })
})

test('an aborted request leaves the connection usable', async (t) => {
  const held: (() => void)[] = []
  const fake = new FakeKafka().on(listGroups, ({ answer, body }) => {
    held.push(() => answer({ groups: [{ groupId: body.statesFilter[0] }] }))
  })
  const connection = await open(t, fake)
  const controller = new AbortController()
  const aborted = connection.request(listGroups, { statesFilter: ['a'] }, { signal: controller.signal })
  const kept = connection.request(listGroups, { statesFilter: ['b'] })
  await waitFor(() => held.length === 2)
  controller.abort(new Error('enough'))
  await assert.rejects(aborted, { message: 'enough' })
  for (const answer of held) answer()
  assert.equal((await kept).groups[0]?.groupId, 'b')
})

test('too many requests without an answer are refused', async (t) => {
  const connection = await open(
    t,
    new FakeKafka().on(listGroups, () => {}),
    { pendingMax: 3 },
  )
  const waiting = [1, 2, 3].map(() => connection.request(listGroups, {}))
  await assert.rejects(connection.request(listGroups, {}), { code: 'rate-limited' })
  connection.close()
  for (const one of await Promise.allSettled(waiting)) assert.equal(one.status, 'rejected')
})

test('a throttle time delays what is sent next, and only that', async (t) => {
  let throttleTimeMs = 150
  const fake = new FakeKafka().on(listGroups, ({ answer }) => {
    answer({ throttleTimeMs })
    throttleTimeMs = 0
  })
  const connection = await open(t, fake)
  await connection.request(listGroups, {})
  const startMs = performance.now()
  assert.equal(connection.writableNeedDrain, true)
  const drained = new Promise<void>((resolve) => connection.onDrain(resolve))
  await connection.request(listGroups, {}, { timeoutMs: 100 })
  await drained
  const [, second] = fake.seen(listGroups)
  assert.ok(second!.atMs - startMs >= 145, `came after ${second!.atMs - startMs} ms`)
  assert.equal(connection.writableNeedDrain, false)
})

test('records of a frame are views into its slab until it is released', async (t) => {
  const records = Buffer.alloc(100_000, 7)
  const fake = new FakeKafka().on(
    fetch,
    ({ answer }) => {
      answer({ responses: [{ topic: 't', partitions: [{ partitionIndex: 0, records, abortedTransactions: null }] }] })
    },
    [4, 12],
  )
  const pool = new SlabPool({ slabBytes: 1 << 17, slabsMax: 3 })
  const connection = await open(t, fake, { pool })
  const { answer, frame } = await connection.requestFrame(fetch, {})
  const view = answer.responses[0]!.partitions[0]!.records!
  assert.equal(view.buffer, frame.slab.bytes.buffer)
  assert.ok(records.equals(view))
  frame.release()
  const copy = (await connection.request(fetch, {})).responses[0]!.partitions[0]!.records!
  for (let round = 0; round < 10; round += 1) (await connection.requestFrame(fetch, {})).frame.release()
  assert.ok(records.equals(copy))
  connection.close()
  await connection.closed
  await waitFor(() => pool.used === 0)
})

test('the produce path: vectored, with word of what is written and answered', async (t) => {
  const fake = new FakeKafka().on(
    produce,
    ({ body, answer }) => {
      const { index, records } = body.topicData[0]!.partitionData[0]!
      const baseOffset = records!.length
      answer({ responses: [{ name: 't', partitionResponses: [{ index, errorCode: 0, baseOffset }] }] })
    },
    [3, 9],
  )
  const connection = await open(t, fake)
  const log: string[] = []
  const batches = [Buffer.alloc(70_000, 1), Buffer.alloc(5, 2), Buffer.alloc(1 << 20, 3)]
  connection.cork()
  for (const records of batches) {
    const id = connection.nextCorrelationId()
    const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
    const chunks = encodeRequest(produce, 9, id, 'test', { acks: 1, timeoutMs: 1, topicData })
    const onAnswer = (frame: Frame | undefined) => {
      log.push(`answer ${records.length}`)
      frame?.release()
    }
    connection.sendProduce(chunks, id, onAnswer, () => log.push(`written ${records.length}`))
  }
  assert.equal(log.length, 0)
  connection.uncork()
  await waitFor(() => log.length === 6)
  const bySize = (prefix: string) => log.filter((line) => line.startsWith(prefix))
  assert.deepEqual(bySize('answer'), ['answer 70000', 'answer 5', 'answer 1048576'])
  assert.deepEqual(bySize('written'), ['written 70000', 'written 5', 'written 1048576'])
})

test('a broker that does not read: back-pressure, and every callback once when the connection ends', async (t) => {
  const fake = new FakeKafka().on(produce, ({ socket }) => socket.pause(), [3, 9])
  const connection = await open(t, fake)
  const chunk = Buffer.alloc(1 << 20)
  chunk.writeInt32BE(chunk.length * 2 - 4)
  let [written, answered, drained] = [0, 0, 0]
  for (const socket of fake.sockets) socket.pause()
  for (let index = 0; index < 40; index += 1) {
    const onAnswer = (frame: unknown, error: unknown) => {
      assert.equal(frame, undefined)
      assert.ok(error)
      answered += 1
    }
    connection.sendProduce([chunk, Buffer.alloc(1 << 20)], connection.nextCorrelationId(), onAnswer, () => {
      written += 1
    })
  }
  await waitFor(() => written > 0 || connection.writableNeedDrain)
  assert.equal(connection.writableNeedDrain, true)
  connection.onDrain(() => {
    drained += 1
  })
  connection.close()
  await waitFor(() => written === 40)
  assert.deepEqual([written, answered, drained], [40, 40, 1])
  assert.throws(() => connection.sendProduce([chunk], 1, () => {}), { code: 'closed' })
})

const plain = { mechanism: 'PLAIN', username: 'alice', password: 's3cret' } as const

test('PLAIN: logged in before the first request, and again before the login runs out', async (t) => {
  const fake = groupsFake()
  fake.on(saslHandshake, ({ answer }) => answer({ mechanisms: ['PLAIN'] }))
  fake.on(saslAuthenticate, ({ answer }) => setTimeout(answer, 20, { sessionLifetimeMs: 300 }))
  const connection = await open(t, fake, { sasl: plain })
  assert.equal(Buffer.from(fake.seen(saslAuthenticate)[0]!.body.authBytes).toString(), '\0alice\0s3cret')
  let sent = 0
  while (fake.seen(saslAuthenticate).length < 3) {
    await connection.request(listGroups, {})
    sent += 1
  }
  assert.equal(fake.seen(listGroups).length, sent)
  assert.equal(connection.failure, undefined)
  const order = fake.requests.map(({ api }) => api.key)
  order.forEach((key, index) => {
    if (key === saslHandshake.key) assert.equal(order[index + 1], saslAuthenticate.key, 'nothing between its steps')
  })
})

test('a refused login names user and broker, never the password', async () => {
  await using fake = await groupsFake().listen()
  fake.on(saslHandshake, ({ answer }) => answer({ mechanisms: ['PLAIN'] }))
  fake.on(saslAuthenticate, ({ answer }) => {
    answer({ errorCode: kafkaErrors.SASL_AUTHENTICATION_FAILED, errorMessage: 'Invalid \u001b[2Jpassword' })
  })
  const opening = openConnection(new PlainDialler(fake.port), { kind: 'bootstrap' }, { ...defaults, sasl: plain })
  await assert.rejects(opening, (error: Error & { code?: string }) => {
    assert.equal(error.code, 'kafka-not-permitted')
    assert.match(error.message, new RegExp(`127.0.0.1:${fake.port}.*"alice".*\\\\x1b`))
    assert.doesNotMatch(JSON.stringify(error) + error.message + error.stack, /s3cret|\u001b/)
    return true
  })
  await waitFor(() => fake.sockets.size === 0)
})

test('a mechanism that the listener lacks is named with those that it has', async () => {
  await using fake = await groupsFake().listen()
  fake.on(saslHandshake, ({ answer }) => {
    answer({ errorCode: kafkaErrors.UNSUPPORTED_SASL_MECHANISM, mechanisms: ['GSSAPI', 'SCRAM-SHA-256'] })
  })
  fake.on(saslAuthenticate, () => {})
  const opening = openConnection(new PlainDialler(fake.port), { kind: 'bootstrap' }, { ...defaults, sasl: plain })
  await assert.rejects(opening, { code: 'invalid-config', message: /GSSAPI, SCRAM-SHA-256.*sasl.mechanism/ })
})

test('a listener of another protocol, a silent one and an aborted opening', async (t) => {
  await t.test('closes at once', async () => {
    await using fake = await new FakeKafka().on(apiVersions, ({ socket }) => socket.destroy()).listen()
    const target = { kind: 'bootstrap' } as const
    await assert.rejects(openConnection(new PlainDialler(fake.port), target, defaults), {
      code: 'unreachable',
      message: /security.protocol/,
    })
  })
  await t.test('says nothing', async () => {
    await using fake = await new FakeKafka().on(apiVersions, () => {}).listen()
    const options = { ...defaults, openTimeoutMs: 80 }
    const opening = openConnection(new PlainDialler(fake.port), { kind: 'bootstrap' }, options)
    await assert.rejects(opening, { code: 'timeout', message: new RegExp(`127.0.0.1:${fake.port}`) })
    await waitFor(() => fake.sockets.size === 0)
  })
  await t.test('is given up', async () => {
    await using fake = await new FakeKafka().on(apiVersions, () => {}).listen()
    const controller = new AbortController()
    const options = { ...defaults, signal: controller.signal }
    const opening = openConnection(new PlainDialler(fake.port), { kind: 'bootstrap' }, options)
    await waitFor(() => fake.requests.length === 1)
    controller.abort(new Error('never mind'))
    await assert.rejects(opening, { message: 'never mind' })
    await waitFor(() => fake.sockets.size === 0)
  })
})
