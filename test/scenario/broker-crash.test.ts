import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { createTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { openCluster } from '../../src/kafka/open-cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { SeededRandom } from '../chaos/random.ts'
import { CommitLoad, type CrashLoad, IdempotentLoad, PlainLoad, TopicLoad } from '../support/crash-load.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { freePorts } from '../support/ports.ts'

/** 500 are LINKSPAN_TEST_KILLS=500. */
const kills = Number(process.env.LINKSPAN_TEST_KILLS || 12)
const loadMs = { least: 5, most: 250 }
const secondsPerKill = 4
const small = { 'segment.bytes': '1048576' }

test(`the embedded broker loses nothing acknowledged over ${kills} kills`, {
  timeout: 60_000 + kills * secondsPerKill * 1000,
}, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-crash-'))
  const [port] = await freePorts(1)
  const start = () => {
    return startDaemon({
      stateDir: join(folder, 'state'),
      kafka: 'embedded',
      args: ['--broker-listen', `127.0.0.1:${port}`],
    })
  }
  const random = new SeededRandom(Number(process.env.LINKSPAN_TEST_SEED || 4))
  const cluster = openCluster(
    { reach: 'kafka', clientId: 'crash', bootstrap: [{ host: '127.0.0.1', port: port! }] },
    { log: silentLog, clock: systemClock, attemptMs: 2000 },
  )
  let daemon: Daemon | undefined
  let slowestMs = 0
  try {
    daemon = await start()
    const names = ['numbered', 'plain', 'read']
    for (const made of await createTopics(
      cluster,
      names.map((name) => ({ name, partitions: 1, configs: small })),
    ))
      unwrap(made)
    const loads: CrashLoad[] = [
      new IdempotentLoad('numbered', 2n ** 62n + 5n),
      new PlainLoad('plain'),
      new CommitLoad('readers', 'read'),
      new TopicLoad('made'),
    ]
    for (let kill = 1; kill <= kills; kill += 1) {
      const running = loads.map((load) => runUntilDead(load, cluster))
      await new Promise((resolve) => setTimeout(resolve, random.between(loadMs.least, loadMs.most)))
      await daemon.kill()
      await Promise.all(running)
      const startMs = performance.now()
      daemon = await start()
      slowestMs = Math.max(slowestMs, performance.now() - startMs)
      for (const load of loads) await load.check(cluster)
    }
    context.diagnostic(`${kills} kills; slowest start of the daemon ${slowestMs.toFixed(0)} ms`)
    assert.ok(slowestMs < 10_000)
  } finally {
    await cluster[Symbol.asyncDispose]()
    await daemon?.stop()
    await rm(folder, { recursive: true, force: true })
  }
})

/** A step that fails is left open: the load knows what that means for it. */
async function runUntilDead(load: CrashLoad, cluster: KafkaCluster): Promise<void> {
  try {
    for (;;) await load.step(cluster)
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
  }
}
