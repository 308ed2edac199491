import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { logStart } from '../../src/kafka/admin/offsets.ts'
import { deleteRecords } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { sameContent } from '../../src/records/content.ts'
import { kafkaAvailable } from '../kafka/jars.ts'
import { kcatConsume, kcatProduce } from '../kafka/kcat.ts'
import { createTopic, produce } from '../kafka/produce.ts'
import { adminOf, readLog } from '../kafka/raw-log.ts'
import { sharedKafka } from '../kafka/shared.ts'
import type { KafkaAddress } from '../kafka/tools.ts'
import { embeddedBroker } from '../support/daemon.ts'
import { waitFor } from '../support/process.ts'
import { caughtUp, cli, hasStatus, linkSites } from '../support/sites.ts'

const available = await kafkaAvailable('3.9', '4')

describe('what no client can write goes to an embedded broker as it is stored', available, () => {
  for (const line of ['3.9', '4'] as const) {
    test(`transactions, a log start above 0 and append times of Kafka ${line}`, async () => {
      await using sites = await linkSites(await sharedKafka(line), embeddedBroker)
      const { daemon } = sites.east
      const [source, mirror] = [sites.west.kafka, sites.east.kafka]
      await using there = adminOf(source)
      await using here = adminOf(mirror)
      const topic = `raw-${line}-${process.pid}`
      await createTopic(source, topic, { partitions: 3 })
      await transactions(source, topic, ['commit', 'abort', 'commit'])
      await kcatProduce(source, topic, lines('plain', 200), { partition: 1, codec: 'lz4' })
      const begin = { topic, partition: 1, offset: 77 }
      for (const outcome of await deleteRecords(there, [begin])) unwrap(outcome)

      await cli(daemon, `kafka mirror create ${topic} --link west`)
      await transactions(source, topic, ['abort', 'commit'])
      await kcatProduce(source, topic, lines('late', 50), { partition: 2, codec: 'zstd' })
      await settle(there, here, sites.east, topic)
      const begins = async () => unwrap((await logStart(here, [{ topic, partition: 1 }]))[0]).offset === 77
      await waitFor(begins, { timeoutMs: 20_000, what: "the source's log start, inside of its first batch" })
      // A consumer of committed data, as librdkafka is by default.
      const committed = await kcatConsume(source, topic)
      assert.deepEqual(await kcatConsume(mirror, topic), committed)
      assert.ok(committed.length > 0 && !committed.some(({ value }) => value?.startsWith('abort')))
      assert.match(await cli(daemon, `verify ${topic} --link west`), /equal/i)

      const foreign = kcatProduce(mirror, topic, lines('foreign', 1), { partition: 0 })
      await assert.rejects(foreign)
      await cli(daemon, `kafka mirror promote ${topic} --link west`)
      await hasStatus(daemon, 'west', topic, 'STOPPED')
      await kcatProduce(mirror, topic, lines('ours', 1), { partition: 1 })
    })

    test(`records with the append time of Kafka ${line}`, async () => {
      await using sites = await linkSites(await sharedKafka(line), embeddedBroker)
      const { daemon } = sites.east
      const topic = `stamped-${line}-${process.pid}`
      await using there = adminOf(sites.west.kafka)
      await using here = adminOf(sites.east.kafka)
      await createTopic(sites.west.kafka, topic, { config: { 'message.timestamp.type': 'LogAppendTime' } })
      await kcatProduce(sites.west.kafka, topic, lines('stamped', 100), { partition: 0, codec: 'snappy' })
      await cli(daemon, `kafka mirror create ${topic} --link west`)
      await caughtUp(daemon, 'west', topic, [100])
      await assertSame(there, here, topic, 0)
    })
  }
})

/** In turn, each with records in partitions 0 and 2. */
async function transactions(kafka: KafkaAddress, topic: string, outcomes: ('commit' | 'abort')[]): Promise<void> {
  for (const [index, outcome] of outcomes.entries()) {
    const records = [0, 2].flatMap((partition) => {
      return Array.from({ length: 5 }, (_, row) => ({ partition, value: `${outcome} ${index} row ${row}` }))
    })
    await produce(kafka, topic, records, { transactionalId: `tx-${topic}`, outcome })
  }
}

/** Until every batch of the source is in the mirror; then they are compared. */
async function settle(
  there: KafkaCluster,
  here: KafkaCluster,
  { daemon }: { daemon: Parameters<typeof caughtUp>[0] },
  topic: string,
): Promise<void> {
  const logs = await Promise.all(
    [0, 1, 2].map((partition) => readLog(there, topic, partition, partition === 1 ? 77 : 0)),
  )
  await caughtUp(
    daemon,
    'west',
    topic,
    logs.map((log) => log.at(-1)?.end ?? 0),
  )
  for (const partition of [0, 1, 2]) await assertSame(there, here, topic, partition, partition === 1 ? 77 : 0)
}

async function assertSame(
  there: KafkaCluster,
  here: KafkaCluster,
  topic: string,
  partition: number,
  from = 0,
): Promise<void> {
  const [source, mirror] = await Promise.all([
    readLog(there, topic, partition, from),
    readLog(here, topic, partition, from),
  ])
  assert.ok(source.length > 0)
  const places = (log: typeof source) => log.map(({ offset, end }) => `${offset}-${end}`)
  assert.deepEqual(places(mirror), places(source))
  for (const [index, { bytes, offset }] of source.entries()) {
    assert.ok(sameContent(bytes, 0, mirror[index]!.bytes, 0), `batch at ${offset} of partition ${partition}`)
  }
}

function lines(name: string, count: number) {
  return Array.from({ length: count }, (_, index) => ({ key: `k${index % 3}`, value: `${name} ${index}` }))
}
