import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProduceRequest } from '../../../test/support/fake-broker.ts'
import { old, PumpBench, sizes, young } from '../../../test/support/pump-bench.ts'

test('old data: appends that come long after their connection died are waited for, and found', async () => {
  await using bench = new PumpBench()
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
  await using bench = new PumpBench()
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
  await using bench = new PumpBench()
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
    await using bench = new PumpBench()
    bench.source.log.fill(sizes(5), timestampMs)
    await bench.start({ settled })
    await bench.mirrored()
    assert.equal(
      bench.events.some(({ name }) => name === 'draining'),
      waits,
    )
  }
})
