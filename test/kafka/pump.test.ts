import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { logEnd } from '../../src/kafka/admin/offsets.ts'
import { deleteRecords, deleteTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { PumpHost } from '../../src/mirror/pump/host.ts'
import type { StopFacts } from '../../src/mirror/pump/protocol.ts'
import { codecs } from '../../src/records/header.ts'
import { waitFor } from '../support/process.ts'
import { startKafka } from './broker.ts'
import { type KafkaLine, kafkaAvailable } from './jars.ts'
import { produce } from './produce.ts'
import { PumpRig } from './pump-rig.ts'
import { adminOf, assertSameLog, fill, makeTopic } from './raw-log.ts'
import { sharedKafka } from './shared.ts'
import type { KafkaAddress } from './tools.ts'

const available = await kafkaAvailable()
const longAgoMs = 1_500_000_000_000
/** Old records must outlive the test. */
const keep = { 'retention.ms': '-1' }
const open: AsyncDisposable[] = []

interface Side {
  kafka: KafkaAddress
  cluster: KafkaCluster
  bootstrap: string
  clusterId: string
}

async function sideOf(version: KafkaLine): Promise<Side> {
  const kafka = await sharedKafka(version)
  const cluster = adminOf(kafka)
  open.push(cluster)
  return { kafka, cluster, bootstrap: kafka.bootstrap, clusterId: await cluster.clusterId() }
}

/** A pump in this process. */
async function hostOf(rig: PumpRig, settled: boolean): Promise<PumpHost> {
  const host = new PumpHost({ clock: systemClock, log: silentLog, notify: (notice) => rig.take(notice) })
  await host.handle(rig.open())
  for (const start of rig.starts(settled)) await host.handle(start)
  return host
}

async function rigOf(source: Side, destination: Side, topic: string, partitions: number): Promise<PumpRig> {
  const copy = `${topic}-copy`
  const sourceTopicId = await makeTopic(source.cluster, topic, partitions, keep)
  const topicId = await makeTopic(destination.cluster, copy, partitions, keep)
  const rig = new PumpRig({ source, destination, sourceTopic: topic, sourceTopicId, topic: copy, topicId, partitions })
  open.push(rig)
  return rig
}

function sides(source: Side, destination: Side, topic: string) {
  return [
    { cluster: source.cluster, topic },
    { cluster: destination.cluster, topic: `${topic}-copy` },
  ] as const
}

async function endOf(cluster: KafkaCluster, topic: string, partition: number): Promise<number> {
  return unwrap((await logEnd(cluster, [{ topic, partition }]))[0]).offset
}

describe('the pump between real clusters', available, () => {
  after(async () => {
    for (const one of open.reverse()) await one[Symbol.asyncDispose]()
  })

  for (const [from, to] of [
    ['3.9', '4'],
    ['4', '3.9'],
    ['4', '4'],
  ] as const) {
    test(`five codecs pass from ${from} to ${to} byte for byte at the same offsets`, async () => {
      const [source, destination] = [await sideOf(from), await sideOf(to)]
      const topic = `codecs-${from}-${to}`
      const rig = await rigOf(source, destination, topic, 3)
      const ends: number[] = []
      for (let partition = 0; partition < 3; partition += 1) {
        for (const codec of codecs) {
          ends[partition] = await fill(source.cluster, topic, partition, {
            batches: 20,
            records: 7,
            codec,
            seed: codec,
          })
        }
      }
      await using host = await hostOf(rig, true)
      await rig.confirmed(ends)
      ends[1] = await fill(source.cluster, topic, 1, { batches: 5, records: 2, seed: 'tail' })
      await rig.confirmed(ends)
      for (let partition = 0; partition < 3; partition += 1) {
        assert.ok((await assertSameLog(...sides(source, destination, topic), partition)) >= 100)
      }
      const stop = { kind: 'stopPartition', mode: 'drain', linkId: rig.linkId, mirrorId: rig.mirrorId } as const
      const facts = (await host.handle({ ...stop, partition: 1 })) as StopFacts
      const end = ends[1]
      assert.deepEqual(facts, {
        settled: 'answered',
        quiet: true,
        acknowledgedEnd: end,
        sentEnd: end,
        confirmedEnd: end,
        logEnd: end,
        sourceHighWatermark: end,
      })
      assert.equal(await host.handle({ ...stop, partition: 1 }), undefined)
    })
  }

  test('a process that is killed again and again leaves no gap and no double', async () => {
    const [source, destination] = [await sideOf('4'), await sideOf('4')]
    const rig = await rigOf(source, destination, 'killed', 4)
    const ends: number[] = []
    for (let partition = 0; partition < 4; partition += 1) {
      ends[partition] = await fill(source.cluster, 'killed', partition, { batches: 1500, records: 5, valueBytes: 1000 })
    }
    const copied = async () => {
      const all = ends.map((_, partition) => endOf(destination.cluster, 'killed-copy', partition))
      return (await Promise.all(all)).reduce((sum, end) => sum + end)
    }
    for (let round = 1; round <= 5; round += 1) {
      const before = await copied()
      rig.start()
      const target = before + Math.floor(Math.random() * 4000) + 1
      await waitFor(async () => (await copied()) >= target, { timeoutMs: 20_000, intervalMs: 2, what: `${target}` })
      await rig.kill()
    }
    rig.start()
    await rig.confirmed(ends)
    for (let partition = 0; partition < 4; partition += 1) {
      await assertSameLog(...sides(source, destination, 'killed'), partition)
    }
  })

  test('old data: appends that arrive after their process was killed are neither doubled nor shifted', async () => {
    const source = await sideOf('4')
    // The broker forgets the producer of old data almost at once, so nothing but our own care holds the order.
    const config = { 'producer.id.expiration.check.interval.ms': '100' }
    await using kafka = await startKafka({ version: '4', proxied: true, config })
    await using direct = adminOf({ bootstrap: kafka.direct })
    const proxy = kafka.proxies[0]
    assert.ok(proxy)
    const sourceTopicId = await makeTopic(source.cluster, 'old', 1, keep)
    const topicId = await makeTopic(direct, 'old-copy', 1, keep)
    const options = { batches: 8000, records: 10, valueBytes: 1200, timestampMs: longAgoMs }
    const end = await fill(source.cluster, 'old', 0, options)
    await using rig = new PumpRig({
      ...{ source, destination: kafka, partitions: 1, settings: { drainGraceMs: 2000 } },
      ...{ sourceTopic: 'old', sourceTopicId, topic: 'old-copy', topicId },
    })
    rig.start({ settled: true })
    proxy.delay(1)
    for (const part of [0.05, 0.25, 0.45]) {
      await waitFor(async () => (await endOf(direct, 'old-copy', 0)) >= end * part, {
        timeoutMs: 30_000,
        intervalMs: 5,
      })
      await rig.until(() => rig.stats.get(0)?.phase === 'flowing', 30_000, 'a flowing pump')
      proxy.hold()
      await waitFor(() => proxy.heldBytes > 4_000_000, { timeoutMs: 10_000, what: '4 MB of unanswered appends' })
      await rig.kill()
      rig.start()
      await rig.until(() => proxy.connections > 2, 10_000, 'the connections of the next pump')
      proxy.release()
    }
    await rig.confirmed([end])
    assert.ok(rig.events.some((event) => event.name === 'draining'))
    await assertSameLog({ cluster: source.cluster, topic: 'old' }, { cluster: direct, topic: 'old-copy' }, 0)
  })

  test('a foreign write stops its partition within a second and names the producer; the others go on', async () => {
    const [source, destination] = [await sideOf('4'), await sideOf('4')]
    const rig = await rigOf(source, destination, 'foreign', 2)
    await fill(source.cluster, 'foreign', 0, { batches: 3, records: 2 })
    await fill(source.cluster, 'foreign', 1, { batches: 3, records: 2 })
    await using host = await hostOf(rig, true)
    await rig.confirmed([6, 6])
    await produce(destination.kafka, 'foreign-copy', [{ value: 'not ours', partition: 1 }], { idempotent: true })
    const writtenMs = performance.now()
    await rig.until(() => rig.stopped.has(1), 5000, 'the stop of partition 1')
    assert.ok(performance.now() - writtenMs < 2000)
    const reason = rig.stopped.get(1)
    assert.equal(reason?.code, 'foreign-write')
    assert.equal(reason?.offset, 6)
    assert.match(String(reason?.details.producerId), /^\d+$/)
    const ends = [await fill(source.cluster, 'foreign', 0, { batches: 1, records: 1 })]
    await fill(source.cluster, 'foreign', 1, { batches: 1, records: 1 })
    await rig.confirmed(ends)
    assert.equal(await endOf(destination.cluster, 'foreign-copy', 1), 7)
    await host.handle({ kind: 'closeLink', linkId: rig.linkId })
  })

  test('a transaction stops the partition before anything inexact is written', async () => {
    const [source, destination] = [await sideOf('4'), await sideOf('4')]
    const rig = await rigOf(source, destination, 'transactional', 1)
    await fill(source.cluster, 'transactional', 0, { batches: 4, records: 3 })
    await produce(source.kafka, 'transactional', [{ value: 'in a transaction' }], { transactionalId: 'one' })
    await fill(source.cluster, 'transactional', 0, { batches: 1, records: 1 })
    await using _host = await hostOf(rig, true)
    await rig.until(() => rig.stopped.has(0), 10_000, 'the stop')
    const reason = rig.stopped.get(0)
    assert.deepEqual([reason?.code, reason?.cause, reason?.offset], ['not-exact', 'transactional', 12])
    assert.equal(await endOf(destination.cluster, 'transactional-copy', 0), 12)
  })

  test('a source whose log start has passed us, or that was made anew, stops before a write', async () => {
    const [source, destination] = [await sideOf('4'), await sideOf('4')]
    const rig = await rigOf(source, destination, 'moved', 1)
    await fill(source.cluster, 'moved', 0, { batches: 4, records: 3 })
    await deleteRecords(source.cluster, [{ topic: 'moved', partition: 0, offset: 6 }])
    await using host = await hostOf(rig, true)
    await rig.until(() => rig.stopped.has(0), 10_000, 'the stop')
    assert.equal(rig.stopped.get(0)?.cause, 'log-start')
    assert.equal(rig.stopped.get(0)?.details.logStart, 6)
    await deleteTopics(source.cluster, ['moved'])
    await waitFor(async () => (await makeTopic(source.cluster, 'moved', 1).catch(() => '')) !== '')
    rig.stopped.clear()
    for (const start of rig.starts(true)) await host.handle(start)
    await rig.until(() => rig.stopped.has(0), 10_000, 'the second stop')
    assert.equal(rig.stopped.get(0)?.cause, 'source-recreated')
    assert.equal(await endOf(destination.cluster, 'moved-copy', 0), 0)
  })

  test('a mirror that somebody wrote to while no pump ran is not continued', async () => {
    const [source, destination] = [await sideOf('4'), await sideOf('3.9')]
    const rig = await rigOf(source, destination, 'tampered', 1)
    await fill(source.cluster, 'tampered', 0, { batches: 4, records: 3 })
    const first = await hostOf(rig, true)
    await rig.confirmed([12])
    await first[Symbol.asyncDispose]()
    await fill(destination.cluster, 'tampered-copy', 0, { batches: 1, records: 1, seed: 'foreign' })
    await fill(source.cluster, 'tampered', 0, { batches: 1, records: 3 })
    await using _second = await hostOf(rig, false)
    await rig.until(() => rig.stopped.has(0), 10_000, 'the stop')
    assert.equal(rig.stopped.get(0)?.code, 'foreign-write')
    assert.equal(await endOf(destination.cluster, 'tampered-copy', 0), 13)
  })
})
