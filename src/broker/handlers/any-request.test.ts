import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { arbitraryMessage } from '../../../test/support/arbitrary-message.ts'
import { isLinkspanError } from '../../base/errors.ts'
import { isFlexible } from '../../wire/codec.ts'
import type { Api } from '../../wire/schema.ts'
import { internalSession } from '../session.ts'
import { brokerHandlers } from './index.ts'
import { anonymous, ask, batchOf, identity, makeTopic, openTestNode, type TestNode } from './test-node.ts'

const mirrorId = '01234567-89ab-4cde-8f01-23456789abcd'
const keys = [0, 1, 2, 3, 19, 20, 21, 22, 23, 32, 33, 35, 37, 44, 60, 61]
const sessions = [anonymous, internalSession, identity(), identity('can_view orders', 'can_read orders', 'can_edit m')]
const texts = ['orders', 'm', 'new', '', 'a b', '1', 'retention.ms', 'cleanup.policy', 'compact', '5', '0:1', mirrorId]
const batches = [batchOf(1), batchOf(2, { codec: 'gzip' }), batchOf(1).subarray(0, 70), Buffer.alloc(0)]

/** What a client could mean: known names and small numbers in the place of most of what is in a message. */
function plausible(value: unknown, pick: (count: number) => number, ids: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((one) => plausible(one, pick, ids))
  if (value instanceof Uint8Array) return batches[pick(batches.length)]
  if (typeof value === 'number') return pick(4) === 0 ? value : pick(6) - 2
  if (typeof value === 'string') {
    const isId = /^[0-9a-f]{8}-/.test(value)
    return isId ? (ids[pick(ids.length + 1)] ?? value) : pick(8) === 0 ? value : texts[pick(texts.length)]
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plausible(one, pick, ids)]))
}

async function testNode(): Promise<TestNode> {
  const test = await openTestNode()
  await makeTopic(test, 'orders', { partitions: 2 })
  await makeTopic(test, 'm', { configs: { 'linkspan.mirror.id': mirrorId }, internal: true })
  await test.log('orders').append(batchOf(3))
  return test
}

for (const key of keys) {
  const { api, versions } = brokerHandlers.get(key)!
  test(`${api.name}: whatever is asked is answered, in every version`, async () => {
    const versionOf = fc.integer({ min: versions[0], max: versions[1] })
    const request = versionOf.chain((version) => {
      return arbitraryMessage(api.request, version, isFlexible(api, version)).map((body) => ({ version, body }))
    })
    await fc.assert(
      fc.asyncProperty(request, fc.infiniteStream(fc.nat(1000)), fc.nat(3), async ({ version, body }, stream, who) => {
        const test = await testNode()
        const ids = test.node.catalog.list().map(({ topicId }) => topicId)
        const pick = (count: number) => stream.next().value % count
        const meant = plausible(body, pick, ids) as Record<string, unknown>
        if ('maxWaitMs' in api.request) meant.maxWaitMs = 0
        await answered(test, api, meant, { version, session: sessions[who]! })
      }),
      { numRuns: 60 },
    )
  })
}

async function answered(
  test: TestNode,
  api: Api,
  body: object,
  options: { version: number; session: typeof anonymous },
) {
  try {
    assert.ok(await ask(test, api, body, options))
  } catch (error) {
    // Acks 0: no answer is wanted, or the connection ends.
    const isUnheard = (body as { acks?: number }).acks === 0 || (body as { acks?: number }).acks === undefined
    if (api.key === 0 && isUnheard && (isLinkspanError(error, 'closed') || /was not answered/.test(String(error))))
      return
    throw error
  }
}
