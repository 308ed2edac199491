import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeCluster, type ProduceRequest } from '../../../test/support/fake-broker.ts'
import { PlainDialler } from '../../../test/support/fake-kafka.ts'
import { waitFor } from '../../../test/support/process.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { buildBatch } from '../../records/build.ts'
import { sameContent } from '../../records/content.ts'
import * as header from '../../records/header.ts'
import { dataProducerId } from '../../records/producer-id.ts'
import { produce } from '../../wire/api/00-produce.ts'
import { PumpHost } from './host.ts'
import type { EventNotice, PartitionStats, PumpNotice, StopFacts, StoppedNotice } from './protocol.ts'
import type { PumpSettings } from './settings.ts'

const quick: Partial<PumpSettings> = {
  drainGraceMs: 300,
  confirmIntervalMs: 20,
  watchIntervalMs: 40,
  statsIntervalMs: 10,
  fetchWaitMs: 20,
}
const young = systemClock.wallMs()
const old = young - 30 * 86_400_000

class Bench implements AsyncDisposable {
  readonly source = new FakeCluster('source-cluster')
  readonly destination = new FakeCluster('destination-cluster')
  readonly events: EventNotice['event'][] = []
  stats: PartitionStats | undefined
  stopped: StoppedNotice['reason'] | undefined
  #host: PumpHost | undefined

  async start({ nodes = 1, settled = true, settings = {} as Partial<PumpSettings> } = {}): Promise<this> {
    await this.source.listen()
    await this.destination.listen(nodes)
    const host = new PumpHost({
      clock: systemClock,
      log: silentLog,
      notify: (notice) => this.#take(notice),
      dialler: (_, side) => new PlainDialler(this[side].nodes[0]?.port ?? 0),
    })
    this.#host = host
    const spec = { reach: 'kafka', clientId: 'linkspan-test', bootstrap: [] } as const
    await host.handle({
      kind: 'openLink',
      linkId: 'link',
      source: { cluster: { ...spec, bootstrap: [] }, kafkaClusterId: 'source-cluster' },
      destination: { cluster: { ...spec, bootstrap: [] }, kafkaClusterId: 'destination-cluster' },
      settings: { ...quick, ...settings },
    })
    const names = { sourceTopic: 'orders', topic: 'orders' }
    const ids = { sourceTopicId: this.source.topicId, topicId: this.destination.topicId }
    const where = { linkId: 'link', mirrorId: 'mirror', partition: 0 }
    await host.handle({ kind: 'startPartition', ...where, ...names, ...ids, settled })
    return this
  }

  async stop(mode: 'drain' | 'now'): Promise<StopFacts> {
    const where = { linkId: 'link', mirrorId: 'mirror', partition: 0 }
    return (await this.#host?.handle({ kind: 'stopPartition', ...where, mode })) as StopFacts
  }

  async mirrored(): Promise<void> {
    const end = this.source.log.end
    await this.until(() => this.stats?.confirmedEnd === end && this.destination.log.end === end, `the mirror at ${end}`)
    this.assertExact()
  }

  async until(condition: () => unknown, what: string): Promise<void> {
    await waitFor(() => Boolean(condition()), { timeoutMs: 8000, intervalMs: 5, what }).catch((error: Error) => {
      const { stats, stopped, events } = this
      throw new Error(`${error.message}: ${JSON.stringify({ stats, stopped, events: events.slice(-4) })}`)
    })
  }

  /** Every batch of the mirror is the source's at the same offset. */
  assertExact(): void {
    const source = this.source.log.batches
    for (const [index, batch] of this.destination.log.batches.entries()) {
      const original = source[index]
      assert.ok(original)
      assert.equal(header.baseOffset(batch, 0), header.baseOffset(original, 0))
      assert.ok(sameContent(batch, 0, original, 0))
    }
  }

  appends(): ProduceRequest[] {
    return this.destination.nodes.flatMap((node) => node.seen(produce))
  }

  #take(notice: PumpNotice): void {
    if (notice.kind === 'stats') this.stats = notice.partitions[0]
    else if (notice.kind === 'stopped') this.stopped = notice.reason
    else this.events.push(notice.event)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host?.[Symbol.asyncDispose]()
    await this.source[Symbol.asyncDispose]()
    await this.destination[Symbol.asyncDispose]()
  }
}

