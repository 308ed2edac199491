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
import { PumpRig } from './pump-rig.ts'
import { adminOf, makeTopic, specOf } from './raw-log.ts'
import { sharedKafka } from './shared.ts'

const available = await kafkaAvailable()
const partitions = 4
const chunkBytes = 24_000_000
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
  let nodes: KafkaCluster
  let ways: [Way, Way]

  before(async () => {
    const shared = await sharedKafka('4')
    kafka = await startKafka({ version: '4', nodes: 3 })
    const single = adminOf(shared)
    // A node that hangs must not hold up the test for long.
    const options = { log: silentLog, clock: systemClock, attemptMs: 1500 }
    nodes = openCluster(specOf(kafka.direct), options)
    open.push(kafka, single, nodes)
    const one = { cluster: single, bootstrap: shared.bootstrap, clusterId: await single.clusterId(), configs: keep }
    const three = { cluster: nodes, bootstrap: kafka.bootstrap, clusterId: kafka.clusterId, configs: safe }
    ways = [await makeWay('to-nodes', one, three), await makeWay('from-nodes', three, one)]
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

  /** What the nodes lead, by node. */
  async function led(): Promise<Map<number, { copies: number; sources: number }>> {
    const [copy, source] = [ways[0].mirror.topic, ways[1].source.topic]
    await nodes.refresh([copy, source])
    const byNode = new Map(kafka.nodes.map(({ nodeId }) => [nodeId, { copies: 0, sources: 0 }]))
    for (const { leader } of nodes.cache.topic(copy)?.partitions ?? [])
      (byNode.get(leader) ?? { copies: 0 }).copies += 1
    for (const { leader } of nodes.cache.topic(source)?.partitions ?? []) {
      ;(byNode.get(leader) ?? { sources: 0 }).sources += 1
    }
    return byNode
  }

  /** The node that leads something on both sides, if there is one; else one that leads copies. */
  async function busiest(): Promise<number> {
    const all = [...(await led())]
    const weight = ({ copies, sources }: { copies: number; sources: number }) => {
      return copies === 0 ? 0 : copies + sources + (sources > 0 ? 100 : 0)
    }
    all.sort(([, left], [, right]) => weight(right) - weight(left))
    return (all[0] as [number, unknown])[0]
  }

  async function movedFrom(nodeId: number): Promise<void> {
    const moved = async () => {
      const found = (await led()).get(nodeId)
      const everyLed = [ways[0].mirror.topic, ways[1].source.topic].every((topic) => {
        return nodes.cache.topic(topic)?.partitions.every(({ leader }) => leader >= 0)
      })
      return found?.copies === 0 && found.sources === 0 && everyLed
    }
    await waitFor(moved, { timeoutMs: 40_000, intervalMs: 100, what: `other leaders than node ${nodeId}` })
  }

  async function allInSync(): Promise<void> {
    const topics = [ways[0].mirror.topic, ways[1].source.topic]
    const synced = async () => {
      await nodes.refresh(topics)
      const found = topics.flatMap((topic) => nodes.cache.topic(topic)?.partitions ?? [])
      return found.every(({ inSync, leader }) => inSync.length === 3 && leader >= 0)
    }
    await waitFor(synced, { timeoutMs: 60_000, intervalMs: 100, what: 'all replicas in sync' })
  }

  /** A backlog on both sides, which the pumps, asleep meanwhile, have not seen; then lets them run into it. */
  async function backlog(): Promise<void> {
    for (const { rig } of ways) process.kill(rig.pid, 'SIGSTOP')
    for (const way of ways) {
      const { cluster, topic } = way.source
      const age = (partition: number) => (partition === partitions - 1 ? 'days' : 'young')
      const added = await fillHeavily(cluster, { topic, partitions, bytes: chunkBytes, age, from: sumOf(way.ends) })
      way.ends = way.ends.map((end, partition) => end + (added[partition] ?? 0))
    }
    for (const { rig } of ways) process.kill(rig.pid, 'SIGCONT')
    for (const { mirror, ends } of ways) {
      const before = sumOf(await logEnds(mirror, partitions))
      const target = before + (sumOf(ends) - before) / 4
      const reached = async () => sumOf(await logEnds(mirror, partitions)) >= target
      await waitFor(reached, { timeoutMs: 30_000, intervalMs: 2, what: `a fourth of the backlog in ${mirror.topic}` })
    }
  }

  async function caughtUp(): Promise<void> {
    await Promise.all(ways.map(({ rig, ends }) => rig.confirmed(ends, 90_000)))
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
      await backlog()
      const victim = await busiest()
      await kafka.kill(victim)
      const left = ways.map(({ rig, ends }) => {
        rig.listen()
        return ends.reduce((sum, end, index) => sum + end - (rig.stats.get(index)?.acknowledgedEnd ?? 0), 0)
      })
      await movedFrom(victim)
      await Promise.all([caughtUp(), kafka.restart(victim)])
      await allInSync()
      context.diagnostic(`kill ${kill}: node ${victim} with ${left.join(' and ')} records to go`)
    }
    assert.ok(ways.every(({ rig }) => rig.events.some(({ name }) => name === 'doubt')))
    await assertEqual(context)
  })

  test('a node that hangs until others lead, and comes back: equal', async (context) => {
    await backlog()
    const victim = await busiest()
    await kafka.kill(victim, 'SIGSTOP')
    const startMs = performance.now()
    await movedFrom(victim)
    await caughtUp()
    context.diagnostic(`caught up ${((performance.now() - startMs) / 1000).toFixed(1)} s after the node began to hang`)
    await kafka.kill(victim, 'SIGCONT')
    await allInSync()
    await assertEqual(context)
  })

  test('a node that hangs for a second, and one that leaves in good order: equal', async (context) => {
    await backlog()
    const victim = await busiest()
    await kafka.kill(victim, 'SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await kafka.kill(victim, 'SIGCONT')
    await Promise.all([caughtUp(), kafka.restart(victim)])
    await allInSync()
    await assertEqual(context)
  })
})
