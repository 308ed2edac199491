import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeCluster, ProduceRequest } from '../../../test/support/fake-broker.ts'
import { PumpBench, sizes, young } from '../../../test/support/pump-bench.ts'
import { buildBatch } from '../../records/build.ts'
import * as header from '../../records/header.ts'
import { dataProducerId } from '../../records/producer-id.ts'

test('one batch goes alone, then the window opens', async () => {
  await using bench = new PumpBench()
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
  await using bench = new PumpBench()
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

test('an append that lands elsewhere stops the partition at once: nothing more is sent', async () => {
  await using bench = new PumpBench()
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
  await using bench = new PumpBench()
  bench.source.log.fill(sizes(5), young)
  await bench.start()
  await bench.mirrored()
  bench.destination.log.fill([1], young)
  await bench.until(() => bench.stopped, 'the stop')
  assert.deepEqual([bench.stopped?.code, bench.stopped?.offset], ['foreign-write', bench.source.log.end])
})

test('late appends of our own that land where they belong are no foreign write', async () => {
  for (const settled of [true, false]) {
    await using bench = new PumpBench()
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
  await using bench = new PumpBench()
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
  await using bench = new PumpBench()
  bench.source.log.fill(sizes(20), young)
  await bench.start()
  await bench.mirrored()
  bench.destination.log.truncate(bench.destination.log.end - 4)
  await bench.mirrored()
  assert.equal(bench.stats?.resumes, 1)
})

test('a batch out of order is no reason to stop: the log end decides', async () => {
  await using bench = new PumpBench()
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
  await using bench = new PumpBench()
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
  await using bench = new PumpBench()
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
  await using bench = new PumpBench()
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
    await using bench = new PumpBench()
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
    await using bench = new PumpBench()
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

/** What our pump would append next if the source had two records more. */
function copyOfNext(bench: PumpBench): Buffer {
  const { end } = bench.source.log
  const rows = [0, 1].map((index) => ({ timestampMs: young, key: null, value: Buffer.from(`record ${end + index}`) }))
  const producer = { producerId: dataProducerId('mirror', 0), producerEpoch: 0, baseSequence: end }
  return buildBatch(rows, producer)
}