/** What our pump would append next if the source had two records more. */
function copyOfNext(bench: Bench): Buffer {
  const { end } = bench.source.log
  const rows = [0, 1].map((index) => ({ timestampMs: young, key: null, value: Buffer.from(`record ${end + index}`) }))
  const producer = { producerId: dataProducerId('mirror', 0), producerEpoch: 0, baseSequence: end }
  return buildBatch(rows, producer)
}

function sizes(count: number): number[] {
  return Array.from({ length: count }, (_, index) => 1 + (index % 5))
}

test('one batch goes alone, then the window opens', async () => {
  await using bench = new Bench()
  bench.source.log.fill(sizes(50), young)
  const held: ProduceRequest[] = []
  bench.destination.onProduce = (request) => held.push(request) > 0
  await bench.start()
  await bench.until(() => held.length === 1, 'the first append')
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.equal(held.length, 1)
  bench.destination.onProduce = () => false
  const [first] = held as [ProduceRequest]
  bench.destination.accept(first, Buffer.from(first.body.topicData[0]?.partitionData[0]?.records ?? []))
  await bench.mirrored()
})

test('lost answers: what was appended is found at the log end and not sent again', async () => {
  await using bench = new Bench()
  bench.source.log.fill(sizes(60), young)
  let count = 0
  bench.destination.onProduce = (request, sent) => {
    count += 1
    if (count % 17 !== 0) return false
    bench.destination.log.append(sent)
    request.socket.destroy()
    return true
  }
  await bench.start()
  await bench.mirrored()
  assert.ok((bench.stats?.resumes ?? 0) >= 1)
  assert.equal(bench.stopped, undefined)
})

test('old data: appends that come long after their connection died are waited for, and found', async () => {
  await using bench = new Bench()
  const { log } = bench.destination
  bench.source.log.fill(sizes(40), old)
  const late: Buffer[] = []
  let count = 0
  bench.destination.onProduce = (request, sent) => {
    count += 1
    if (count < 10 || count > 14) return false
    late.push(sent)
    if (late.length === 5) {
      request.socket.destroy()
      // The broker has forgotten the producer: it takes whatever comes.
      late.forEach((batch, index) => {
        setTimeout(
          () => {
            log.producers.clear()
            log.append(batch)
            log.producers.clear()
          },
          100 + index * 150,
        )
      })
    }
    return true
  }
  await bench.start()
  await bench.mirrored()
  assert.ok(bench.events.some(({ name }) => name === 'draining'))
})

test('old data: behind a pause one batch goes alone, since the broker may have forgotten us', async () => {
  await using bench = new Bench()
  bench.source.log.fill(sizes(5), old)
  await bench.start()
  await bench.mirrored()
  await bench.until(() => bench.stats?.acknowledgedEnd === bench.source.log.end, 'all answers')
  bench.destination.log.producers.clear()
  await new Promise((resolve) => setTimeout(resolve, 1050))
  const before = bench.appends().length
  const held: ProduceRequest[] = []
  bench.destination.onProduce = (request) => held.push(request) > 0
  bench.source.log.fill(sizes(5), old)
  await bench.until(() => held.length === 1, 'an append')
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.equal(bench.appends().length, before + 1)
  bench.destination.onProduce = () => false
  bench.destination.answer(held[0] as ProduceRequest, { errorCode: 10, baseOffset: -1 })
  await bench.until(() => bench.stopped, 'the stop')
  bench.assertExact()
})

