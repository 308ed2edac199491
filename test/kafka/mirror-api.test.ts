import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { v3Dialect } from '../../src/api/kafka-v3/dialect.ts'
import { v3Routes } from '../../src/api/kafka-v3/routes.ts'
import { v1Dialect } from '../../src/api/v1/dialect.ts'
import { footprintRoutes } from '../../src/api/v1/footprint.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { Operations } from '../../src/events/operations.ts'
import { startTestApi } from '../support/api-server.ts'
import { waitFor } from '../support/process.ts'
import { kafkaAvailable } from './jars.ts'
import { openWorld } from './mirror-world.ts'
import { adminOf, fill, makeTopic, specOf } from './raw-log.ts'
import { sharedKafka } from './shared.ts'

const available = await kafkaAvailable()
const topic = 'api-orders'

describe("mirrors through Confluent's dialect", available, () => {
  test('every resource answers as their clients expect it', async (t) => {
    const [from, to] = await Promise.all([sharedKafka('3.9'), sharedKafka('4')])
    await using source = adminOf(from)
    await using destination = adminOf(to)
    await using world = await openWorld({ destination: specOf(to.bootstrap) })
    const { links, mirrors, bus } = world
    await using operations = new Operations({ clock: systemClock, log: silentLog, bus })
    const clusterId = await destination.clusterId()
    const rooms = { links, mirrors, bus, operations, clock: systemClock, kafkaClusterId: () => clusterId }
    const dialects = [v1Dialect(footprintRoutes({ mirrors })), v3Dialect(v3Routes(rooms))]
    const api = await startTestApi(t, { dialects })
    const send = async (method: string, path: string, body?: unknown) => {
      return await api.call({ method, path: `/kafka/v3/clusters/${clusterId}${path}`, ...(body ? { body } : {}) })
    }
    const get = (path: string) => send('GET', path)
    await makeTopic(source, topic, 2)
    await fill(source, topic, 0, { batches: 2, records: 5 })

    await checkLinks(send, from.bootstrap)
    await checkConfigs(send)
    await checkCreation(send)
    const isEqual = async () => {
      const [first] = (await get(`/links/api/mirrors/${topic}`)).body.mirror_lags
      return first.last_source_fetch_offset === 10 && first.lag === 0
    }
    await waitFor(isEqual, { what: 'the mirror equal' })
    await checkVerbs(send)
    await waitFor(isEqual, { what: 'the mirror equal again' })
    const started = await send('POST', '/links/api/mirrors:verify', { mirror_topic_names: [topic] })
    assert.equal(started.status, 202)
    const { metadata } = await operations.wait(started.body.operation.split('/').at(-1), 10_000)
    const { proofs } = metadata as { proofs: { equal: boolean; complete: boolean }[] }
    assert.deepEqual([proofs[0]?.equal, proofs[0]?.complete], [true, true])
    await checkTopics(send)
    const { metadata: items } = await api.call({ path: '/1.0/footprint?recursion=1' })
    assert.ok(
      items.some((item: { what: string; name: string }) => item.what === 'topic created' && item.name === topic),
    )
    assert.equal((await send('DELETE', '/links/api')).body.error_code, 40002)
    assert.equal((await send('DELETE', `/topics/${topic}`)).status, 204)
    assert.equal((await get(`/links/api/mirrors/${topic}`)).body.error_code, 404)
    assert.equal((await send('DELETE', '/links/api')).status, 204)
  })
})

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
type Send = (method: string, path: string, body?: unknown) => Promise<{ status: number; body: any; text: string }>

async function checkLinks(send: Send, bootstrap: string): Promise<void> {
  const configs = [
    { name: 'bootstrap.servers', value: bootstrap },
    { name: 'metadata.max.age.ms', value: 1000 },
  ]
  assert.equal((await send('POST', '/links?link_name=api&validate_only=true', { configs })).status, 204)
  assert.equal((await send('GET', '/links/api')).status, 404)
  // With the trailing slash that their tools send.
  assert.equal((await send('POST', '/links/?link_name=api', { configs })).status, 204)
  const again = await send('POST', '/links?link_name=api', { configs })
  assert.deepEqual([again.status, again.body.error_code], [409, 40902])
  const link = (await send('GET', '/links/api?include_tasks=true')).body
  assert.equal(link.link_state, 'ACTIVE')
  assert.equal(link.source_cluster_id, link.remote_cluster_id)
  assert.equal(link.destination_cluster_id, null)
  assert.deepEqual(
    link.tasks.map((task: { task_name: string; state: string }) => `${task.task_name} ${task.state}`),
    [
      'ConsumerOffsetSync NOT_CONFIGURED',
      'AclSync NOT_CONFIGURED',
      'AutoCreateMirror NOT_CONFIGURED',
      'TopicConfigsSync ACTIVE',
    ],
  )
}

