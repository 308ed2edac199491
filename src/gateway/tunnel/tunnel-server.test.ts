import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { waitFor } from '../../../test/support/process.ts'
import { committedMax, revealedHost, revealingKafka, topicIds } from '../../../test/support/revealing-kafka.ts'
import { TunnelWorld, testRights } from '../../../test/support/tunnel-world.ts'
import { dialPinned } from '../../transport/pinned.ts'
import {
  decodeTunnelAnswer,
  encodeTunnelFrame,
  type TunnelPreface,
  tunnelProtocol,
} from '../../transport/tunnel-preface.ts'
import { produce } from '../../wire/api/00-produce.ts'
import { fetch } from '../../wire/api/01-fetch.ts'
import { metadata } from '../../wire/api/03-metadata.ts'
import { offsetFetch } from '../../wire/api/09-offset-fetch.ts'
import { findCoordinator } from '../../wire/api/10-find-coordinator.ts'
import { listGroups } from '../../wire/api/16-list-groups.ts'
import { saslHandshake } from '../../wire/api/17-sasl-handshake.ts'
import { apiVersions } from '../../wire/api/18-api-versions.ts'
import { createTopics } from '../../wire/api/19-create-topics.ts'
import { describeAcls } from '../../wire/api/29-describe-acls.ts'
import { describeConfigs } from '../../wire/api/32-describe-configs.ts'
import { describeCluster } from '../../wire/api/60-describe-cluster.ts'
import { decodeResponse, encodeRequest } from '../../wire/frame.ts'
import type { Api, RequestInput } from '../../wire/schema.ts'
import { tunnelPolicy } from './policy.ts'

test('ApiVersions tells what the tunnel lets through, and answers an unknown version in v0', async () => {
  await using world = await TunnelWorld.start(revealingKafka())
  using client = await world.dial()
  const answer = decodeResponse(apiVersions, 4, await client.ask(apiVersions, 4, {}))
  const expected = tunnelPolicy.map(({ api, versions }) => [api.key, ...versions])
  const told = answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion])
  assert.deepEqual(
    told,
    [...expected, [18, 0, 4]].sort(([left], [right]) => left! - right!),
  )
  client.sendRaw(Buffer.from([0, 18, 0, 99, 0, 0, 0, 5, 0xff, 0xff]))
  const frame = (await client.next()) as Buffer
  assert.equal(frame.readInt32BE(0), 5)
  assert.equal(decodeResponse(apiVersions, 0, frame).errorCode, 35)
})

test('strangers, unknown brokers and a missing Kafka are refused with words that name no host', async () => {
  await using world = await TunnelWorld.start(revealingKafka())
  await assert.rejects(world.dial({ kind: 'bootstrap' }, true), { code: 'not-permitted' })
  await assert.rejects(world.dial({ kind: 'node', nodeId: 7 }), { code: 'unreachable' })
  using _known = await world.dial({ kind: 'node', nodeId: 1 })
  await world.server.useKafka({ reach: 'kafka', clientId: 'x', bootstrap: [{ host: '127.0.0.1', port: 1 }] })
  await assert.rejects(world.dial(), (error: Error) => {
    assert.equal((error as Error & { code: string }).code, 'unreachable')
    return !error.message.includes('127.0.0.1')
  })
  await world.server.useKafka(undefined)
  await assert.rejects(world.dial(), { code: 'unreachable' })
  assert.deepEqual([...new Set(world.audited.map(({ name }) => name))], ['tunnel-refused'])
})

test('a newer link is answered in our version; words that are no preface are refused', async () => {
  await using world = await TunnelWorld.start(revealingKafka())
  const { addresses, fingerprint, certificatePem, privateKeyPem } = world.spec
  const pair = { certificatePem, privateKeyPem }
  const answerTo = async (preface: object) => {
    const socket = await dialPinned({ addresses, fingerprint, alpn: tunnelProtocol, ...pair })
    socket.write(encodeTunnelFrame(preface as TunnelPreface))
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return decodeTunnelAnswer(chunk.subarray(4))
  }
  assert.deepEqual(await answerTo({ version: 2, target: { kind: 'bootstrap' }, more: 1 }), { version: 1, ok: true })
  for (const preface of [{}, { version: 0 }, { version: 1 }, { version: 1, target: { kind: 'node', host: 'a:1' } }]) {
    const answer = await answerTo(preface)
    assert.equal(!answer.ok && answer.code, 'malformed')
  }
})

const violations: [string, Api, number, object][] = [
  ['Produce', produce, 9, { topicData: [] }],
  ['SaslHandshake', saslHandshake, 1, { mechanism: 'PLAIN' }],
  ['CreateTopics', createTopics, 5, { topics: [] }],
  ['a fetch as a replica', fetch, 12, { replicaId: 1, topics: [] }],
  ['a fetch as a replica, newer form', fetch, 15, { replicaState: { replicaId: 1, replicaEpoch: 1 }, topics: [] }],
  ['an isolation level that there is not', fetch, 12, { isolationLevel: 2, topics: [] }],
  ['a fetch that would tell hosts', fetch, 16, { topics: [] }],
  ['metadata that would create topics', metadata, 3, { topics: [{ name: 'orders' }] }],
  ['a transaction coordinator', findCoordinator, 3, { key: 't', keyType: 1 }],
  ['offsets by topic id', offsetFetch, 10, { groups: [] }],
  ['configuration of a broker', describeConfigs, 4, { resources: [{ resourceType: 4, resourceName: '1' }] }],
  ['controllers', describeCluster, 1, { endpointType: 2 }],
]

