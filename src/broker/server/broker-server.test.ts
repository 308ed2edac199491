import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { silentLog } from '../../base/log.ts'
import { openCluster } from '../../kafka/open-cluster.ts'
import { produce } from '../../wire/api/00-produce.ts'
import { fetch } from '../../wire/api/01-fetch.ts'
import { metadata } from '../../wire/api/03-metadata.ts'
import { listGroups } from '../../wire/api/16-list-groups.ts'
import { apiVersions } from '../../wire/api/18-api-versions.ts'
import { decodeResponse } from '../../wire/frame.ts'
import { answer, defineHandler } from '../handlers/handler.ts'
import { handlerOf, RawClient, startTestServer } from './test-server.ts'

const emptyMetadata = { brokers: [], clusterId: 'x', controllerId: 1, topics: [] }

function later<T>(value: T, ms: number): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), ms))
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 5) {
    assert.ok(waitedMs < 5000, `${what} did not come`)
    await later(undefined, 5)
  }
}

/** A log that keeps what is told at one level. */
function keepingLog(level: 'debug' | 'error'): { log: Log; told: object[] } {
  const told: object[] = []
  const log: Log = { ...silentLog, [level]: (fields: object) => void told.push(fields), child: () => log }
  return { log, told }
}

test('requests are begun in order and at once, answers leave in order', async () => {
  const begun: number[] = []
  const waiting = handlerOf(fetch, async ({ maxWaitMs }) => {
    begun.push(maxWaitMs)
    await later(undefined, maxWaitMs)
    return { sessionId: maxWaitMs }
  })
  await using server = await startTestServer({ handlers: [waiting] })
  using client = await server.client()
  const waits = [60, 1, 30, 0]
  const ids = waits.map((maxWaitMs) => client.send(fetch, 12, { maxWaitMs, maxBytes: 1000, topics: [] }))
  for (const [index, id] of ids.entries()) {
    const frame = (await client.next())!
    assert.equal(frame.readInt32BE(0), id)
    assert.equal(decodeResponse(fetch, 12, frame).sessionId, waits[index])
    if (index === 0) assert.deepEqual(begun, waits)
  }
})

test('a request without an answer takes no place among them', async () => {
  const handlers = [
    defineHandler<typeof produce>({ api: produce, versions: [3, 11], handle: () => ({ kind: 'none' }) }),
    handlerOf(metadata, () => emptyMetadata),
  ]
  await using server = await startTestServer({ handlers })
  using client = await server.client()
  for (let index = 0; index < 200; index += 1) client.send(produce, 9, { acks: 0, topicData: [] })
  assert.equal((await client.ask(metadata, 9, { topics: [] }))?.clusterId, 'x')
})

test('no more requests are begun than are allowed, and the rest waits unread', async () => {
  let begun = 0
  const { promise: open, resolve: openGate } = Promise.withResolvers<void>()
  const gated = handlerOf(metadata, async () => {
    begun += 1
    await open
    return emptyMetadata
  })
  await using server = await startTestServer({ handlers: [gated], limits: { requestsPerConnectionMax: 8 } })
  using client = await server.client()
  const sent = 6000
  for (let index = 0; index < sent; index += 1) client.send(metadata, 9, { topics: [{ name: 'x'.repeat(3000) }] })
  await until(() => begun === 8, 'the eighth request')
  await later(undefined, 50)
  assert.equal(begun, 8)
  assert.ok(client.socket.writableLength > 1_000_000, `${client.socket.writableLength} bytes wait at the client`)
  openGate()
  for (let index = 0; index < sent; index += 1) assert.equal((await client.next())?.readInt32BE(0), index + 1)
})

