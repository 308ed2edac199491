import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestNode } from './handlers/test-node.ts'

test('no producer id is given twice, also after a restart', async () => {
  const first = await openTestNode()
  const ids = await Promise.all(Array.from({ length: 2500 }, () => first.node.producerIds.next()))
  assert.equal(new Set(ids).size, 2500)
  assert.deepEqual([ids[0], ids.at(-1)], [0n, 2499n])
  const second = await openTestNode({ disk: first.disk })
  assert.equal(await second.node.producerIds.next(), 3000n)
})

test('a block that could not be stored is not given', async () => {
  const test = await openTestNode()
  test.failStore(1)
  await assert.rejects(test.node.producerIds.next(), { code: 'storage' })
  assert.equal(await test.node.producerIds.next(), 0n)
})
