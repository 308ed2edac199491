import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeCluster } from '../../../test/support/fake-broker.ts'
import { PlainDialler } from '../../../test/support/fake-kafka.ts'
import { waitFor } from '../../../test/support/process.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { PumpHost } from './host.ts'
import type { PumpNotice } from './protocol.ts'

const young = systemClock.wallMs()
const old = young - 30 * 86_400_000

test('old data right behind young data is waited for once, and does not keep the young back', async () => {
  await using source = new FakeCluster('source-cluster')
  await using destination = new FakeCluster('destination-cluster')
  for (let run = 0; run < 4; run += 1) source.log.fill([3, 1, 2], run % 2 === 0 ? young : old)
  await source.listen()
  await destination.listen(1)
  const notices: PumpNotice[] = []
  const ports = { source: source.nodes[0]?.port ?? 0, destination: destination.nodes[0]?.port ?? 0 }
  await using host = new PumpHost({
    clock: systemClock,
    log: silentLog,
    notify: (notice) => void notices.push(notice),
    dialler: (_, side) => new PlainDialler(ports[side]),
  })
  const cluster = {
    reach: 'kafka',
    clientId: 'linkspan-test',
    bootstrap: [] as { host: string; port: number }[],
  } as const
  await host.handle({
    kind: 'openLink',
    linkId: 'link',
    source: { cluster, kafkaClusterId: 'source-cluster' },
    destination: { cluster, kafkaClusterId: 'destination-cluster' },
    settings: { drainGraceMs: 300, fetchWaitMs: 20, confirmIntervalMs: 20 },
  })
  const { topicId: sourceTopicId } = source
  const names = { sourceTopic: 'orders', sourceTopicId, topic: 'orders', topicId: destination.topicId }
  const where = { linkId: 'link', mirrorId: 'mirror', partition: 0 }
  await host.handle({ kind: 'startPartition', ...where, ...names, settled: false })
  await waitFor(() => destination.log.end === source.log.end, { timeoutMs: 5000, what: 'the mirror' })
  const draining = notices.flatMap((notice) => {
    return notice.kind === 'event' && notice.event.name === 'draining' ? [notice.event.offset] : []
  })
  assert.deepEqual(draining, [6], 'it drains once, when all of the young data is there')
})