test('views of an answer are written without a copy and released once, also when the client leaves', async () => {
  const records = Buffer.alloc(3 * 1024 * 1024, 7)
  let released = 0
  const release = () => {
    released += 1
  }
  const body = () => ({ responses: [{ partitions: [{ records }] }] })
  const handler = defineHandler<typeof fetch>({
    api: fetch,
    versions: fetch.versions,
    handle: () => answer<typeof fetch>(body(), release),
  })
  await using server = await startTestServer({ handlers: [handler] })
  {
    using client = await server.client()
    const answered = await client.ask(fetch, 12, { maxBytes: 4_000_000, topics: [] })
    assert.deepEqual(answered?.responses[0]?.partitions[0]?.records, records)
    await until(() => released === 1, 'the release')
  }
  using slow = await server.client()
  slow.socket.pause()
  for (let index = 0; index < 40; index += 1) slow.send(fetch, 12, { maxBytes: 4_000_000, topics: [] })
  await later(undefined, 100)
  const begun = released
  slow.socket.destroy()
  await until(() => server.server.connections === 0, 'the end of the connection')
  await later(undefined, 20)
  assert.ok(released > begun && released < 40, `${released} released, ${begun} before the end`)
})

test('a client that does not read is not answered beyond its budget', async () => {
  let begun = 0
  const records = Buffer.alloc(1024 * 1024)
  const large = handlerOf(fetch, () => {
    begun += 1
    return { responses: [{ partitions: [{ records }] }] }
  })
  const limits = { answerBytesPerConnectionMax: 8 * 1024 * 1024 }
  await using server = await startTestServer({ handlers: [large], limits })
  using client = await server.client()
  client.socket.pause()
  for (let index = 0; index < 60; index += 1) client.send(fetch, 12, { maxBytes: 1024 * 1024, topics: [] })
  await later(undefined, 200)
  // What the system buffers of a socket comes on top.
  assert.ok(begun >= 8 && begun < 24, `${begun} begun`)
  client.socket.resume()
  for (let index = 0; index < 60; index += 1) assert.equal((await client.next())?.readInt32BE(0), index + 1)
  assert.equal(begun, 60)
})

test('when memory is short, whoever does not take its answers is cut off, and others are served', async () => {
  const records = Buffer.alloc(4 * 1024 * 1024)
  const handlers = [handlerOf(fetch, () => ({ responses: [{ partitions: [{ records }] }] }))]
  const limits = { answerBytesMax: 16 * 1024 * 1024, stalledMs: 300 }
  await using server = await startTestServer({ handlers, limits })
  const stuck = await Promise.all(Array.from({ length: 4 }, () => server.client()))
  for (const client of stuck) {
    client.socket.pause()
    for (let index = 0; index < 3; index += 1) client.send(fetch, 12, { maxBytes: 4 * 1024 * 1024, topics: [] })
  }
  await later(undefined, 100)
  using client = await server.client()
  const answered = await client.ask(fetch, 12, { maxBytes: 4 * 1024 * 1024, topics: [] })
  assert.equal(answered?.responses.length, 1)
  assert.ok(server.server.connections < 5)
  for (const one of stuck) one[Symbol.dispose]()
})

test('what is not Kafka is closed at once', async () => {
  const { log, told } = keepingLog('debug')
  await using server = await startTestServer({ log })
  const frame = (bytes: Buffer) => {
    const size = Buffer.alloc(4)
    size.writeInt32BE(bytes.length)
    return Buffer.concat([size, bytes])
  }
  const request = (key: number, version: number, rest: string) => {
    const head = Buffer.alloc(8)
    head.writeInt16BE(key, 0)
    head.writeInt16BE(version, 2)
    return frame(Buffer.concat([head, Buffer.from(rest, 'hex')]))
  }
  const cases: [Buffer, RegExp][] = [
    [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /speaks HTTP/],
    [Buffer.from('1603010200010001fc0303', 'hex'), /speaks TLS/],
    [Buffer.from('7fffffff', 'hex'), /2147483647 bytes is not allowed/],
    [Buffer.from('ffffffff', 'hex'), /-1 bytes is not allowed/],
    [frame(Buffer.alloc(0)), /a request of 0 bytes/],
    [frame(Buffer.alloc(7)), /a request of 7 bytes/],
    [request(999, 0, 'ffff'), /API 999/],
    [request(17, 0, 'ffff0001'), /SaslHandshake in version 0/],
    [request(17, 1, 'ffff'), /SaslHandshake that cannot be read/],
    [request(17, 1, 'ffff7fff'), /SaslHandshake that cannot be read/],
  ]
  for (const [bytes, reason] of cases) {
    told.length = 0
    using client = await RawClient.connect(connect(server.address))
    client.socket.write(bytes)
    await client.closed
    assert.equal(client.frames.length, 0)
    const reasons = told.map((fields) => ('reason' in fields ? String(fields.reason) : ''))
    assert.ok(
      reasons.some((one) => reason.test(one)),
      `${reason}: ${reasons}`,
    )
  }
})

