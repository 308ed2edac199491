import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { commitGroupOffsets } from '../../src/kafka/admin/group-offsets.ts'
import { listGroups } from '../../src/kafka/admin/groups.ts'
import { logEnd } from '../../src/kafka/admin/offsets.ts'
import { produceBatch } from '../../src/kafka/admin/produce.ts'
import { describeProducers } from '../../src/kafka/admin/producers.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { buildBatch } from '../../src/records/build.ts'
import { waitFor } from '../support/process.ts'
import { startKafka } from './broker.ts'
import { kafkaAvailable } from './jars.ts'
import { batchOf, makeTopic, ownClient } from './own-client.ts'
import { consoleConsume, runTool } from './tools.ts'

const available = await kafkaAvailable()

test('a quota throttles: the next request waits', available, async () => {
  await using kafka = await startKafka({ version: '4' })
  await using cluster = await ownClient(kafka.config())
  await makeTopic(cluster, 'quota')
  const quota = ['--alter', '--add-config', 'producer_byte_rate=100000', '--entity-type', 'clients', '--entity-default']
  await runTool(kafka, 'kafka-configs', quota)
  const batch = buildBatch([{ timestampMs: 1, key: null, value: Buffer.alloc(400_000, 1) }])
  const at = { topic: 'quota', partition: 0 }
  const connection = await cluster.connection({ to: 'leader', ...at })
  const startMs = performance.now()
  for (let index = 0; index < 4; index += 1) await produceBatch(cluster, at, batch)
  const elapsedMs = performance.now() - startMs
  assert.ok(elapsedMs > 1500, `four batches took ${elapsedMs} ms`)
  assert.equal(connection.failure, undefined)
})

describe('three nodes', available, () => {
  test('the leader is killed: asked again at the new one, with the same client', async () => {
    await using kafka = await startKafka({ version: '4', nodes: 3 })
    await using cluster = await ownClient(kafka.config())
    await makeTopic(cluster, 'led', { partitions: 3, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } })
    const all = [0, 1, 2].map((partition) => ({ topic: 'led', partition }))
    for (const at of all) await produceBatch(cluster, at, batchOf('before'))
    const before = await cluster.leader('led', 0)
    await kafka.kill(before.nodeId)
    const ends = await logEnd(cluster, all, { deadlineMs: 60_000 })
    assert.deepEqual(
      ends.map(({ value, error }) => value?.offset ?? error),
      [1, 1, 1],
    )
    const now = await cluster.leader('led', 0)
    assert.notEqual(now.nodeId, before.nodeId)
    assert.ok(now.leaderEpoch > before.leaderEpoch)
    const [found] = await describeProducers(cluster, [all[0]!])
    assert.equal(found?.value?.producers[0]?.lastSequence, 0)
    const next = buildBatch([{ timestampMs: 2, key: null, value: Buffer.from('after') }])
    assert.equal((await produceBatch(cluster, all[0]!, next)).baseOffset, 1)
    const commit = { group: 'led-group', offsets: [{ ...all[0]!, offset: 2 }] }
    assert.deepEqual(unwrap((await commitGroupOffsets(cluster, [commit], { deadlineMs: 60_000 }))[0]).failed, [])
    await kafka.restart(before.nodeId)
    const whole = async () => {
      await cluster.refresh(['led'])
      return cluster.cache.brokers.length === 3
    }
    await waitFor(whole, { timeoutMs: 30_000 })
    const records = await consoleConsume(kafka, 'led', { records: 4 })
    assert.equal(records.length, 4)
    assert.ok((await listGroups(cluster)).some(({ group }) => group === 'led-group'))
  })

  test('a broker that hangs is given up after one attempt', async () => {
    await using kafka = await startKafka({ version: '4', nodes: 3 })
    await using cluster = await ownClient(kafka.config(), { attemptMs: 1500 })
    await makeTopic(cluster, 'hang', { replicationFactor: 3 })
    const at = { topic: 'hang', partition: 0 }
    const { nodeId } = await cluster.leader('hang', 0)
    await cluster.connection({ to: 'leader', ...at })
    await kafka.kill(nodeId, 'SIGSTOP')
    try {
      const [end] = await logEnd(cluster, [at], { deadlineMs: 60_000 })
      assert.equal(end?.value?.offset, 0)
      assert.notEqual((await cluster.leader('hang', 0)).nodeId, nodeId)
    } finally {
      await kafka.kill(nodeId, 'SIGCONT')
    }
  })
})
