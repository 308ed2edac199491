import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { PumpHost } from '../../src/mirror/pump/host.ts'
import type { StopFacts } from '../../src/mirror/pump/protocol.ts'
import type { PumpSettings } from '../../src/mirror/pump/settings.ts'
import { waitFor } from '../support/process.ts'
import type { TestProxy } from '../support/proxy.ts'
import { type Kafka, startKafka } from './broker.ts'
import { assertSameLogs, fillHeavily, type LogPlace, logEnds, mixedAge, peakMemoryBytes, sumOf } from './heavy-log.ts'
import { kafkaAvailable } from './jars.ts'
import { PumpRig } from './pump-rig.ts'
import { adminOf, makeTopic } from './raw-log.ts'
import { sharedKafka } from './shared.ts'

const available = await kafkaAvailable()
/** The full proof, 2 GB and ten kills, is LINKSPAN_TEST_BYTES=2000000000. */
const bytes = Number(process.env.LINKSPAN_TEST_BYTES || 300_000_000)
const partitions = 8
/** Each pump passes some 30 MB before everything flows and it can be killed. */
const kills = Math.min(10, Math.max(1, Math.floor(bytes / 60e6)))
const heldBytesMin = 8_000_000
/** Of each of three mirrors; a request more is sent at most, so no two of them can hold all that is waited for. */
const stopWindowBytes = 4 << 20
const heldByAllMin = 11_500_000
const memoryBytesMax = 250e6
const drainGraceMs = 2000
/** For what takes a moment on a quiet machine. */
const timeoutMs = 60_000
const checkIntervalMs = 2000
/** Old records must outlive the test. */
const keep = { 'retention.ms': '-1' }