test('a request that is cut into single bytes is taken; half of one keeps nobody busy', async () => {
  await using server = await startTestServer({ handlers: [handlerOf(metadata, () => emptyMetadata)] })
  using half = await server.client()
  half.socket.write(Buffer.from('0000ffff0003', 'hex'))
  using client = await server.client()
  client.socket.setNoDelay(true)
  const bytes = Buffer.from('0000001a00030001000000090008736f6d65626f647900000001000178'.slice(0, 60), 'hex')
  bytes.writeInt32BE(bytes.length - 4)
  for (const byte of bytes) {
    client.socket.write(Buffer.from([byte]))
    await later(undefined, 1)
  }
  assert.equal((await client.next())?.readInt32BE(0), 9)
})

test('requests larger than a slab come whole, many in a row and mixed with small ones', async () => {
  const seen: number[] = []
  const reading = handlerOf(produce, async ({ topicData }) => {
    const records = topicData[0]?.partitionData[0]?.records ?? Buffer.alloc(1)
    const sum = records[0]! + records.at(-1)!
    seen.push(records.length)
    await later(undefined, 1)
    // The view has to hold what it held when the request came.
    assert.equal(sum, records[0]! + records.at(-1)!)
    return { responses: [] }
  })
  await using server = await startTestServer({ handlers: [reading] })
  using client = await server.client()
  const sizes = [10, 20_000, 3_000_000, 5, 200_000, 1_048_576, 1_048_576, 1_048_576, 16_384, 1, 9_000_000, 64_000]
  for (let round = 0; round < 4; round += 1) {
    for (const size of sizes) {
      const records = Buffer.alloc(size, size % 251)
      client.send(produce, 9, { acks: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] })
    }
    for (const _ of sizes) assert.ok(await client.next())
  }
  assert.deepEqual(seen, [...sizes, ...sizes, ...sizes, ...sizes])
})

test('a handler that throws ends its own connection and is logged', async () => {
  const { log, told } = keepingLog('error')
  const handlers = [
    handlerOf(metadata, () => emptyMetadata),
    handlerOf(listGroups, async () => {
      throw new Error('a bug')
    }),
    defineHandler<typeof fetch>({
      api: fetch,
      versions: fetch.versions,
      handle: () => {
        throw new Error('another')
      },
    }),
    // Cannot be expressed in version 0: found out only when it is encoded.
    handlerOf(produce, () => ({ responses: null as never })),
  ]
  await using server = await startTestServer({ handlers, log })
  using bystander = await server.client()
  for (const send of [
    (client: RawClient) => client.send(listGroups, 3, {}),
    (client: RawClient) => client.send(fetch, 12, { topics: [] }),
    (client: RawClient) => client.send(produce, 9, { topicData: [] }),
  ]) {
    using client = await server.client()
    send(client)
    await client.closed
  }
  assert.equal(told.length, 3)
  assert.ok(await bystander.ask(metadata, 9, { topics: [] }))
})

