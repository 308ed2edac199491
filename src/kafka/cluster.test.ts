import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FakeKafka, PlainDialler } from '../../test/support/fake-kafka.ts'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { listOffsets } from '../wire/api/02-list-offsets.ts'
import { metadata } from '../wire/api/03-metadata.ts'
import { findCoordinator } from '../wire/api/10-find-coordinator.ts'
import { listGroups } from '../wire/api/16-list-groups.ts'
import { deleteGroups as deleteGroupsApi } from '../wire/api/42-delete-groups.ts'
import { kafkaErrors } from '../wire/errors.ts'
import { deleteGroups, listGroups as listAllGroups } from './admin/groups.ts'
import { logEnd } from './admin/offsets.ts'
import type { KafkaCluster } from './cluster.ts'
import type { ClusterOptions } from './cluster-options.ts'
import { openCluster } from './open-cluster.ts'

/** Two brokers, one topic with two partitions, and who leads what. */
class TwoBrokers {
  readonly nodes: FakeKafka[] = []
  readonly leaders = [0, 1]
  leaderEpoch = 5
  clusterId = 'kafka-one'
  coordinator = 0
  ends = [100, 200]

  async start(t: TestContext, options: Partial<ClusterOptions> = {}): Promise<KafkaCluster> {
    for (const nodeId of [0, 1]) this.nodes.push(await this.#node(nodeId).listen())
    const dialler = new PlainDialler(this.nodes[0]!.port)
    const cluster = openCluster(dialler, { log: silentLog, clock: systemClock, deadlineMs: 5000, ...options })
    t.after(async () => {
      await cluster[Symbol.asyncDispose]()
      for (const node of this.nodes) await node[Symbol.asyncDispose]()
    })
    return cluster
  }

  #node(nodeId: number): FakeKafka {
    const fake = new FakeKafka()
    return fake
      .on(metadata, ({ body, answer }) => {
        const names = body.topics?.map(({ name }) => name) ?? ['orders']
        answer({ ...this.#brokers(), topics: names.map((name) => this.#topic(name)) })
      })
      .on(listOffsets, ({ body, answer }) => {
        const topics = body.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex, currentLeaderEpoch }) => {
            const wrong = this.leaders[partitionIndex] !== nodeId
            const errorCode = wrong ? kafkaErrors.NOT_LEADER_OR_FOLLOWER : this.#epochError(currentLeaderEpoch)
            return { partitionIndex, errorCode, offset: this.ends[partitionIndex]!, leaderEpoch: this.leaderEpoch }
          }),
        }))
        answer({ topics })
      })
      .on(findCoordinator, ({ body, answer }) => {
        const { port } = this.nodes[this.coordinator]!
        const found = { nodeId: this.coordinator, host: '127.0.0.1', port, errorCode: 0 }
        answer({ coordinators: body.coordinatorKeys.map((key) => ({ key, ...found })) })
      })
      .on(deleteGroupsApi, ({ body, answer }) => {
        const errorCode = this.coordinator === nodeId ? 0 : kafkaErrors.NOT_COORDINATOR
        answer({ results: body.groupsNames.map((groupId) => ({ groupId, errorCode })) })
      })
      .on(listGroups, ({ answer }) => answer({ groups: [{ groupId: `on-${nodeId}` }, { groupId: 'both' }] }))
  }

  #epochError(epoch: number): number {
    return epoch === this.leaderEpoch ? 0 : kafkaErrors.FENCED_LEADER_EPOCH
  }

  #brokers() {
    const brokers = this.nodes.map(({ port }, nodeId) => ({ nodeId, host: '127.0.0.1', port }))
    return { brokers, clusterId: this.clusterId, controllerId: 1 }
  }

  #topic(name: string | null) {
    if (name !== 'orders') return { name, errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION }
    const partitions = this.leaders.map((leaderId, partitionIndex) => {
      return { partitionIndex, leaderId, leaderEpoch: this.leaderEpoch, replicaNodes: [0, 1], isrNodes: [0, 1] }
    })
    return { name, topicId: '00000000-0000-0000-0000-00000000000a', partitions }
  }
}

