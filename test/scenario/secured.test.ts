import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAcls } from '../../src/kafka/admin/acls.ts'
import { produceBatch } from '../../src/kafka/admin/produce.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { buildBatch } from '../../src/records/build.ts'
import { startKafka } from '../kafka/broker.ts'
import { kafkaAvailable } from '../kafka/jars.ts'
import { ownClient } from '../kafka/own-client.ts'
import { assertSameLog, fill, makeTopic } from '../kafka/raw-log.ts'
import { waitFor } from '../support/process.ts'
import { caughtUp, cli, hasStatus, linkSites, refused } from '../support/sites.ts'

const available = await kafkaAvailable('3.9', '4')

describe('mirrors between clusters that ask for logins', available, () => {
  test('SCRAM over TLS here, PLAIN with an authorizer there: exact, fenced over the link, promoted', async () => {
    const [west, east] = await Promise.all([
      startKafka({ version: '3.9', sasl: 'SCRAM-SHA-512', tls: true, authorizer: true }),
      startKafka({ version: '4', sasl: 'PLAIN', authorizer: true }),
    ])
    await using _west = west
    await using _east = east
    await using sites = await linkSites(west, east, { rights: ['topic orders can_read'] })
    await using there = await ownClient(west.config())
    await using here = await ownClient(east.config())
    await using alice = await ownClient(west.config('alice'))
    const allowed = await createAcls(there, [
      {
        ...{ resourceType: 'TOPIC', resourceName: 'orders', patternType: 'LITERAL', operation: 'ALL' },
        ...{ principal: 'User:alice', host: '*', permission: 'ALLOW' },
      },
    ])
    assert.ok(allowed.authorizer)
    allowed.outcomes.forEach(unwrap)
    await makeTopic(there, 'orders', 2)
    await fill(there, 'orders', 0, { batches: 20, records: 7, codec: 'zstd' })
    await fill(there, 'orders', 1, { batches: 20, records: 3, codec: 'lz4' })
    const { daemon } = sites.east
    await cli(daemon, 'kafka mirror create orders --link west')
    await caughtUp(daemon, 'west', 'orders', [140, 60])

    let writes = 0
    const write = async (partition: number) => {
      const row = { timestampMs: Date.now(), key: null, value: Buffer.from(`order ${writes}`) }
      await produceBatch(alice, { topic: 'orders', partition }, buildBatch([row], { codec: 'none' }))
      writes += 1
      return true
    }
    const writing = async () => {
      for (;;) await write(writes % 2)
    }
    const denied = assert.rejects(writing(), { code: 'kafka-not-permitted' })
    await waitFor(() => writes > 20, { what: 'a producer at work' })
    await cli(daemon, 'kafka mirror promote orders --link west --fence-source')
    const errors = async () => {
      return (await cli(daemon, 'kafka mirror state-transition-error list orders --link west -f csv')).trim()
    }
    const hint = 'grant this cluster "topic orders can_edit"'
    await waitFor(async () => (await errors()).includes(hint.replaceAll('"', '""')), { what: 'what has to be granted' })
    assert.match(await cli(sites.west.daemon, 'footprint -f csv'), /^$/)
    await cli(sites.west.daemon, 'auth group permission add readers topic orders can_edit')
    await denied
    await hasStatus(daemon, 'west', 'orders', 'STOPPED')
    for (const partition of [0, 1]) {
      await assertSameLog({ cluster: there, topic: 'orders' }, { cluster: here, topic: 'orders' }, partition)
    }
    assert.match(await cli(sites.west.daemon, 'footprint -f csv'), /topic fenced,orders/)
    assert.match(await cli(daemon, 'footprint -f csv'), /source fenced,orders,.*by the other cluster/)
    await cli(daemon, 'kafka mirror unfence-source orders --link west')
    await waitFor(() => write(0).catch(() => false), { what: 'the producer is let again' })
    assert.match(await refused(sites.west.daemon, 'kafka topic unfence orders'), /'orders' is not fenced/)
    await cli(sites.west.daemon, 'kafka topic fence orders')
    await cli(sites.west.daemon, 'kafka topic unfence orders')
  })
})
