import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { logEnd } from '../../src/kafka/admin/offsets.ts'
import { produceBatch } from '../../src/kafka/admin/produce.ts'
import { createTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { bootstrapOf } from '../../src/kafka/config-file.ts'
import { openCluster } from '../../src/kafka/open-cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { buildBatch } from '../../src/records/build.ts'
import { type Daemon, embeddedBroker, startDaemon } from '../support/daemon.ts'

const megabyte = 1_000_000
/** A start takes longer on a machine that does other things too; the test tells what it took. */
const patience = 3

test('a broker of 1 GB that is killed under load starts within 2 s', async (context) => {
  await inFolder(async (stateDir) => {
    const partitions = 8
    const batch = batchOf(900 * 1000)
    const acknowledged = Array.from({ length: partitions }, () => 0)
    {
      await using daemon = await startAt(stateDir)
      await using cluster = clientOf(daemon)
      await create(cluster, 'large', partitions)
      const writing = acknowledged.map(async (_, partition) => {
        for (;;) {
          await produceBatch(cluster, { topic: 'large', partition }, batch, { deadlineMs: 5000 })
          acknowledged[partition]! += 1
          const bytes = acknowledged.reduce((sum, count) => sum + count) * batch.length
          if (bytes >= 1000 * megabyte) await daemon.kill()
        }
      })
      await Promise.allSettled(writing)
    }
    await using daemon = await startTimed(context, stateDir, 2000)
    await using cluster = clientOf(daemon)
    for (const [partition, end] of (await endsOf(cluster, 'large', partitions)).entries()) {
      assert.ok(end >= acknowledged[partition]!, `partition ${partition} ends at ${end} of ${acknowledged[partition]}`)
    }
  })
})

test('a broker of 2 000 partitions starts within 3 s and takes at most 300 MB', async (context) => {
  await inFolder(async (stateDir) => {
    const topics = ['left', 'right']
    const partitions = 1000
    {
      await using daemon = await startAt(stateDir)
      await using cluster = clientOf(daemon)
      for (const topic of topics) {
        await create(cluster, topic, partitions)
        const batch = batchOf(100)
        const written = Array.from({ length: partitions }, (_, partition) => {
          return produceBatch(cluster, { topic, partition }, batch)
        })
        await Promise.all(written)
      }
      await daemon.kill()
    }
    await using daemon = await startTimed(context, stateDir, 3000)
    await using cluster = clientOf(daemon)
    for (const topic of topics) {
      assert.deepEqual(new Set(await endsOf(cluster, topic, partitions)), new Set([1]))
    }
    const status = await readFile(`/proc/${daemon.process.pid}/status`, 'utf8').catch(() => undefined)
    if (status === undefined) return context.diagnostic('this system does not tell what a process has taken')
    const peakBytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
    context.diagnostic(`peak ${Math.round(peakBytes / megabyte)} MB`)
    assert.ok(peakBytes <= 300 * megabyte)
  })
})

async function inFolder(work: (stateDir: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-size-'))
  try {
    await work(join(folder, 'state'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function startAt(stateDir: string): Promise<Daemon> {
  return startDaemon({ stateDir, kafka: embeddedBroker })
}

async function startTimed(context: TestContext, stateDir: string, limitMs: number): Promise<Daemon> {
  const startMs = performance.now()
  const daemon = await startAt(stateDir)
  const tookMs = performance.now() - startMs
  context.diagnostic(`start ${tookMs.toFixed(0)} ms`)
  assert.ok(tookMs <= limitMs * patience, `the start took ${tookMs} ms`)
  return daemon
}

function clientOf({ ready }: Daemon): KafkaCluster {
  const spec = { reach: 'kafka', clientId: 'size', bootstrap: bootstrapOf(ready.kafka) } as const
  return openCluster(spec, { log: silentLog, clock: systemClock })
}

async function create(cluster: KafkaCluster, name: string, partitions: number): Promise<void> {
  for (const made of await createTopics(cluster, [{ name, partitions }])) unwrap(made)
}

function batchOf(valueBytes: number): Buffer {
  return buildBatch([{ timestampMs: Date.now(), key: null, value: Buffer.alloc(valueBytes, 'linkspan') }])
}

async function endsOf(cluster: KafkaCluster, topic: string, partitions: number): Promise<number[]> {
  const asked = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  return (await logEnd(cluster, asked)).map((end) => unwrap(end).offset)
}