const both = [
  { topic: 'orders', partition: 0 },
  { topic: 'orders', partition: 1 },
]

test('many partitions: one request per leader, answers in the order asked for', async (t) => {
  const two = new TwoBrokers()
  const cluster = await two.start(t)
  const outcomes = await logEnd(cluster, [...both].reverse())
  assert.deepEqual(
    outcomes.map(({ value }) => value?.offset),
    [200, 100],
  )
  for (const node of two.nodes) {
    assert.equal(node.seen(listOffsets).length, 1)
    const [request] = node.seen(listOffsets)
    assert.ok(request!.body.replicaId > 0, 'a consumer would get the high watermark')
    assert.equal(request!.body.topics[0]!.partitions[0]!.currentLeaderEpoch, 5)
  }
  assert.equal(cluster.cache.nameOf('00000000-0000-0000-0000-00000000000a'), 'orders')
})

test('a new leader and a new epoch are found by asking again', async (t) => {
  const two = new TwoBrokers()
  const cluster = await two.start(t)
  await logEnd(cluster, both)
  two.leaders.reverse()
  two.leaderEpoch = 6
  const outcomes = await logEnd(cluster, both)
  assert.deepEqual(
    outcomes.map(({ value }) => value?.offset),
    [100, 200],
  )
  assert.deepEqual(await cluster.leader('orders', 0), { nodeId: 1, leaderEpoch: 6 })
})

test('a partition without a leader is waited for, within the deadline', async (t) => {
  const two = new TwoBrokers()
  const cluster = await two.start(t)
  two.leaders[0] = -1
  const [first, second] = await logEnd(cluster, both, { deadlineMs: 1000 })
  assert.equal(first?.error?.code, 'kafka-retriable')
  assert.equal(first?.error?.details.kafkaName, 'LEADER_NOT_AVAILABLE')
  assert.equal(second?.value?.offset, 200)
  await assert.rejects(cluster.leader('orders', 0, { deadlineMs: 100 }), { code: 'kafka-retriable' })
  setTimeout(() => {
    two.leaders[0] = 1
  }, 100)
  assert.equal((await cluster.leader('orders', 0)).nodeId, 1)
})

test('an unknown topic or partition fails at once and alone', async (t) => {
  const two = new TwoBrokers()
  const cluster = await two.start(t)
  const wanted = [...both, { topic: 'orders', partition: 9 }, { topic: 'none', partition: 0 }]
  const startMs = performance.now()
  const outcomes = await logEnd(cluster, wanted)
  assert.ok(performance.now() - startMs < 1000)
  assert.deepEqual(
    outcomes.map(({ error }) => error?.code),
    [undefined, undefined, 'kafka-unknown-topic', 'kafka-unknown-topic'],
  )
  assert.match(outcomes[2]!.error!.message, /read the log end of partition orders-9/)
  await assert.rejects(cluster.topic('none'), { code: 'kafka-unknown-topic' })
})

test('a lost connection is made anew and the request repeated', async (t) => {
  const two = new TwoBrokers()
  const cluster = await two.start(t)
  await logEnd(cluster, both)
  for (const node of two.nodes) node.disconnect()
  assert.deepEqual(
    (await logEnd(cluster, both)).map(({ value }) => value?.offset),
    [100, 200],
  )
  let failures = 2
  two.nodes[0]!.on(listGroups, ({ socket, answer }) => {
    failures -= 1
    if (failures >= 0) socket.destroy()
    else answer({})
  })
  await cluster.request({ to: 'node', nodeId: 0 }, listGroups, {})
  assert.equal(failures, -1)
})

