import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AclBinding } from '../../src/kafka/admin/acl-names.ts'
import { createAcls, describeAcls } from '../../src/kafka/admin/acls.ts'
import { commitGroupOffsets, fetchGroupOffsets } from '../../src/kafka/admin/group-offsets.ts'
import { produceBatch } from '../../src/kafka/admin/produce.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { waitFor } from '../support/process.ts'
import { type Kafka, startKafka } from './broker.ts'
import { kafkaAvailable } from './jars.ts'
import { openWorld } from './mirror-world.ts'
import { batchOf, ownClient, specOfUser } from './own-client.ts'
import { adminOf, fill, makeTopic } from './raw-log.ts'

const available = await kafkaAvailable()
const unavailable = ['LINK_UNAVAILABLE', 'NOT_CONFIGURED', 'NOT_CONFIGURED', 'LINK_UNAVAILABLE']

describe('mirrors where writers can be refused, and where the source dies', available, () => {
  test('nobody but us writes to a mirror; a failover without the source gives it back', async () => {
    await using source = await startKafka({ version: '3.9' })
    await using kafka = await startKafka({ version: '4', sasl: 'PLAIN', authorizer: true, users: { us: 'us-secret' } })
    await using theirs = adminOf(source)
    await using admin = await ownClient(kafka.config())
    await using writer = await ownClient(kafka.config('alice'))
    await allow(kafka, 'User:alice', 'ALL')
    await using world = await openWorld({ destination: await specOfUser(kafka, 'admin') })
    await world.link('guarded', source.bootstrap, {
      'consumer.offset.sync.enable': 'true',
      'consumer.offset.sync.ms': '1000',
      'availability.check.ms': '1000',
      'availability.check.consecutive.failure.threshold': '1',
      'consumer.offset.group.filters': '{"groupFilters":[{"name":"*","patternType":"LITERAL","filterType":"INCLUDE"}]}',
    })
    const at = { topic: 'orders', partition: 0 }
    await makeTopic(theirs, 'orders', 1, { 'retention.ms': '86400000' })
    await fill(theirs, 'orders', 0, { batches: 4, records: 5 })
    unwrap((await commitGroupOffsets(theirs, [{ group: 'readers', offsets: [{ ...at, offset: 13 }] }]))[0])

    const made = await world.mirrors.create({ link: 'guarded', sourceTopic: 'orders' })
    assert.equal(made?.row.readOnly.mode, 'deny-everyone')
    await world.caughtUp('guarded', 'orders', 20)
    await assert.rejects(produceBatch(writer, at, batchOf('x')), { code: 'kafka-not-permitted' })
    assert.deepEqual(
      world.mirrors.footprint().acls.map(({ principal, permission }) => [principal, permission]),
      [['User:*', 'DENY']],
    )
    const offset = async () => {
      const [found] = await fetchGroupOffsets(admin, [{ group: 'readers' }])
      return unwrap(found).offsets[0]?.offset
    }
    await waitFor(async () => (await offset()) === 13, { what: 'the group here' })
    // As a copy of an offset that the data never reached.
    unwrap((await commitGroupOffsets(admin, [{ group: 'readers', offsets: [{ ...at, offset: 99 }] }]))[0])
    await source.kill(1)
    await world.until('guarded', 'orders', 'SOURCE_UNAVAILABLE')
    const { health, tasks } = world.mirrors.linkView(world.links.require('guarded'))
    assert.deepEqual([health.state, tasks.map(({ state }) => state)], ['unreachable', unavailable])
    await assert.rejects(world.mirrors.promote(world.links.require('guarded'), 'orders'), /fail it over/)
    await world.mirrors.failover(world.links.require('guarded'), 'orders')
    const stopped = await world.until('guarded', 'orders', 'STOPPED', 60_000)
    assert.deepEqual(
      stopped.row.stop?.partitions.map(({ end, sourceHighWatermark }) => [end, sourceHighWatermark]),
      [[20, 20]],
    )
    assert.equal(await offset(), 20)
    await waitFor(() => produceBatch(writer, at, batchOf('x')), { what: 'alice writes again' })
    assert.deepEqual(world.mirrors.footprint().acls, [])
    const left = await describeAcls(admin, { resourceType: 'TOPIC', permission: 'DENY' })
    assert.deepEqual(left.authorizer && left.bindings, [])
  })

  test('without being super user, those whom an ACL lets write are denied by name', async () => {
    await using kafka = await startKafka({ version: '4', sasl: 'PLAIN', authorizer: true, users: { us: 'us-secret' } })
    await using admin = await ownClient(kafka.config())
    await using writer = await ownClient(kafka.config('alice'))
    await allow(kafka, 'User:alice', 'WRITE')
    await allow(kafka, 'User:us', 'ALL')
    await allowCluster(kafka, 'User:us')
    await using world = await openWorld({ destination: await specOfUser(kafka, 'us') })
    await makeTopic(admin, 'orders', 1)
    await fill(admin, 'orders', 0, { batches: 2, records: 5 })
    await world.link('own', kafka.bootstrap, ownLink(kafka))
    const made = await world.mirrors.create({ link: 'own', sourceTopic: 'orders' })
    assert.equal(made?.row.readOnly.mode, 'deny-writers')
    assert.deepEqual(
      made?.row.readOnly.acls.map(({ principal, resourceName }) => [principal, resourceName]),
      [['User:alice', 'copy.orders']],
    )
    await world.caughtUp('own', 'copy.orders', 10)
    const at = { topic: 'copy.orders', partition: 0 }
    await assert.rejects(produceBatch(writer, at, batchOf('x')), { code: 'kafka-not-permitted' })
    await world.mirrors.promote(world.links.require('own'), 'copy.orders')
    await world.until('own', 'copy.orders', 'STOPPED')
    await waitFor(() => produceBatch(writer, at, batchOf('x')), { what: 'alice writes again' })
  })
})

/** Of a cluster to itself, under a prefix. */
function ownLink(kafka: Kafka): Record<string, string> {
  const { 'bootstrap.servers': _, ...login } = kafka.config('us')
  return { ...login, 'cluster.link.prefix': 'copy.' }
}

function allow(kafka: Kafka, principal: string, operation: 'ALL' | 'WRITE'): Promise<void> {
  return create(kafka, { resourceType: 'TOPIC', resourceName: '*', principal, operation })
}

function allowCluster(kafka: Kafka, principal: string): Promise<void> {
  return create(kafka, { resourceType: 'CLUSTER', resourceName: 'kafka-cluster', principal, operation: 'ALL' })
}

type Rule = Pick<AclBinding, 'resourceType' | 'resourceName' | 'principal' | 'operation'>

async function create(kafka: Kafka, rule: Rule): Promise<void> {
  await using admin = await ownClient(kafka.config())
  const created = await createAcls(admin, [{ ...rule, patternType: 'LITERAL', host: '*', permission: 'ALLOW' }])
  assert.ok(created.authorizer)
  created.outcomes.forEach(unwrap)
}
