import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkTopicName, mirrorName } from './names.ts'
import { windowsOf } from './verify/prefix.ts'

test('a mirror is called prefix and source, and nothing else', () => {
  assert.equal(mirrorName('orders', null, undefined), 'orders')
  assert.equal(mirrorName('orders', 'east.', undefined), 'east.orders')
  assert.equal(mirrorName('orders', 'east.', 'east.orders'), 'east.orders')
  assert.throws(() => mirrorName('orders', 'east.', 'orders'), { code: 'unsupported', message: /not yet supported/ })
  assert.throws(() => mirrorName('orders', null, 'other'), { code: 'unsupported' })
})

test('names that Kafka keeps for itself, or does not take, are refused', () => {
  for (const name of ['', '.', '..', '__consumer_offsets', 'a/b', 'x'.repeat(250), 'über']) {
    assert.throws(() => checkTopicName(name), { code: 'invalid-request' }, name)
  }
  checkTopicName('orders.v1_A-2')
})

test('a short copy is compared whole, a long one at both ends and between', () => {
  assert.deepEqual(windowsOf(5, 5), [])
  assert.deepEqual(windowsOf(5, 20_005), [{ from: 5, to: 20_005 }])
  const windows = windowsOf(0, 10_000_000)
  assert.equal(windows[0]?.from, 0)
  assert.equal(windows.at(-1)?.to, 10_000_000)
  assert.equal(windows.length, 10)
  assert.ok(windows.every(({ from, to }, index) => from < to && (index === 0 || from >= windows[index - 1]!.to)))
})