test('old data: lost appends are sent again when the log end has stood still for the grace, not before', async () => {
  await using bench = new Bench()
  bench.source.log.fill(sizes(40), old)
  let lostMs = 0
  let againMs = 0
  let count = 0
  bench.destination.onProduce = (request) => {
    count += 1
    if (count === 12) {
      lostMs = performance.now()
      request.socket.destroy()
      return true
    }
    if (lostMs > 0 && againMs === 0 && !request.socket.destroyed) againMs = performance.now()
    return request.socket.destroyed
  }
  await bench.start()
  await bench.mirrored()
  assert.ok(againMs - lostMs >= 300, `${againMs - lostMs} ms`)
})

test('old data waits for the grace after a start that nobody vouches for; young data does not', async () => {
  for (const [timestampMs, settled, waits] of [
    [old, false, true],
    [old, true, false],
    [young, false, false],
  ] as const) {
    await using bench = new Bench()
    bench.source.log.fill(sizes(5), timestampMs)
    await bench.start({ settled })
    await bench.mirrored()
    assert.equal(
      bench.events.some(({ name }) => name === 'draining'),
      waits,
    )
  }
})

test('an append that lands elsewhere stops the partition at once: nothing more is sent', async () => {
  await using bench = new Bench()
  bench.source.log.fill(sizes(400), young)
  let count = 0
  bench.destination.onProduce = () => {
    count += 1
    if (count === 20) bench.destination.log.fill([3], young)
    return false
  }
  await bench.start({ settings: { windowRequests: 4 } })
  await bench.until(() => bench.stopped, 'the stop')
  const sent = bench.appends().length
  assert.ok(sent <= 24, `${sent} appends`)
  assert.equal(bench.stopped?.cause, 'foreign-write')
  assert.equal(bench.stopped?.details.producerId, '-1')
  const expected = bench.stopped?.offset ?? 0
  assert.equal(header.baseOffset(bench.destination.log.batches[19] as Buffer, 0), expected)
})

test('a foreign append to a quiet mirror is noticed', async () => {
  await using bench = new Bench()
  bench.source.log.fill(sizes(5), young)
  await bench.start()
  await bench.mirrored()
  bench.destination.log.fill([1], young)
  await bench.until(() => bench.stopped, 'the stop')
  assert.deepEqual([bench.stopped?.code, bench.stopped?.offset], ['foreign-write', bench.source.log.end])
})

test('late appends of our own that land where they belong are no foreign write', async () => {
  for (const settled of [true, false]) {
    await using bench = new Bench()
    bench.source.log.fill(sizes(20), young)
    const late: Buffer[] = []
    let count = 0
    bench.destination.onProduce = (request, sent) => {
      count += 1
      if (count !== 20) return false
      late.push(sent)
      request.socket.destroy()
      bench.destination.onProduce = () => true
      return true
    }
    await bench.start({ settled })
    await bench.until(() => late.length === 1 && bench.stats?.phase === 'alone', 'a pump that waits for an answer')
    // The next copy is held, so the pump is not quiet; a mirror that had nothing to send would be.
    bench.destination.log.append(late[0] as Buffer)
    bench.destination.onProduce = () => false
    bench.destination.nodes[0]?.disconnect()
    await bench.mirrored()
    const quiet = bench.destination.log
    quiet.append(copyOfNext(bench))
    bench.source.log.fill([2], young)
    await bench.mirrored()
    assert.equal(bench.stopped, undefined)
  }
})

test('the leader moves, and the new one lacks the newest appends: they are read and sent again', async () => {
  await using bench = new Bench()
  bench.source.log.fill(sizes(80), young)
  let count = 0
  bench.destination.onProduce = (request) => {
    count += 1
    if (count !== 30) return false
    bench.destination.log.truncate(bench.destination.log.end - 12)
    bench.destination.move(1)
    bench.destination.answer(request, { errorCode: 6, baseOffset: -1 })
    return true
  }
  await bench.start({ nodes: 2 })
  await bench.mirrored()
  assert.equal(bench.stopped, undefined)
})

test('a tail that the destination loses while nothing is under way is replaced', async () => {
  await using bench = new Bench()
  bench.source.log.fill(sizes(20), young)
  await bench.start()
  await bench.mirrored()
  bench.destination.log.truncate(bench.destination.log.end - 4)
  await bench.mirrored()
  assert.equal(bench.stats?.resumes, 1)
})

