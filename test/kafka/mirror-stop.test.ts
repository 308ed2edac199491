import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createAcls, describeAcls } from '../../src/kafka/admin/acls.ts'
import { logEnd } from '../../src/kafka/admin/offsets.ts'
import { produceBatch } from '../../src/kafka/admin/produce.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { buildBatch } from '../../src/records/build.ts'
import { waitFor } from '../support/process.ts'
import type { TestProxy } from '../support/proxy.ts'
import { type Kafka, startKafka } from './broker.ts'
import { kafkaAvailable } from './jars.ts'
import { type MirrorWorld, openWorld } from './mirror-world.ts'
import { ownClient, specOfUser } from './own-client.ts'
import { adminOf, assertSameLog, fill, makeTopic } from './raw-log.ts'
import { sharedKafka } from './shared.ts'

const available = await kafkaAvailable()
const old = { timestampMs: Date.UTC(2017, 0, 1) }
const keep = { 'retention.ms': '-1' }
const held = { batches: 40, records: 10, valueBytes: 2000 }

/** What is on its way when a mirror stops must not come later, or be named. Each waits, at a broker of its own. */
describe('a mirror that is stopped while its requests are held', { ...available, concurrency: 2 }, () => {
  const open: AsyncDisposable[] = []
  let source: KafkaCluster
  let bootstrap: string

  before(async () => {
    const shared = await sharedKafka('4')
    bootstrap = shared.bootstrap
    source = adminOf(shared)
    open.push(source)
  })

  after(async () => {
    for (const one of open.reverse()) await one[Symbol.asyncDispose]()
  })

  interface Case {
    world: MirrorWorld
    proxy: TestProxy
    copies: KafkaCluster
    topic: string
    end: () => Promise<number>
  }

  /** A mirror whose requests for 400 more records are held. */
  async function holding(
    name: string,
    kafka: Kafka,
    copies: KafkaCluster,
    world: MirrorWorld,
    age: Partial<typeof old> = {},
  ): Promise<Case> {
    const proxy = kafka.proxies[0] as TestProxy
    await makeTopic(source, name, 1, keep)
    await fill(source, name, 0, { batches: 5, records: 10, ...age })
    await world.mirrors.create({ link: 'west', sourceTopic: name })
    await world.caughtUp('west', name, 50)
    proxy.hold()
    await fill(source, name, 0, { ...held, ...age })
    await waitFor(() => proxy.heldBytes > 300_000, { what: 'requests that are held' })
    const end = async () => unwrap((await logEnd(copies, [{ topic: name, partition: 0 }]))[0]).offset
    return { world, proxy, copies, topic: name, end }
  }

  async function plainWorld(kafka: Kafka, requestTimeoutMs: number): Promise<MirrorWorld> {
    const destination = await specOfUser(kafka)
    const world = await openWorld({ destination, pumpSettings: { drainGraceMs: 1000, requestTimeoutMs } })
    await world.link('west', bootstrap)
    return world
  }

  /** Everything that the proxy held has reached the broker, and its log stands still. */
  async function delivered({ proxy, end }: Case): Promise<number> {
    await waitFor(() => proxy.heldBytes === 0, { what: 'the arrival of everything that was held' })
    let seen = -1
    let sinceMs = 0
    const rests = async () => {
      const found = await end()
      if (found !== seen) sinceMs = performance.now()
      seen = found
      return performance.now() - sinceMs > 1000
    }
    await waitFor(rests, { what: 'a log end that stands still' })
    return seen
  }

  test('let go in time, with the connection open: promoted with all of it, and nothing comes after', async () => {
    await using kafka = await startKafka({ version: '4', proxied: true })
    await using copies = adminOf({ bootstrap: kafka.direct })
    await using world = await plainWorld(kafka, 30_000)
    const one = await holding('promoted-open', kafka, copies, world)
    await world.mirrors.promote(world.links.require('west'), one.topic)
    assert.equal(world.view('west', one.topic).row.state.name, 'PENDING_STOPPED')
    one.proxy.release()
    await world.until('west', one.topic, 'STOPPED', 60_000)
    const stopped = world.view('west', one.topic).row.stop
    assert.equal(stopped?.partitions[0]?.end, 450)
    assert.equal(await delivered(one), 450)
    await assertSameLog({ cluster: source, topic: one.topic }, { cluster: copies, topic: one.topic }, 0)
  })

  test('let go after its connection was closed: doubles of young data are refused by the broker', async () => {
    await using kafka = await startKafka({ version: '4', proxied: true })
    await using copies = adminOf({ bootstrap: kafka.direct })
    await using world = await plainWorld(kafka, 2000)
    const one = await holding('promoted-closed', kafka, copies, world)
    await world.mirrors.promote(world.links.require('west'), one.topic)
    one.proxy.spareNew()
    await world.until('west', one.topic, 'STOPPED', 60_000)
    assert.equal(await one.end(), 450)
    one.proxy.release()
    assert.equal(await delivered(one), 450)
    await assertSameLog({ cluster: source, topic: one.topic }, { cluster: copies, topic: one.topic }, 0)
    assert.equal(world.view('west', one.topic).row.stop?.lateWrite, null)
  })

  test('let go after its connection was closed, old data: what lands is named in the report', async () => {
    const config = { 'producer.id.expiration.check.interval.ms': '2000' }
    await using kafka = await startKafka({ version: '4', proxied: true, config })
    await using copies = adminOf({ bootstrap: kafka.direct })
    await using world = await plainWorld(kafka, 2000)
    const one = await holding('failed-over-old', kafka, copies, world, old)
    one.proxy.spareNew()
    await world.mirrors.failover(world.links.require('west'), one.topic)
    const { row } = await world.until('west', one.topic, 'STOPPED', 60_000)
    const end = row.stop?.partitions[0]?.end
    assert.equal(await one.end(), end)
    one.proxy.release()
    assert.ok((await delivered(one)) > (end ?? 0))
    const named = () => world.view('west', one.topic).row.stop?.lateWrite
    const text = await waitFor(named, { timeoutMs: 20_000, what: 'the late write in the report' })
    assert.match(text, new RegExp(`reached partition 0 of '${one.topic}' after it had been stopped at offset ${end} `))
    const told = world.events.find((event) => JSON.stringify(event).includes('mirror-late-write'))
    assert.ok(told, 'an event tells of the late write')
  })

  test('let go after its connection was closed, where an authorizer binds us: nothing lands', async () => {
    await using kafka = await startKafka({
      ...{ version: '4', proxied: true, sasl: 'PLAIN', authorizer: true, users: { us: 'us-secret' } },
      config: { 'producer.id.expiration.check.interval.ms': '2000' },
    })
    await using copies = await ownClient(kafka.behind.config())
    await allowUs(copies)
    const destination = await specOfUser(kafka, 'us')
    await using world = await openWorld({ destination, pumpSettings: { requestTimeoutMs: 2000 } })
    await world.link('west', bootstrap)
    const one = await holding('failed-over-denied', kafka, copies, world, old)
    assert.equal(world.view('west', one.topic).row.readOnly.mode, 'deny-writers')
    one.proxy.spareNew()
    await world.mirrors.failover(world.links.require('west'), one.topic)
    const { row } = await world.until('west', one.topic, 'STOPPED', 60_000)
    assert.deepEqual(
      row.selfDenial.map(({ principal, operation, permission }) => [principal, operation, permission]),
      [['User:us', 'WRITE', 'DENY']],
    )
    assert.deepEqual(world.mirrors.footprint().acls, row.selfDenial)
    const end = row.stop?.partitions[0]?.end
    one.proxy.release()
    assert.equal(await delivered(one), end)
    assert.equal(world.view('west', one.topic).row.stop?.lateWrite, null)

    // Mirrored anew, we have to write again: the copy here is the beginning of the source.
    await world.mirrors.create({ link: 'west', sourceTopic: one.topic, adopt: true })
    await world.caughtUp('west', one.topic, 450)
    const left = await describeAcls(copies, { resourceType: 'TOPIC', permission: 'DENY' })
    assert.deepEqual(left.authorizer && left.bindings, [])
  })
})