async function checkConfigs(send: Send): Promise<void> {
  const alter = (body: unknown, method = 'PUT') => send(method, '/links/api/configs:alter', body)
  const shown = async (name: string) => (await send('GET', `/links/api/configs/${name}`)).body
  assert.equal((await alter({ configs: [{ name: 'acl.sync.ms', value: 7000 }] })).status, 204)
  assert.equal((await shown('acl.sync.ms')).value, '7000')
  assert.equal((await shown('acl.sync.ms')).source, 'DYNAMIC_CLUSTER_LINK_CONFIG')
  const wrong = await alter(
    {
      data: [
        { name: 'acl.sync.ms', value: '8000' },
        { name: 'nonsense ', value: 'x' },
      ],
    },
    'POST',
  )
  assert.equal(wrong.body.error_code, 40002)
  assert.match(wrong.body.message, /"nonsense "/)
  assert.equal((await shown('acl.sync.ms')).value, '7000')
  assert.equal((await send('DELETE', '/links/api/configs/acl.sync.ms')).status, 204)
  assert.equal((await shown('acl.sync.ms')).is_default, true)
  const { data } = (await send('GET', '/links/api/configs')).body
  assert.ok(data.length > 60 && data.every((one: { synonyms: unknown }) => Array.isArray(one.synonyms)))
}

async function checkCreation(send: Send): Promise<void> {
  const create = (body: unknown) => send('POST', '/links/api/mirrors', body)
  const unknown = await create({ source_topic_name: 'api-none' })
  assert.deepEqual([unknown.status, unknown.body.error_code], [404, 40403])
  const replicas = await create({ source_topic_name: topic, replication_factor: 3 })
  assert.deepEqual([replicas.status, replicas.body.error_code], [400, 40002])
  assert.match(replicas.body.message, /available brokers: 1/)
  const renamed = await create({ source_topic_name: topic, mirror_topic_name: 'other' })
  assert.equal(renamed.body.error_code, 40035)
  assert.equal((await create({ source_topic_name: topic, configs: [] })).status, 204)
  const again = await create({ source_topic_name: topic })
  assert.deepEqual(again.body, { error_code: 40002, message: `Topic '${topic}' already exists.` })
}

async function checkVerbs(send: Send): Promise<void> {
  const verb = async (name: string, body: unknown) => (await send('POST', `/links/api/mirrors:${name}`, body)).body
  const both = { mirror_topic_names: [topic], mirror_topic_name_pattern: '.*' }
  assert.equal((await verb('pause', both)).error_code, 400)
  assert.equal((await verb('pause', {})).error_code, 400)
  assert.equal((await verb('pause', { mirror_topic_name_pattern: '(a+)+b' })).error_code, 400)
  const mixed = (await verb('pause', { mirror_topic_names: [topic, 'nope'] })).data
  assert.deepEqual(
    mixed.map((item: { error_code: number | null }) => item.error_code),
    [null, 404],
  )
  assert.ok(mixed[1].error_message.includes("'nope'"))
  assert.deepEqual(
    mixed[0].mirror_lags.map((lag: { partition: number }) => lag.partition),
    [0, 1],
  )
  assert.equal((await send('GET', '/links/-/mirrors?mirror_status=paused')).body.data.length, 1)
  assert.equal((await send('GET', '/links/api/mirrors?mirror_status=nonsense')).status, 400)
  const [dry] = (await verb('promote?validate_only=true', { mirror_topic_names: [topic] })).data
  assert.equal(dry.error_code, 400)
  const [resumed] = (await verb('resume', { mirror_topic_name_pattern: 'api-.*' })).data
  assert.equal(resumed.error_code, null)
  for (const name of ['reverse-and-start-mirror', 'promote-local-and-pause-remote-mirror', 'truncate-and-restore']) {
    const [item] = (await verb(name, { mirror_topic_names: [topic] })).data
    assert.ok(item.error_code === 400 && item.error_message.length > 20, name)
  }
}

async function checkTopics(send: Send): Promise<void> {
  const missing = await send('GET', '/topics/api-none')
  assert.deepEqual([missing.status, missing.body.error_code], [404, 40403])
  assert.equal((await send('PATCH', `/topics/${topic}`, { partitions_count: 5 })).status, 400)
  const held = await send('POST', `/topics/${topic}/configs:alter`, { data: [{ name: 'retention.ms', value: '1' }] })
  assert.match(held.body.message, /Cannot modify mirror topic api-orders because 'retention.ms'/)
  const plain = { topic_name: 'api-plain', partitions_count: 2, configs: [{ name: 'retention.ms', value: '1000' }] }
  assert.equal((await send('POST', '/topics', { ...plain, validate_only: true })).status, 200)
  assert.equal((await send('POST', '/topics', plain)).status, 201)
  const again = await send('POST', '/topics', plain)
  assert.deepEqual(again.body, { error_code: 40002, message: "Topic 'api-plain' already exists." })
  const wrong = await send('POST', '/topics', { topic_name: 'api-wrong', replication_factor: 9 })
  assert.equal(wrong.status, 400)
  assert.equal((await send('PATCH', '/topics/api-plain', { partitions_count: 3 })).body.partitions_count, 3)
  const counted = await send('POST', '/topics/api-plain/configs:alter', {
    data: [{ name: 'num.partitions', value: '4' }],
  })
  assert.match(counted.body.message, /partitions_count/)
  const { data } = (await send('GET', '/topics/api-plain/partitions')).body
  assert.equal(data.length, 3)
  assert.match(data[0].leader.related, /\/1$/)
  const retention = (await send('GET', '/topics/api-plain/configs/retention.ms')).body
  assert.deepEqual([retention.value, retention.source], ['1000', 'DYNAMIC_TOPIC_CONFIG'])
  assert.equal((await send('DELETE', '/topics/api-plain')).status, 204)
}
