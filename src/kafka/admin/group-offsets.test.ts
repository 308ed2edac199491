import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeKafka, PlainDialler } from '../../../test/support/fake-kafka.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { metadata } from '../../wire/api/03-metadata.ts'
import { offsetFetch } from '../../wire/api/09-offset-fetch.ts'
import { findCoordinator } from '../../wire/api/10-find-coordinator.ts'
import { openCluster } from '../open-cluster.ts'
import { fetchGroupOffsets } from './group-offsets.ts'

test('an offset that no log reaches is named, and costs neither its group nor another the rest', async () => {
  const safe = BigInt(Number.MAX_SAFE_INTEGER)
  await using kafka = await coordinator({ wild: [5n, 2n ** 63n - 1n, -1n, safe, safe + 1n], tame: [7n] })
  await using cluster = openCluster(new PlainDialler(kafka.port), { log: silentLog, clock: systemClock })
  const [wild, tame] = await fetchGroupOffsets(cluster, [{ group: 'wild' }, { group: 'tame' }])
  assert.deepEqual(
    wild?.value?.offsets.map(({ partition, offset }) => [partition, offset]),
    [
      [0, 5],
      [3, Number.MAX_SAFE_INTEGER],
    ],
  )
  assert.deepEqual(
    wild?.value?.failed.map(({ topic, partition, error }) => [topic, partition, error.code]),
    [
      ['orders', 1, 'too-large'],
      ['orders', 4, 'too-large'],
    ],
  )
  assert.match(wild?.value?.failed[0]?.error.message ?? '', /Group wild .* offset 9223372036854775807 .* orders-1/)
  assert.deepEqual(tame?.value, {
    offsets: [{ topic: 'orders', partition: 0, offset: 7, leaderEpoch: -1, metadata: '' }],
    failed: [],
  })
})

/** A broker that coordinates these groups: what each has committed to `orders`, by partition. */
async function coordinator(groups: Record<string, bigint[]>): Promise<FakeKafka> {
  const kafka = new FakeKafka()
  const here = () => ({ nodeId: 1, host: '127.0.0.1', port: kafka.port })
  kafka.on(metadata, ({ answer }) => answer({ clusterId: 'cluster', brokers: [here()], topics: [] }))
  kafka.on(findCoordinator, ({ body, answer }) => {
    answer({ coordinators: body.coordinatorKeys.map((key) => ({ key, ...here() })) })
  })
  kafka.on(offsetFetch, ({ body, answer }) => {
    const told = body.groups.map(({ groupId }) => {
      const partitions = (groups[groupId] ?? []).map((committedOffset, partitionIndex) => {
        return { partitionIndex, committedOffset, metadata: '' }
      })
      return { groupId, topics: [{ name: 'orders', partitions }] }
    })
    answer({ groups: told })
  })
  return await kafka.listen()
}
