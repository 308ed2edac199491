import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { kafkaAvailable } from '../kafka/jars.ts'
import { codecs, kcatConsume, kcatProduce } from '../kafka/kcat.ts'
import { createTopic, produce } from '../kafka/produce.ts'
import { adminOf, assertSameLog } from '../kafka/raw-log.ts'
import { sharedKafka } from '../kafka/shared.ts'
import { consoleConsume, type KafkaAddress, runTool } from '../kafka/tools.ts'
import { everyPair, linkPair } from '../support/pairs.ts'
import { caughtUp, cli, linkSites, refused } from '../support/sites.ts'

const available = await kafkaAvailable('3.9', '4')
/** Explicit partitions 0 to 5, and what Java makes of three keys: some stay empty. */
const partitions = 12

describe('what independent clients read on both sides is identical', available, () => {
  for (const [from, to] of everyPair) {
    test(`Kafka ${from} to ${to}, through the link`, async () => {
      await using sites = await linkPair(from, to)
      const [source, destination] = [sites.west.kafka, sites.east.kafka]
      const topic = `exact-${from}-${to}-${process.pid}`
      await createTopic(source, topic, { partitions, config: { 'max.message.bytes': '2097152' } })
      await produceByEverybody(source, topic)
      await cli(sites.east.daemon, `kafka mirror create ${topic} --link west`)
      // Some of it while the mirror runs.
      await kcatProduce(source, topic, textRecords('late', 500), { codec: 'lz4', partition: 0 })

      const written = await kcatConsume(source, topic)
      const ends = Array.from({ length: partitions }, (_, partition) => endOf(written, partition))
      assert.ok(ends.includes(0), 'some partitions stay empty')
      await caughtUp(sites.east.daemon, 'west', topic, ends)

      assert.deepEqual(await kcatConsume(destination, topic), written)
      const [shown, mirrored] = await Promise.all([
        consoleConsume(source, topic, { records: written.length }),
        consoleConsume(destination, topic, { records: written.length }),
      ])
      assert.deepEqual(byPlace(mirrored), byPlace(shown))
      await using left = adminOf(source)
      await using right = adminOf(destination)
      for (let partition = 0; partition < partitions; partition += 1) {
        await assertSameLog({ cluster: left, topic }, { cluster: right, topic }, partition)
      }
      const proof = await cli(sites.east.daemon, `verify ${topic} --link west`)
      assert.match(proof, /equal/i)
    })
  }

  test('straight from bootstrap servers, without a daemon at the source', async () => {
    const [source, destination] = await Promise.all([sharedKafka('3.9'), sharedKafka('4')])
    await using sites = await linkSites(source, destination)
    const topic = `direct-${process.pid}`
    await createTopic(source, topic, { partitions: 2 })
    await kcatProduce(source, topic, textRecords('direct', 1000), { codec: 'zstd', partition: 1 })
    await cli(sites.east.daemon, `kafka link create straight --config bootstrap.servers=${source.bootstrap}`)
    await cli(sites.east.daemon, `kafka mirror create ${topic} --link straight`)
    await caughtUp(sites.east.daemon, 'straight', topic, [0, 1000])
    assert.deepEqual(await kcatConsume(destination, topic), await kcatConsume(source, topic))
  })

  test('a link sees what was granted, and nothing else', async () => {
    const [source, destination] = await Promise.all([sharedKafka('4'), sharedKafka('3.9')])
    const topic = `granted-${process.pid}`
    await using sites = await linkSites(source, destination, { rights: [`topic ${topic} can_read`] })
    await createTopic(source, topic)
    await createTopic(source, `${topic}-secret`)
    await cli(sites.east.daemon, `kafka mirror create ${topic} --link west`)
    const hidden = await refused(sites.east.daemon, `kafka mirror create ${topic}-secret --link west`)
    const absent = await refused(sites.east.daemon, `kafka mirror create ${topic}-absent --link west`)
    assert.equal(hidden.replace(`${topic}-secret`, 'X'), absent.replace(`${topic}-absent`, 'X'))
  })
})

async function produceByEverybody(kafka: KafkaAddress, topic: string): Promise<void> {
  for (const [index, codec] of codecs.entries()) {
    const headers = index % 2 === 0 ? { codec } : {}
    await kcatProduce(kafka, topic, textRecords(codec, 300), { codec, partition: index, headers })
    await kcatProduce(kafka, topic, textRecords(`${codec}-idempotent`, 200), {
      codec,
      partition: index,
      idempotent: true,
    })
  }
  await produce(kafka, topic, [
    { partition: 5, key: null, value: 'no key', timestampMs: 1_500_000_000_000 },
    { partition: 5, key: 'no value', value: null, headers: { empty: '', one: '1' } },
    { partition: 5, key: null, value: null },
    { partition: 5, key: 'large', value: 'm'.repeat(1024 * 1024) },
  ])
  await produce(kafka, topic, [{ partition: 5, key: 'zip', value: 'g'.repeat(5000) }], { gzip: true, idempotent: true })
  const lines = Array.from({ length: 50 }, (_, index) => `java-${index % 3}\tjava value ${index}\n`)
  const keyed = ['--topic', topic, '--property', 'parse.key=true']
  await runTool(kafka, 'kafka-console-producer', keyed, { input: lines.join('') })
}

function textRecords(name: string, count: number) {
  return Array.from({ length: count }, (_, index) => ({
    key: index % 5 === 0 ? '' : `${name}-${index % 17}`,
    value: index % 13 === 0 ? null : `${name} ${index} ${'lorem ipsum '.repeat(index % 9)}`,
  }))
}

function endOf(records: readonly { partition: number; offset: number }[], partition: number): number {
  return records
    .filter((record) => record.partition === partition)
    .reduce((end, { offset }) => Math.max(end, offset + 1), 0)
}

function byPlace<T extends { partition: number; offset: number }>(records: readonly T[]): T[] {
  return [...records].sort((one, other) => one.partition - other.partition || one.offset - other.offset)
}
