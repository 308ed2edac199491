import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { sleep, systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { openCluster } from '../../src/kafka/open-cluster.ts'
import { type Kafka, startKafka } from '../kafka/broker.ts'
import { assertSameLogs, fillHeavily, type HeavyFill, type LogPlace, logEnds, sumOf } from '../kafka/heavy-log.ts'
import { kafkaAvailable } from '../kafka/jars.ts'
import { codecs, kcatProduce } from '../kafka/kcat.ts'
import { Leaders } from '../kafka/leaders.ts'
import { createTopic } from '../kafka/produce.ts'
import { adminOf, specOf } from '../kafka/raw-log.ts'
import { sharedKafka } from '../kafka/shared.ts'
import { waitFor } from '../support/process.ts'
import { caughtUp, cli, hasStatus, type LinkedSites, linkSites } from '../support/sites.ts'

const available = await kafkaAvailable()
const partitions = 3
const recordsPerRound = 500
const roundMs = 500
const backlogBytes = 80_000_000
const kills = 2
const timeoutMs = 120_000
const nodeIds = [1, 2, 3]
const safe = { 'min.insync.replicas': '2', 'unclean.leader.election.enable': 'false' }
/** Sends again for long, but leaves a node that hangs soon. */
const patient = {
  'message.timeout.ms': String(timeoutMs),
  'request.timeout.ms': '5000',
  'socket.timeout.ms': '3000',
  'socket.connection.setup.timeout.ms': '3000',
  'api.version.request.timeout.ms': '3000',
}
/** Of the link: it leaves a node that hangs soon, too, and says so when the source cannot be reached. */
const linkConfig = [
  'request.timeout.ms=5000',
  'availability.check.ms=1000',
  'availability.check.consecutive.failure.threshold=2',
].join(',')

describe('a source of three nodes, read through the tunnel while they die and hang', available, () => {
  const topic = `nodes-${process.pid}`
  const open: AsyncDisposable[] = []
  const seen = new Set<string>()
  let kafka: Kafka
  let sites: LinkedSites
  let nodes: KafkaCluster
  let leaders: Leaders
  let source: LogPlace
  let mirror: LogPlace

  before(async () => {
    const shared = await sharedKafka('4')
    kafka = await startKafka({ version: '4', nodes: 3 })
    open.push(kafka)
    sites = await linkSites(kafka, shared)
    // A node that hangs must not hold up the test for long.
    nodes = openCluster(specOf(kafka.bootstrap), { log: silentLog, clock: systemClock, attemptMs: 3000 })
    const single = adminOf(shared)
    open.push(sites, nodes, single)
    leaders = new Leaders(nodes, [topic])
    source = { cluster: nodes, topic }
    mirror = { cluster: single, topic }
    await createTopic(kafka, topic, { partitions, config: safe })
    await cli(sites.east.daemon, `kafka mirror create ${topic} --link west`)
    await cli(sites.east.daemon, `kafka link configuration update west --config ${linkConfig}`)
    await hasStatus(sites.east.daemon, 'west', topic, 'ACTIVE')
  })

  after(async () => {
    for (const one of open.reverse()) await one[Symbol.asyncDispose]()
  })

  /** Lets records flow in, and looks at the mirror's state, while `happen` goes on. Returns how many were written. */
  async function whileFlowing(happen: () => Promise<void>): Promise<number> {
    const done = new AbortController()
    const watching = watchStatus(done.signal)
    const writing = writeAll(done.signal)
    try {
      await Promise.race([happen(), writing.then(() => {})])
    } finally {
      done.abort()
    }
    await watching
    return await writing
  }

  /** Each partition has a writer of its own: one whose leader is gone does not hold up the others. */
  async function writeAll(signal: AbortSignal): Promise<number> {
    const all = Array.from({ length: partitions }, (_, partition) => writeTo(partition, signal))
    return sumOf(await Promise.all(all))
  }

  /** Without producer ids: a controller that hangs gives none for half a minute. What counts is the source's log. */
  async function writeTo(partition: number, signal: AbortSignal): Promise<number> {
    const options = { partition, config: patient, timeoutMs: timeoutMs + 10_000 }
    let written = 0
    for (let round = partition; !signal.aborted; round += 1) {
      const records = Array.from({ length: recordsPerRound }, (_, index) => {
        return {
          key: `key-${index % 17}`,
          value: `round ${round} record ${index} ${'lorem ipsum '.repeat(index % 40)}`,
        }
      })
      await kcatProduce(kafka, topic, records, { ...options, codec: codecs[round % codecs.length] ?? 'none' })
      written += recordsPerRound
      await sleep(roundMs, signal).catch(() => {})
    }
    return written
  }

  async function watchStatus(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      seen.add((await sites.east.daemon.client.kafka.mirrors.get('west', topic)).mirror_status)
      await sleep(100, signal).catch(() => {})
    }
  }

  /** Until every partition has more at the source than now, whatever has become of the mirror meanwhile. */
  async function grown(): Promise<void> {
    const starts = await logEnds(source, partitions)
    await reached(
      source,
      starts.map((start) => start + 1),
      'more records in every partition of the source',
    )
  }

  /** Until the mirror has what was written to every partition after now. */
  async function followed(): Promise<void> {
    await grown()
    const ends = await logEnds(source, partitions)
    await reached(mirror, ends, `the mirror at ${ends}`)
  }

  async function reached(place: LogPlace, goals: readonly number[], what: string): Promise<void> {
    const there = async () => {
      const ends = await logEnds(place, partitions)
      return goals.every((goal, partition) => (ends[partition] as number) >= goal)
    }
    await waitFor(there, { timeoutMs, intervalMs: 50, what })
  }

  async function assertEqual(context: TestContext, written: number): Promise<void> {
    const ends = await logEnds(source, partitions)
    await caughtUp(sites.east.daemon, 'west', topic, ends, timeoutMs)
    const same = await assertSameLogs(source, mirror, partitions)
    assert.equal(same.records, sumOf(ends))
    const found = [...seen].sort()
    assert.deepEqual(
      found.filter((status) => status !== 'ACTIVE' && status !== 'SOURCE_UNAVAILABLE'),
      [],
    )
    context.diagnostic(`${written} records written, ${same.batches} batches equal, states seen: ${found.join(', ')}`)
  }

  test('leaders that are killed: equal', async (context) => {
    const written = await whileFlowing(async () => {
      for (let kill = 1; kill <= kills; kill += 1) {
        await followed()
        const victim = await leaders.busiest(nodeIds)
        await kafka.kill(victim)
        await leaders.movedFrom(victim)
        await followed()
        await kafka.restart(victim)
        await leaders.inSync(3)
      }
    })
    await assertEqual(context, written)
  })

  test('every node restarted in good order, one after the other: equal', async (context) => {
    const written = await whileFlowing(async () => {
      for (const nodeId of nodeIds) {
        await kafka.restart(nodeId)
        await leaders.inSync(3)
        await followed()
      }
    })
    await assertEqual(context, written)
  })

  test('a node that hangs until others lead, and comes back: equal', async (context) => {
    const written = await whileFlowing(async () => {
      const victim = await leaders.busiest(nodeIds)
      await kafka.kill(victim, 'SIGSTOP')
      const startMs = performance.now()
      await leaders.movedFrom(victim)
      await followed()
      context.diagnostic(`followed ${((performance.now() - startMs) / 1000).toFixed(1)} s after the node began to hang`)
      await kafka.kill(victim, 'SIGCONT')
      await leaders.inSync(3)
      await followed()
    })
    await assertEqual(context, written)
  })

  test("the source's daemon hangs, and while it does a leader dies: equal", async (context) => {
    const { west, east } = sites
    const written = await whileFlowing(async () => {
      west.daemon.process.kill('SIGSTOP')
      await hasStatus(east.daemon, 'west', topic, 'SOURCE_UNAVAILABLE', timeoutMs)
      west.daemon.process.kill('SIGCONT')
      await hasStatus(east.daemon, 'west', topic, 'ACTIVE', timeoutMs)
      await followed()
      const victim = await leaders.busiest(nodeIds)
      west.daemon.process.kill('SIGSTOP')
      await kafka.kill(victim)
      await leaders.movedFrom(victim)
      await grown()
      west.daemon.process.kill('SIGCONT')
      await followed()
      await kafka.restart(victim)
      await leaders.inSync(3)
    })
    await assertEqual(context, written)
  })

  test('a leader that is killed while a backlog passes: equal', async (context) => {
    const backlog = `${topic}-backlog`
    await createTopic(kafka, backlog, { partitions, config: safe })
    const fill: HeavyFill = { topic: backlog, partitions, bytes: backlogBytes, age: () => 'young' }
    const total = sumOf(await fillHeavily(nodes, fill))
    const victim = await new Leaders(nodes, [backlog]).busiest(nodeIds)
    const [left, right] = [
      { cluster: nodes, topic: backlog },
      { ...mirror, topic: backlog },
    ]
    await cli(sites.east.daemon, `kafka mirror create ${backlog} --link west`)
    const begun = async () => sumOf(await logEnds(right, partitions)) > total / 8
    await waitFor(begun, { timeoutMs, intervalMs: 2, what: 'an eighth of the backlog' })
    await kafka.kill(victim)
    const copied = sumOf(await logEnds(right, partitions))
    context.diagnostic(`node ${victim} killed when ${copied} of ${total} records were copied`)
    await caughtUp(sites.east.daemon, 'west', backlog, await logEnds(left, partitions), timeoutMs)
    await kafka.restart(victim)
    assert.equal((await assertSameLogs(left, right, partitions)).records, total)
  })
})