test('versions: those of the table, and the way down for clients of the future', async () => {
  await using server = await startTestServer({
    handlers: [handlerOf(produce, () => ({})), handlerOf(fetch, () => ({}))],
  })
  using client = await server.client()
  const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' }
  for (const version of [0, 1, 2, 3, 4]) {
    const told = await client.ask(apiVersions, version, version >= 3 ? software : {})
    assert.equal(told?.errorCode, 0)
    assert.deepEqual(told?.apiKeys, [
      { apiKey: 0, minVersion: 0, maxVersion: 13 },
      { apiKey: 1, minVersion: 4, maxVersion: 18 },
      { apiKey: 17, minVersion: 0, maxVersion: 1 },
      { apiKey: 18, minVersion: 0, maxVersion: 4 },
      { apiKey: 36, minVersion: 0, maxVersion: 2 },
    ])
    assert.deepEqual([told?.finalizedFeaturesEpoch, told?.supportedFeatures], [-1, []])
  }
  // Version 9 with a body that nobody can read.
  client.socket.write(Buffer.from('0000000c0012000900000063ffffffffffff'.slice(0, 32), 'hex'))
  const down = await client.next()
  assert.equal(down?.readInt32BE(0), 0x63)
  const { errorCode, apiKeys } = decodeResponse(apiVersions, 0, down!)
  assert.deepEqual([errorCode, apiKeys], [35, [{ apiKey: 18, minVersion: 0, maxVersion: 4 }]])
  const unnamed = await client.ask(apiVersions, 4, { clientSoftwareName: '-', clientSoftwareVersion: '' })
  assert.equal(unnamed?.errorCode, 42)
})

test('too many connections, and those that are idle', async () => {
  const handlers = [handlerOf(metadata, () => later(emptyMetadata, 1500))]
  await using server = await startTestServer({ handlers, config: { connectionsMax: 2, connectionIdleMs: 1000 } })
  using idle = await server.client()
  using busy = await server.client()
  using third = await server.client()
  await third.closed
  const startedMs = performance.now()
  const asked = busy.ask(metadata, 9, { topics: [] })
  await idle.closed
  assert.ok(performance.now() - startedMs > 900)
  assert.ok(await asked, 'who waits for an answer is not idle')
})

test('the internal socket is for us alone, and our client takes it for every broker', async () => {
  const principals: string[] = []
  const handlers = [
    handlerOf(metadata, (_, { session }) => {
      principals.push(`${session.principal} ${session.internal} ${session.clientHost}`)
      const brokers = [{ nodeId: 1, host: 'nowhere.invalid', port: 1, rack: null }]
      return { brokers, clusterId: 'x', controllerId: 1, topics: [] }
    }),
    handlerOf(listGroups, () => ({ groups: [] })),
  ]
  await using server = await startTestServer({ handlers })
  const { socketPath } = server
  assert.equal((await stat(socketPath)).mode & 0o777, 0o600)
  await using cluster = openCluster(server.spec({ socketPath, bootstrap: [{ host: 'nowhere.invalid', port: 9 }] }), {
    clock: systemClock,
    log: silentLog,
  })
  assert.equal(await cluster.clusterId(), 'x')
  await cluster.request({ to: 'node', nodeId: 1 }, listGroups, {})
  using outside = await server.client()
  await outside.ask(metadata, 9, { topics: [] })
  assert.equal(principals[0], 'User:linkspan true /local')
  assert.equal(principals.at(-1), 'User:ANONYMOUS false /127.0.0.1')
  await server.server.close()
  assert.ok(!existsSync(socketPath))
})

test('closing: what is under way is answered, nothing new is begun, and then the end comes', async () => {
  let begun = 0
  const handlers = [
    handlerOf(metadata, () => {
      begun += 1
      return later(emptyMetadata, 150)
    }),
    handlerOf(listGroups, (_, { signal }) => {
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve({ groups: [] })))
    }),
  ]
  await using server = await startTestServer({ handlers })
  using quiet = await server.client()
  using client = await server.client()
  using waiting = await server.client()
  const asked = client.ask(metadata, 9, { topics: [] })
  waiting.send(listGroups, 3, {})
  await until(() => begun === 1, 'the request')
  const startedMs = performance.now()
  const closing = server.server.close(600)
  await later(undefined, 20)
  client.send(metadata, 9, { topics: [] })
  await quiet.closed
  assert.ok(await asked)
  await client.closed
  await closing
  const tookMs = performance.now() - startedMs
  assert.ok(tookMs > 500 && tookMs < 1500, `${tookMs} ms`)
  assert.equal(begun, 1)
})