test('what does not pass ends the tunnel, is written down, and never reaches the source', async () => {
  await using world = await TunnelWorld.start(revealingKafka())
  for (const [what, api, version, body] of violations) {
    using client = await world.dial()
    world.kafka.requests.length = 0
    const before = world.audited.length
    client.send(api, version, body as RequestInput<Api>)
    assert.equal(await client.next(), undefined, what)
    const audited = world.audited.slice(before).map(({ name }) => name)
    assert.deepEqual(audited, ['tunnel-violation'], what)
    assert.equal(world.kafka.requests.length, 0, what)
  }
})

test('hand-made frames end the tunnel: unknown APIs, bytes behind the body, half a header, a huge claim', async () => {
  await using world = await TunnelWorld.start(revealingKafka(), { requestBytesMax: 1000 })
  const header = (key: number, version: number) => {
    const bytes = Buffer.alloc(10)
    bytes.writeInt16BE(key, 0)
    bytes.writeInt16BE(version, 2)
    bytes.writeInt16BE(-1, 8)
    return bytes
  }
  const list = Buffer.concat(encodeRequest(listGroups, 4, 1, 'x', {})).subarray(4)
  const frames = [header(999, 0), header(58, 0), header(-1, 0), header(16, -1), Buffer.concat([list, Buffer.alloc(3)])]
  for (const frame of [...frames, Buffer.alloc(3), Buffer.alloc(0), Buffer.alloc(1001)]) {
    using client = await world.dial()
    client.sendRaw(frame)
    assert.equal(await client.next(), undefined, frame.toString('hex').slice(0, 40))
    await waitFor(() => world.audited.at(-1)?.name === 'tunnel-violation')
    world.audited.length = 0
  }
})

test('tags that we do not know stay here', async () => {
  await using world = await TunnelWorld.start(revealingKafka())
  using client = await world.dial()
  const frame = Buffer.concat(encodeRequest(listGroups, 4, 1, 'x', {})).subarray(4)
  // The last byte counts the tags of the body: one, number 77, three bytes.
  client.sendRaw(Buffer.concat([frame.subarray(0, -1), Buffer.from([1, 77, 3, 9, 9, 9])]))
  assert.ok(await client.next())
  const reached = world.kafka.seen(listGroups).at(-1)
  assert.deepEqual(reached?.body, { statesFilter: [], typesFilter: [] })
})

test('a mixed request gets its own part from the source, and the rest as if it were not there', async () => {
  await using world = await TunnelWorld.start(revealingKafka())
  using client = await world.dial()
  const part = { partitions: [{ partition: 0, partitionMaxBytes: 1000 }] }
  const topics = [
    { topic: 'secret', ...part },
    { topic: 'orders', ...part },
    { topic: 'viewed', ...part },
  ]
  const asked = { maxWaitMs: 400, topics: [...topics, { topic: '__consumer_offsets', ...part }] }
  const answer = decodeResponse(fetch, 11, await client.ask(fetch, 11, asked))
  const codes = answer.responses.map(({ topic, partitions }) => [topic, partitions[0]?.errorCode])
  assert.deepEqual(codes, [
    ['orders', 0],
    ['secret', 3],
    ['viewed', 3],
    ['__consumer_offsets', 3],
  ])
  assert.equal(world.kafka.seen(fetch).at(-1)?.body.maxWaitMs, 0, 'an error that is known is told at once')
})

test('topic ids count by their names; ids of before the start are learnt when they are asked for', async () => {
  await using world = await TunnelWorld.start(revealingKafka())
  using client = await world.dial()
  const topics = Object.values(topicIds).map((topicId) => ({ topicId, partitions: [{ partition: 0 }] }))
  const answer = decodeResponse(fetch, 13, await client.ask(fetch, 13, { topics }))
  const codes = Object.fromEntries(answer.responses.map((one) => [one.topicId, one.partitions[0]?.errorCode]))
  const { orders, viewed, secret, absent } = topicIds
  assert.deepEqual(codes, { [orders]: 0, [viewed]: 100, [secret]: 100, [absent]: 100 })
  const asked = { topics: Object.values(topicIds).map((topicId) => ({ topicId, name: null })) }
  const named = decodeResponse(metadata, 12, await client.ask(metadata, 12, asked))
  const names = named.topics.map(({ name, errorCode }) => [name, errorCode])
  assert.deepEqual(names, [
    ['orders', 0],
    ['viewed', 0],
    [null, 100],
    [null, 100],
  ])
})

