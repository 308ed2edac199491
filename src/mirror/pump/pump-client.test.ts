import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeCluster } from '../../../test/support/fake-broker.ts'
import { waitFor } from '../../../test/support/process.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import type { ClusterSpec } from '../../kafka/spec.ts'
import type { PartitionStats, PumpNotice } from './protocol.ts'
import { PumpClient } from './pump-client.ts'

const where = { linkId: 'link', mirrorId: 'mirror', partition: 0 }

function specOf(cluster: FakeCluster): ClusterSpec {
  const port = cluster.nodes[0]?.port ?? 0
  return { reach: 'kafka', clientId: 'linkspan-test', bootstrap: [{ host: '127.0.0.1', port }] }
}

async function setUp() {
  const source = await new FakeCluster('source-cluster').listen()
  const destination = await new FakeCluster('destination-cluster').listen()
  source.log.fill([2, 3, 4], systemClock.wallMs())
  const seen: { stats: PartitionStats | undefined; notices: PumpNotice[] } = { stats: undefined, notices: [] }
  const client = new PumpClient({
    log: silentLog,
    clock: systemClock,
    workerData: { logLevel: 'warn', logFormat: 'text' },
    onNotice: (notice) => {
      seen.notices.push(notice)
      if (notice.kind === 'stats') seen.stats = notice.partitions[0]
    },
  })
  await client.openLink({
    linkId: 'link',
    source: { cluster: specOf(source), kafkaClusterId: 'source-cluster' },
    destination: { cluster: specOf(destination), kafkaClusterId: 'destination-cluster' },
    settings: { statsIntervalMs: 20, confirmIntervalMs: 20, fetchWaitMs: 20 },
  })
  const ids = { sourceTopicId: source.topicId, topicId: destination.topicId }
  await client.startPartition({ ...where, sourceTopic: 'orders', topic: 'orders', ...ids, settled: true })
  const confirmed = async (end: number) => {
    await waitFor(() => seen.stats?.confirmedEnd === end, { timeoutMs: 8000, what: `${end} confirmed` })
  }
  const end = async () => {
    await client[Symbol.asyncDispose]()
    await source[Symbol.asyncDispose]()
    await destination[Symbol.asyncDispose]()
  }
  return { source, destination, client, seen, confirmed, [Symbol.asyncDispose]: end }
}

test('a worker thread pumps, tells how far it is, and stops with facts', async () => {
  await using rig = await setUp()
  await rig.confirmed(9)
  await assert.rejects(rig.client.openLink({ ...rigLink(rig), settings: {} }), { code: 'already-exists' })
  await assert.rejects(rig.client.startPartition({ ...where, linkId: 'none', ...rigTopics(rig) }), {
    code: 'not-found',
  })
  const facts = await rig.client.stopPartition(where, 'drain')
  assert.deepEqual([facts?.settled, facts?.quiet, facts?.logEnd, facts?.confirmedEnd], ['answered', true, 9, 9])
  assert.equal(await rig.client.stopPartition(where, 'now'), undefined)
  await rig.client.closeLink({ linkId: 'link' })
  await rig.client.shutdown(1000)
  await assert.rejects(rig.client.startPartition({ ...where, ...rigTopics(rig) }), { code: 'closed' })
})

test('a worker that crashes is started again with all that it had open, and resumes', async () => {
  await using rig = await setUp()
  await rig.confirmed(9)
  await rig.client.crash()
  rig.source.log.fill([5], systemClock.wallMs())
  await rig.confirmed(14)
  assert.equal(rig.client.crashes, 1)
  assert.equal(rig.destination.log.end, 14)
})

function rigLink(rig: { source: FakeCluster; destination: FakeCluster }) {
  return {
    linkId: 'link',
    source: { cluster: specOf(rig.source), kafkaClusterId: 'source-cluster' },
    destination: { cluster: specOf(rig.destination), kafkaClusterId: 'destination-cluster' },
  }
}

function rigTopics(rig: { source: FakeCluster; destination: FakeCluster }) {
  return { sourceTopic: 'orders', sourceTopicId: rig.source.topicId, topic: 'orders', topicId: rig.destination.topicId }
}