async function allowUs(admin: KafkaCluster): Promise<void> {
  const rule = {
    principal: 'User:us',
    operation: 'ALL',
    patternType: 'LITERAL',
    host: '*',
    permission: 'ALLOW',
  } as const
  const made = await createAcls(admin, [
    { ...rule, resourceType: 'TOPIC', resourceName: '*' },
    { ...rule, resourceType: 'CLUSTER', resourceName: 'kafka-cluster' },
  ])
  assert.ok(made.authorizer)
  made.outcomes.forEach(unwrap)
}

describe('a promotion that fences its source', available, () => {
  test('its writers are denied until they are let again, and it is promoted although they would go on', async () => {
    await using west = await startKafka({ version: '4', sasl: 'PLAIN', authorizer: true })
    await using admin = await ownClient(west.config())
    await using writer = await ownClient(west.config('alice'))
    const alice = { principal: 'User:alice', patternType: 'LITERAL', host: '*', permission: 'ALLOW' } as const
    const rule = { ...alice, resourceType: 'TOPIC', resourceName: 'orders', operation: 'ALL' } as const
    const allowed = await createAcls(admin, [rule])
    assert.ok(allowed.authorizer)
    const shared = await sharedKafka('4')
    await using world = await openWorld({ destination: await specOfUser(shared) })
    const { 'bootstrap.servers': servers = '', ...login } = west.config()
    await world.link('west', servers, { ...login, 'cluster.link.prefix': 'fenced.' })
    await makeTopic(admin, 'orders', 1)
    const at = { topic: 'orders', partition: 0 }
    await world.mirrors.create({ link: 'west', sourceTopic: 'orders' })
    let writes = 0
    const writing = async () => {
      for (;;) {
        await produceBatch(writer, at, orderBatch(writes))
        writes += 1
      }
    }
    const refused = assert.rejects(writing(), { code: 'kafka-not-permitted' })
    await waitFor(() => writes > 50, { what: 'a producer at work' })
    const link = world.links.require('west')
    await world.mirrors.promote(link, 'fenced.orders')
    const errors = () => world.view('west', 'fenced.orders').transitionErrors.map(({ message }) => message)
    await waitFor(() => errors().some((text) => /still (written to|lacks)/.test(text)), { what: 'the obstacle' })
    await world.mirrors.promote(link, 'fenced.orders', { fenceSource: true })
    await refused
    const { row } = await world.until('west', 'fenced.orders', 'STOPPED')
    assert.ok(row.stop?.partitions[0]?.end === row.stop?.partitions[0]?.sourceHighWatermark)
    const { sourceFences } = world.mirrors.footprint()
    assert.deepEqual(sourceFences, [{ topic: 'fenced.orders', sourceTopic: 'orders', by: 'kafka' }])
    await world.mirrors.unfenceSource(link, 'fenced.orders')
    await waitFor(() => produceBatch(writer, at, orderBatch(writes)), { what: 'the producer is let again' })
    assert.deepEqual(world.mirrors.footprint().sourceFences, [])
    const left = await describeAcls(admin, { resourceType: 'TOPIC', permission: 'DENY' })
    assert.deepEqual(left.authorizer && left.bindings, [])
  })

  test('without an authorizer over there it waits, and says that they have to be stopped by hand', async () => {
    const [west, east] = [await sharedKafka('3.9'), await sharedKafka('4')]
    await using admin = adminOf(west)
    await using world = await openWorld({ destination: await specOfUser(east) })
    await world.link('west', west.bootstrap, { 'cluster.link.prefix': 'unfenced.' })
    await makeTopic(admin, 'open-orders', 1)
    await fill(admin, 'open-orders', 0, { batches: 2, records: 5 })
    await world.mirrors.create({ link: 'west', sourceTopic: 'open-orders' })
    const link = world.links.require('west')
    const topic = 'unfenced.open-orders'
    await world.mirrors.promote(link, topic, { fenceSource: true })
    const errors = () => world.view('west', topic).transitionErrors.map(({ message }) => message)
    await waitFor(() => errors().some((text) => /no authorizer.*Stop them by hand/.test(text)), { what: 'the reason' })
    await world.mirrors.failover(link, topic)
    await world.until('west', topic, 'STOPPED')
  })
})

function orderBatch(number: number): Buffer {
  return buildBatch([{ timestampMs: Date.now(), key: null, value: Buffer.from(`order ${number}`) }], { codec: 'none' })
}