test('a moved coordinator is found again', async (t) => {
  const two = new TwoBrokers()
  const cluster = await two.start(t)
  assert.equal((await deleteGroups(cluster, ['g']))[0]?.value, true)
  two.coordinator = 1
  assert.equal((await deleteGroups(cluster, ['g', 'h']))[0]?.value, true)
  assert.equal(await cluster.coordinator('g'), 1)
})

test('groups are listed at every broker, each once', async (t) => {
  const two = new TwoBrokers()
  const cluster = await two.start(t)
  const groups = await listAllGroups(cluster)
  assert.deepEqual(groups.map(({ group }) => group).sort(), ['both', 'on-0', 'on-1'])
  assert.equal(groups[0]?.type, 'classic')
})

test('retriable codes in an answer are retried, others are left to the caller', async (t) => {
  const two = new TwoBrokers()
  const cluster = await two.start(t)
  const codes: number[] = [kafkaErrors.COORDINATOR_LOAD_IN_PROGRESS, kafkaErrors.REQUEST_TIMED_OUT, 0]
  two.nodes[0]!.on(listGroups, ({ answer }) => answer({ errorCode: codes.shift() ?? 0 }))
  assert.equal((await cluster.request({ to: 'any' }, listGroups, {})).errorCode, 0)
  assert.equal(codes.length, 0)
  two.nodes[0]!.on(listGroups, ({ answer }) => answer({ errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED }))
  assert.equal((await cluster.request({ to: 'any' }, listGroups, {})).errorCode, 31)
  two.nodes[0]!.on(listGroups, ({ answer }) => answer({ errorCode: kafkaErrors.COORDINATOR_LOAD_IN_PROGRESS }))
  const request = cluster.request({ to: 'any' }, listGroups, {}, { deadlineMs: 150 })
  await assert.rejects(request, { code: 'kafka-retriable' })
})

test('a broker that hangs uses up one attempt, not the deadline', async (t) => {
  const two = new TwoBrokers()
  const cluster = await two.start(t, { attemptMs: 100 })
  await cluster.refresh(['orders'])
  two.nodes[0]!.on(listGroups, () => {})
  const { groups } = await cluster.request({ to: 'any' }, listGroups, {}, { deadlineMs: 5000 })
  assert.equal(groups[0]?.groupId, 'on-1')
})

test('overlapping refreshes share requests', async (t) => {
  const two = new TwoBrokers()
  const cluster = await two.start(t)
  await cluster.refresh([])
  const before = two.nodes[0]!.seen(metadata).length
  await Promise.all(Array.from({ length: 50 }, (_, index) => cluster.refresh([`t${index}`])))
  const asked = two.nodes[0]!.seen(metadata).slice(before)
  assert.equal(asked.length, 1)
  assert.equal(asked.flatMap(({ body }) => body.topics ?? []).length, 50)
  assert.ok(asked.every(({ body }) => body.allowAutoTopicCreation === false))
})

test('another cluster behind the same addresses ends every call', async (t) => {
  const two = new TwoBrokers()
  const cluster = await two.start(t)
  assert.equal(await cluster.clusterId(), 'kafka-one')
  two.clusterId = 'kafka-two'
  await assert.rejects(cluster.refresh([]), { code: 'precondition-failed', message: /kafka-two, not to kafka-one/ })
})

test('nobody there: the error names the address, the signal and close end the wait', async () => {
  const spec = { reach: 'kafka', clientId: 'x', bootstrap: [{ host: '127.0.0.1', port: 1 }] } as const
  const parts = { log: silentLog, clock: systemClock }
  await using cluster = openCluster({ ...spec, bootstrap: [...spec.bootstrap] }, parts)
  await assert.rejects(cluster.refresh([], { deadlineMs: 500 }), { code: 'unreachable', message: /127\.0\.0\.1:1\b/ })
  await assert.rejects(cluster.refresh([], { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' })
  const waiting = assert.rejects(cluster.refresh([]), { code: 'closed' })
  await cluster[Symbol.asyncDispose]()
  await waiting
})