test('a batch out of order is no reason to stop: the log end decides', async () => {
  await using bench = new Bench()
  bench.source.log.fill(sizes(30), young)
  let count = 0
  bench.destination.onProduce = (request) => {
    count += 1
    if (count !== 8) return false
    bench.destination.answer(request, { errorCode: 45, baseOffset: -1 })
    return true
  }
  await bench.start()
  await bench.mirrored()
})

test('a batch that the destination cannot take stops with what has to be raised', async () => {
  await using bench = new Bench()
  bench.source.log.fill(sizes(30), young)
  let count = 0
  bench.destination.onProduce = (request) => {
    count += 1
    if (count < 10) return false
    bench.destination.answer(request, { errorCode: 10, baseOffset: -1 })
    return true
  }
  await bench.start()
  await bench.until(() => bench.stopped, 'the stop')
  assert.equal(bench.stopped?.cause, 'refused')
  assert.match(bench.stopped?.message ?? '', /max\.message\.bytes/)
  bench.assertExact()
})

test('a throttled broker is left alone for as long as it says', async () => {
  await using bench = new Bench()
  bench.source.log.fill(sizes(30), young)
  bench.destination.throttleTimeMs = 400
  await bench.start()
  await bench.until(() => bench.appends().length === 1, 'the first append')
  bench.destination.throttleTimeMs = 0
  await bench.mirrored()
  const [first, second] = bench.appends().map(({ atMs }) => atMs)
  assert.ok((second ?? 0) - (first ?? 0) >= 390)
})

test('a source whose history is another one stops before a write', async () => {
  await using bench = new Bench()
  bench.source.log.fill(sizes(10), young)
  await bench.start()
  await bench.mirrored()
  bench.source.onFetch = () => ({ divergingEpoch: { epoch: 0, endOffset: 7 }, records: null })
  await bench.until(() => bench.stopped, 'the stop')
  assert.deepEqual([bench.stopped?.cause, bench.stopped?.offset], ['source-truncated', 7])
})

test('a destination that was replaced by another cluster or topic is not written to', async () => {
  for (const [change, cause] of [
    [
      (one: FakeCluster) => Object.assign(one, { topicId: '99999999-2222-3333-4444-555555555555' }),
      'destination-recreated',
    ],
    [(one: FakeCluster) => Object.assign(one, { clusterId: 'another' }), 'destination-cluster'],
  ] as const) {
    await using bench = new Bench()
    bench.source.log.fill(sizes(10), young)
    await bench.start()
    await bench.mirrored()
    change(bench.destination)
    bench.destination.log.truncate(0)
    bench.destination.nodes[0]?.disconnect()
    await bench.until(() => bench.stopped, 'the stop')
    assert.equal(bench.stopped?.cause, cause)
    assert.equal(bench.destination.log.end, 0)
  }
})

test('a drain waits for the answers; `now` closes the connection that owes one', async () => {
  for (const mode of ['drain', 'now'] as const) {
    await using bench = new Bench()
    bench.source.log.fill(sizes(20), young)
    const held: [ProduceRequest, Buffer][] = []
    let count = 0
    bench.destination.onProduce = (request, sent) => {
      count += 1
      return count > 5 && held.push([request, sent]) > 0
    }
    await bench.start()
    await bench.until(() => held.length > 0, 'an append without answer')
    const stopping = bench.stop(mode)
    setTimeout(() => {
      for (const [request, sent] of held) bench.destination.accept(request, sent)
    }, 50)
    const facts = await stopping
    assert.equal(facts.settled, mode === 'drain' ? 'answered' : 'connection-closed')
    assert.equal(facts.quiet, mode === 'drain')
    if (mode === 'drain') assert.deepEqual([facts.acknowledgedEnd, facts.logEnd], [facts.sentEnd, facts.sentEnd])
    else assert.ok(facts.sentEnd > facts.acknowledgedEnd)
  }
})