describe('the pump with a heavy backlog, half of it old', { ...available, timeout: 600_000 }, () => {
  const topic = 'heavy'
  const open: AsyncDisposable[] = []
  let source: { cluster: KafkaCluster; bootstrap: string; clusterId: string }
  let sourceTopicId: string
  let kafka: Kafka
  let direct: KafkaCluster
  let proxy: TestProxy
  let ends: number[]

  before(async () => {
    const shared = await sharedKafka('4')
    const cluster = adminOf(shared)
    source = { cluster, bootstrap: shared.bootstrap, clusterId: await cluster.clusterId() }
    // The broker forgets the producer of old data almost at once, so nothing but our own care holds the order.
    const config = { 'producer.id.expiration.check.interval.ms': String(checkIntervalMs) }
    kafka = await startKafka({ version: '4', proxied: true, config })
    direct = adminOf({ bootstrap: kafka.direct })
    proxy = kafka.proxies[0] as TestProxy
    open.push(kafka, direct, cluster)
    sourceTopicId = await makeTopic(cluster, topic, partitions, keep)
    ends = await fillHeavily(cluster, { topic, partitions, bytes, age: mixedAge })
  })

  after(async () => {
    for (const one of open.reverse()) await one[Symbol.asyncDispose]()
  })

  async function rigTo(copy: string, settings: Partial<PumpSettings> = {}): Promise<PumpRig> {
    const topicId = await makeTopic(direct, copy, partitions, keep)
    const rig = new PumpRig({
      ...{ source, destination: kafka, partitions, settings: { drainGraceMs, ...settings } },
      ...{ sourceTopic: topic, sourceTopicId, topic: copy, topicId },
    })
    open.push(rig)
    return rig
  }

  function places(copy: string): [LogPlace, LogPlace] {
    return [
      { cluster: source.cluster, topic },
      { cluster: direct, topic: copy },
    ]
  }

  test('at full rate the pump stays small, and the copy is equal', async (context) => {
    const rig = await rigTo('full-rate')
    rig.start({ settled: true })
    const startMs = performance.now()
    await rig.confirmed(ends, 300_000)
    const seconds = (performance.now() - startMs) / 1000
    const peakBytes = await peakMemoryBytes(rig.pid)
    await rig.kill()
    const same = await assertSameLogs(...places('full-rate'), partitions)
    const megabytes = (same.bytes / 1e6).toFixed(0)
    context.diagnostic(`${megabytes} MB in ${seconds.toFixed(1)} s, process start included; ${same.batches} batches`)
    if (peakBytes === undefined) return
    context.diagnostic(`peak memory of the pump ${(peakBytes / 1e6).toFixed(0)} MB`)
    assert.ok(peakBytes <= memoryBytesMax, `${peakBytes} bytes`)
  })

  /** Partitions that meet old data right after a start send nothing for a while: then it is tried again. */
  async function holdMuch(): Promise<void> {
    const holdsMuch = () => proxy.heldBytes >= heldBytesMin
    const tryOnce = async () => {
      proxy.hold()
      const held = await waitFor(holdsMuch, { timeoutMs: 1000, intervalMs: 5 }).catch(() => false)
      if (!held) proxy.release()
      return held
    }
    await waitFor(tryOnce, { timeoutMs, intervalMs: 200, what: '8 MB of unanswered requests' })
  }

  /** Kills the pump while requests of its are held, and starts the next one; returns what happened to them. */
  async function killHolding(rig: PumpRig, copy: string, when: 'before' | 'during' | 'beside'): Promise<number> {
    await holdMuch()
    await rig.kill()
    const { heldBytes, accepted } = proxy
    assert.ok(heldBytes >= heldBytesMin)
    const place = { cluster: direct, topic: copy }
    const stoodAt = sumOf(await logEnds(place, partitions))
    if (when === 'before') {
      proxy.release()
      await waitFor(async () => sumOf(await logEnds(place, partitions)) > stoodAt, {
        timeoutMs,
        what: 'appends of a dead pump',
      })
      rig.start()
      return heldBytes
    }
    if (when === 'beside') proxy.spareNew()
    rig.start()
    if (when === 'during')
      await waitFor(() => proxy.accepted > accepted, { timeoutMs, what: 'a connection of the next pump' })
    else await rig.until(() => [...rig.stats.values()].some((one) => one.phase === 'draining'), timeoutMs, 'a draining')
    proxy.release()
    return heldBytes
  }

  test('killed again and again while requests are held: equal, nothing doubled, nothing shifted', async (context) => {
    const copy = 'killed-often'
    const rig = await rigTo(copy, { statsIntervalMs: 50 })
    const total = sumOf(ends)
    const place = { cluster: direct, topic: copy }
    const flowing = () => [...rig.stats.values()].filter((one) => one.phase === 'flowing').length === partitions
    let held = 0
    let peakBytes = 0
    const startMs = performance.now()
    rig.start({ settled: true })
    for (let kill = 1; kill <= kills; kill += 1) {
      await rig.until(flowing, timeoutMs, 'a pump that flows')
      const reached = async () => sumOf(await logEnds(place, partitions)) >= (total * kill) / (kills + 1)
      await waitFor(reached, { timeoutMs, intervalMs: 2, what: `log end ${kill} of ${kills}` })
      peakBytes = Math.max(peakBytes, (await peakMemoryBytes(rig.pid)) ?? 0)
      held += await killHolding(rig, copy, (['before', 'during', 'beside'] as const)[kill % 3] ?? 'before')
    }
    await rig.confirmed(ends, 300_000)
    peakBytes = Math.max(peakBytes, (await peakMemoryBytes(rig.pid)) ?? 0)
    const seconds = (performance.now() - startMs) / 1000
    await rig.kill()
    assert.ok(rig.events.some((event) => event.name === 'draining'))
    assert.equal(rig.stopped.size, 0)
    const same = await assertSameLogs(...places(copy), partitions)
    assert.equal(same.records, total)
    context.diagnostic(
      `${(same.bytes / 1e6).toFixed(0)} MB, ${same.batches} batches, ${same.records} records; ${kills} kills with ` +
        `${(held / 1e6).toFixed(0)} MB held in ${seconds.toFixed(1)} s; peak memory ${(peakBytes / 1e6).toFixed(0)} MB`,
    )
    assert.ok(peakBytes <= memoryBytesMax, `${peakBytes} bytes`)
  })

  interface Stopping {
    copy: string
    mode: 'drain' | 'now'
    /** How long a drain waits for answers. */
    requestTimeoutMs: number
    /** Whether the requests are passed on while their connection is still open. */
    inTime: boolean
  }

  /** A mirror of the first partition alone, in this process, that has begun. */
  async function beginOne({ copy, mode, requestTimeoutMs }: Stopping) {
    const rig = await rigTo(copy, { requestTimeoutMs, windowBytes: stopWindowBytes })
    const host = new PumpHost({ clock: systemClock, log: silentLog, notify: (notice) => rig.take(notice) })
    open.push(host)
    await host.handle(rig.open())
    const [first] = rig.starts(true)
    assert.ok(first)
    await host.handle(first)
    return {
      logEnd: async () => sumOf(await logEnds({ cluster: direct, topic: copy }, 1)),
      stop: async () => (await host.handle({ ...first, kind: 'stopPartition', mode })) as StopFacts,
      resume: async (settled: boolean) => {
        await host.handle({ ...first, settled })
        await rig.confirmed(ends.slice(0, 1))
        await host.handle({ kind: 'closeLink', linkId: rig.linkId })
      },
    }
  }

  function assertTold(facts: StopFacts, { stoodAt, later }: { stoodAt: number; later: number }, inTime: boolean): void {
    const seen = JSON.stringify({ facts, stoodAt, later })
    assert.ok(later > stoodAt, `requests arrived after the stop was asked for: ${seen}`)
    assert.ok(later <= facts.sentEnd && later >= facts.acknowledgedEnd)
    assert.equal(facts.quiet, inTime)
    assert.equal(facts.settled, inTime ? 'answered' : 'connection-closed')
    if (!inTime) return
    assert.deepEqual([facts.acknowledgedEnd, facts.sentEnd, facts.logEnd], [later, later, later])
  }

  test('stopped while requests are held: none that lands later was reported settled', async () => {
    const all: Stopping[] = [
      { copy: 'drained-in-time', mode: 'drain', requestTimeoutMs: 30_000, inTime: true },
      { copy: 'drained-too-long', mode: 'drain', requestTimeoutMs: 2000, inTime: false },
      { copy: 'stopped-now', mode: 'now', requestTimeoutMs: 30_000, inTime: false },
    ]
    const begun = await Promise.all(all.map(async (one) => ({ ...one, ...(await beginOne(one)) })))
    const begins = async () => (await Promise.all(begun.map(({ logEnd }) => logEnd()))).every((end) => end > 0)
    await waitFor(begins, { timeoutMs, intervalMs: 2, what: 'three mirrors that flow' })
    proxy.hold()
    await waitFor(() => proxy.heldBytes >= heldByAllMin, { timeoutMs, what: 'unanswered requests of all three' })
    const stopping = begun.map(async (one) => {
      const stoodAt = await one.logEnd()
      return { ...one, stoodAt, facts: await one.stop() }
    })
    await Promise.all(stopping.filter((_, index) => begun[index]?.inTime === false))
    proxy.release()
    const stopped = await Promise.all(stopping)
    await waitFor(() => proxy.heldBytes === 0, { timeoutMs, what: 'the arrival of everything that was held' })
    await Promise.all(
      stopped.map(async ({ facts, stoodAt, logEnd, inTime, resume, copy }) => {
        assertTold(facts, { stoodAt, later: await restingEnd(logEnd) }, inTime)
        await resume(facts.quiet)
        await assertSameLogs(...places(copy), 1)
      }),
    )
  })
})

/** A log end that has stood still for a second. */
async function restingEnd(logEnd: () => Promise<number>): Promise<number> {
  let end = -1
  let sinceMs = 0
  const rests = async () => {
    const found = await logEnd()
    if (found !== end) sinceMs = performance.now()
    end = found
    return performance.now() - sinceMs >= 1000
  }
  await waitFor(rests, { timeoutMs, what: 'a log end that stands still' })
  return end
}
