import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { openCluster } from '../../src/kafka/open-cluster.ts'
import { waitFor } from '../support/process.ts'
import { type Kafka, startKafka } from './broker.ts'
import { assertSameLogs, fillHeavily, type LogPlace, logEnds, sumOf } from './heavy-log.ts'
import { kafkaAvailable } from './jars.ts'
import { Leaders } from './leaders.ts'
import { PumpRig } from './pump-rig.ts'
import { adminOf, makeTopic, specOf } from './raw-log.ts'
import { sharedKafka } from './shared.ts'

const available = await kafkaAvailable()
const partitions = 4
const chunkBytes = 16_000_000
const kills = 5
const settings = { drainGraceMs: 2000, requestTimeoutMs: 5000 }
/** A copy that two nodes have survives one; old records must outlive the test. */
const safe = { 'min.insync.replicas': '2', 'unclean.leader.election.enable': 'false', 'retention.ms': '-1' }
const keep = { 'retention.ms': '-1' }

/** One of the two mirrors: to the three nodes, or from them. */
interface Way {
  rig: PumpRig
  source: LogPlace
  mirror: LogPlace
  ends: number[]
}

describe('the pump between one node and three, whatever happens to them', available, () => {
  const open: AsyncDisposable[] = []
  let kafka: Kafka
  let ways: [Way, Way]
  let leaders: Leaders

  before(async () => {
    const shared = await sharedKafka('4')
    // A leader that is moved back while a log is filled would refuse what is on its way.
    kafka = await startKafka({ version: '4', nodes: 3, config: { 'auto.leader.rebalance.enable': 'false' } })
    const single = adminOf(shared)
    // A node that hangs must not hold up the test for long.
    const options = { log: silentLog, clock: systemClock, attemptMs: 3000 }
    const nodes = openCluster(specOf(kafka.direct), options)
    open.push(kafka, single, nodes)
    const one = { cluster: single, bootstrap: shared.bootstrap, clusterId: await single.clusterId(), configs: keep }
    const three = { cluster: nodes, bootstrap: kafka.bootstrap, clusterId: kafka.clusterId, configs: safe }
    ways = [await makeWay('to-nodes', one, three), await makeWay('from-nodes', three, one)]
    leaders = new Leaders(nodes, [ways[0].mirror.topic, ways[1].source.topic])
  })

  after(async () => {
    for (const one of open.reverse()) await one[Symbol.asyncDispose]()
  })

  interface End {
    cluster: KafkaCluster
    bootstrap: string
    clusterId: string
    configs: Record<string, string>
  }

  async function makeWay(name: string, source: End, destination: End): Promise<Way> {
    const topic = `${name}-copy`
    const sourceTopicId = await makeTopic(source.cluster, name, partitions, source.configs)
    const topicId = await makeTopic(destination.cluster, topic, partitions, destination.configs)
    const names = { sourceTopic: name, sourceTopicId, topic, topicId }
    const rig = new PumpRig({ source, destination, ...names, partitions, settings })
    open.push(rig)
    rig.start({ settled: true })
    const ends = new Array<number>(partitions).fill(0)
    return {
      ...{ rig, ends, source: { cluster: source.cluster, topic: name } },
      mirror: { cluster: destination.cluster, topic },
    }
  }

  /**
   * A backlog on both sides, which the pumps, asleep meanwhile, have not seen; then lets them run into it. Returns the
   * busiest node when both are at work.
   */
  async function backlog(): Promise<number> {
    for (const { rig } of ways) process.kill(rig.pid, 'SIGSTOP')
    await Promise.all(ways.map((way) => addChunk(way)))
    const victim = await leaders.busiest(kafka.nodes.map(({ nodeId }) => nodeId))
    const starts = await copied()
    const goals = ways.map(({ ends }, index) => (sumOf(ends) - (starts[index] as number)) / 4)
    for (const { rig } of ways) process.kill(rig.pid, 'SIGCONT')
    const running = async () => {
      const gains = (await copied()).map((end, index) => end - (starts[index] as number))
      return gains.every((gain) => gain > 0) && gains.some((gain, index) => gain >= (goals[index] as number))
    }
    await waitFor(running, { timeoutMs: 60_000, intervalMs: 2, what: 'a fourth of a backlog' })
    return victim
  }

  function copied(): Promise<number[]> {
    return Promise.all(ways.map(async ({ mirror }) => sumOf(await logEnds(mirror, partitions))))
  }

  async function addChunk(way: Way): Promise<void> {
    const { cluster, topic } = way.source
    const age = (partition: number) => (partition === partitions - 1 ? 'days' : 'young')
    const added = await fillHeavily(cluster, { topic, partitions, bytes: chunkBytes, age, from: sumOf(way.ends) })
    way.ends = way.ends.map((end, partition) => end + (added[partition] ?? 0))
  }

  async function caughtUp(): Promise<void> {
    await Promise.all(ways.map(({ rig, ends }) => rig.confirmed(ends, 120_000)))
    for (const { rig } of ways) assert.equal(rig.stopped.size, 0)
  }

  async function assertEqual(context: TestContext): Promise<void> {
    for (const { source, mirror, ends, rig } of ways) {
      const same = await assertSameLogs(source, mirror, partitions)
      assert.equal(same.records, sumOf(ends))
      const doubts = rig.events.filter(({ name }) => name === 'doubt').length
      const megabytes = (same.bytes / 1e6).toFixed(0)
      context.diagnostic(`${mirror.topic}: ${megabytes} MB in ${same.batches} batches equal, ${doubts} doubts so far`)
    }
  }

  test('the leader killed five times at full rate: equal', async (context) => {
    for (let kill = 1; kill <= kills; kill += 1) {
      const victim = await backlog()
      await kafka.kill(victim)
      const left = ways.map(({ rig, ends }) => {
        rig.listen()
        return ends.reduce((sum, end, index) => sum + end - (rig.stats.get(index)?.acknowledgedEnd ?? 0), 0)
      })
      await Promise.all([leaders.movedFrom(victim), kafka.restart(victim)])
      await caughtUp()
      await leaders.inSync(3)
      context.diagnostic(`kill ${kill}: node ${victim} with ${left.join(' and ')} records to go`)
    }
    assert.ok(ways.every(({ rig }) => rig.events.some(({ name }) => name === 'doubt')))
    await assertEqual(context)
  })

  test('a node that hangs until others lead, and comes back: equal', async (context) => {
    const victim = await backlog()
    await kafka.kill(victim, 'SIGSTOP')
    const startMs = performance.now()
    await leaders.movedFrom(victim)
    await caughtUp()
    context.diagnostic(`caught up ${((performance.now() - startMs) / 1000).toFixed(1)} s after the node began to hang`)
    await kafka.kill(victim, 'SIGCONT')
    await leaders.inSync(3)
    await assertEqual(context)
  })

  test('a node that hangs for a second, and one that leaves in good order: equal', async (context) => {
    const victim = await backlog()
    await kafka.kill(victim, 'SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await kafka.kill(victim, 'SIGCONT')
    await Promise.all([caughtUp(), kafka.restart(victim)])
    await leaders.inSync(3)
    await assertEqual(context)
  })
})