test('of all topics, groups and ACLs only those of the link are told', async () => {
  await using world = await TunnelWorld.start(revealingKafka())
  using client = await world.dial()
  const all = decodeResponse(metadata, 12, await client.ask(metadata, 12, { topics: null }))
  assert.deepEqual(
    all.topics.map(({ name }) => name),
    ['orders', 'viewed'],
  )
  assert.deepEqual(all.brokers, [{ nodeId: 1, host: '', port: 0, rack: null }])
  const offsets = { groups: [{ groupId: 'team-a', topics: null }] }
  const committed = decodeResponse(offsetFetch, 8, await client.ask(offsetFetch, 8, offsets))
  assert.deepEqual(
    committed.groups[0]?.topics.map(({ name, partitions }) => [name, ...partitions.map((one) => one.committedOffset)]),
    [
      ['orders', 42n, committedMax],
      ['viewed', 42n, committedMax],
    ],
  )
  const any = { resourceTypeFilter: 1, patternTypeFilter: 1, operation: 1, permissionType: 1 }
  const filter = { ...any, resourceNameFilter: null, principalFilter: null, hostFilter: null }
  const acls = decodeResponse(describeAcls, 3, await client.ask(describeAcls, 3, filter))
  const told = acls.resources.map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`)
  assert.deepEqual(told, ['2 orders', '3 team-a'])
  assert.equal(acls.errorMessage, null)
})

test('a session is not given, and one that is asked for is not known', async () => {
  await using world = await TunnelWorld.start(revealingKafka())
  using client = await world.dial()
  const topics = [{ topic: 'orders', partitions: [{ partition: 0 }] }]
  const first = decodeResponse(fetch, 12, await client.ask(fetch, 12, { sessionEpoch: 0, topics }))
  assert.deepEqual([first.errorCode, first.sessionId, first.responses.length], [0, 0, 1])
  const second = decodeResponse(fetch, 12, await client.ask(fetch, 12, { sessionId: 9, sessionEpoch: 1, topics: [] }))
  assert.deepEqual([second.errorCode, second.sessionId], [70, 0])
})

test('answers come in the order of their requests, also when the gateway knows the later one at once', async () => {
  await using world = await TunnelWorld.start(revealingKafka())
  const late: (() => void)[] = []
  world.kafka.on(listGroups, ({ answer }) => late.push(() => answer({ groups: [] })))
  using client = await world.dial()
  client.send(listGroups, 4, {}, 1)
  client.send(fetch, 12, { topics: [{ topic: 'secret', partitions: [{ partition: 0 }] }] }, 2)
  client.send(apiVersions, 4, {}, 3)
  await waitFor(() => late.length === 1)
  assert.equal(client.frames.length, 0)
  late[0]?.()
  for (const id of [1, 2, 3]) assert.equal((await client.next())?.readInt32BE(0), id)
})

test('rights are those of the moment, at the question and again at the answer', async () => {
  await using world = await TunnelWorld.start(revealingKafka())
  const held: (() => void)[] = []
  world.kafka.on(fetch, ({ body, answer }) => {
    const responses = body.topics.map(({ topic }) => ({ topic, partitions: [{ records: Buffer.from('records') }] }))
    held.push(() => answer({ responses }))
  })
  using client = await world.dial()
  client.send(fetch, 12, { topics: [{ topic: 'orders', partitions: [{ partition: 0 }] }] })
  await waitFor(() => held.length === 1)
  world.rights = { ...testRights(), mayReadTopic: () => false }
  held[0]?.()
  const answer = decodeResponse(fetch, 12, (await client.next()) as Buffer)
  assert.equal(answer.responses[0]?.partitions[0]?.errorCode, 3)
  assert.equal(answer.responses[0]?.partitions[0]?.records?.length, 0)
  world.rights = undefined
  client.send(listGroups, 4, {})
  assert.equal(await client.next(), undefined)
})

test('a link has so many tunnels, and gets its place back when one ends', async () => {
  await using world = await TunnelWorld.start(revealingKafka(), { connectionsMax: 2 })
  using first = await world.dial()
  using _second = await world.dial()
  await assert.rejects(world.dial(), { code: 'rate-limited' })
  first.socket.destroy()
  await waitFor(() => world.server.stats.tunnels === 1)
  using _third = await world.dial()
  assert.ok(world.audited.every(({ detail }) => !detail.includes(revealedHost)))
})

test('more requests than allowed wait, and none is lost', async () => {
  await using world = await TunnelWorld.start(revealingKafka(), { requestsPerSecond: 100, requestsBurst: 5 })
  using client = await world.dial()
  const start = performance.now()
  for (let id = 1; id <= 25; id += 1) client.send(listGroups, 4, {}, id)
  for (let id = 1; id <= 25; id += 1) assert.equal((await client.next())?.readInt32BE(0), id)
  assert.ok(performance.now() - start > 150, 'twenty requests beyond the burst take about 200 ms')
})

test('the end of the source connection is the end of the tunnel', async () => {
  await using world = await TunnelWorld.start(revealingKafka())
  using client = await world.dial()
  world.kafka.disconnect()
  await client.closed
  assert.deepEqual(world.audited, [])
})
