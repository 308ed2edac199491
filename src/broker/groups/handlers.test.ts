import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../base/log.ts'
import { Reader } from '../../bytes/reader.ts'
import { Writer } from '../../bytes/writer.ts'
import { offsetCommit } from '../../wire/api/08-offset-commit.ts'
import { offsetFetch } from '../../wire/api/09-offset-fetch.ts'
import { findCoordinator } from '../../wire/api/10-find-coordinator.ts'
import { joinGroup } from '../../wire/api/11-join-group.ts'
import { heartbeat } from '../../wire/api/12-heartbeat.ts'
import { leaveGroup } from '../../wire/api/13-leave-group.ts'
import { syncGroup } from '../../wire/api/14-sync-group.ts'
import { describeGroups } from '../../wire/api/15-describe-groups.ts'
import { listGroups } from '../../wire/api/16-list-groups.ts'
import { deleteGroups } from '../../wire/api/42-delete-groups.ts'
import { offsetDelete } from '../../wire/api/47-offset-delete.ts'
import { decodeRequestBody, encodeRequestBody } from '../../wire/codec.ts'
import { kafkaErrorName } from '../../wire/errors.ts'
import { decodeResponse, encodeResponse } from '../../wire/frame.ts'
import type { Api, RequestInput, ResponseOf } from '../../wire/schema.ts'
import { brokerDefaults } from '../config.ts'
import type { BrokerNode } from '../node.ts'
import { groupHandlers } from './test-handlers.ts'
import { openWorld, settle, subscription, text, type World } from './test-world.ts'

const ids: Record<string, string> = {
  orders: '11111111-1111-4111-8111-111111111111',
  secret: '22222222-2222-4222-8222-222222222222',
}
const unknownId = '33333333-3333-4333-8333-333333333333'
const group = 'readers'

/** Speaks bytes, as clients do, in a version or the nearest that is offered. */
class Client {
  readonly world: World
  readonly version: number
  /** What it may not do, as `entitlement type name`. */
  readonly forbidden = new Set<string>()

  constructor(world: World, version: number) {
    this.world = world
    this.version = version
  }

  async ask<A extends Api>(api: A, request: RequestInput<A>): Promise<ResponseOf<A>> {
    const version = this.versionOf(api)
    const answered = await this.handle(api, request)
    assert.equal(answered.kind, 'answer')
    const body = answered.kind === 'answer' ? answered.body : {}
    const frame = Buffer.concat(encodeResponse(api as Api, version, 1, body)).subarray(4)
    return decodeResponse(api, version, frame)
  }

  handle<A extends Api>(api: A, request: RequestInput<A>, signal: AbortSignal = new AbortController().signal) {
    const handler = groupHandlers.find((one) => one.api === (api as Api))!
    const version = this.versionOf(api)
    const writer = new Writer()
    encodeRequestBody(api, version, request, writer)
    const decoded = decodeRequestBody(api, version, new Reader(writer.toBuffer()))
    const may = (entitlement: string, { type, name }: { type: string; name: string }) => {
      return !this.forbidden.has(`${entitlement} ${type} ${name}`)
    }
    const session = { principal: 'User:alice', clientHost: '/10.0.0.1', internal: false, may }
    return handler.handle(decoded, { node: nodeOf(this.world), session, version, clientId: 'app', signal })
  }

  versionOf(api: Api): number {
    const [min, max] = groupHandlers.find((one) => one.api === api)!.versions
    return Math.min(max, Math.max(min, this.version))
  }

  async join(memberId = ''): Promise<ResponseOf<typeof joinGroup>> {
    const protocols = [{ name: 'range', metadata: subscription(['orders']) }]
    const timeouts = {
      sessionTimeoutMs: 10_000,
      ...(this.versionOf(joinGroup) > 0 ? { rebalanceTimeoutMs: 10_000 } : {}),
    }
    const request = { groupId: group, memberId, protocolType: 'consumer', protocols, ...timeouts }
    const answer = this.ask(joinGroup, request)
    await this.world.time.pass(10)
    const joined = await answer
    return kafkaErrorName(joined.errorCode) === 'MEMBER_ID_REQUIRED' ? this.join(joined.memberId) : joined
  }

  commit(offset: number, more: RequestInput<typeof offsetCommit> = {}, names = ['orders']) {
    const topics = names.map((name) => ({
      ...(this.versionOf(offsetCommit) < 10 ? { name } : { topicId: ids[name] ?? unknownId }),
      partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: offset === 0 ? null : 'm' }],
    }))
    return this.ask(offsetCommit, { groupId: group, topics, ...more })
  }

  /** `null`: all topics. */
  async fetch(names: string[] | null): Promise<{ errorCode: number; offsets: [string, number, number][] }> {
    const version = this.versionOf(offsetFetch)
    const topics = names?.map((name) => ({
      ...(version < 10 ? { name } : { topicId: ids[name] ?? unknownId }),
      partitionIndexes: [0, 1],
    }))
    const one = { groupId: group, topics: topics ?? null }
    const answer = await this.ask(offsetFetch, version < 8 ? one : { groups: [one] })
    const told = version < 8 ? answer : answer.groups[0]!
    const nameOf = (topicId: string) => Object.keys(ids).find((name) => ids[name] === topicId) ?? 'unknown'
    const offsets = told.topics.flatMap((topic) => {
      const name = version < 10 ? topic.name : nameOf((topic as { topicId: string }).topicId)
      return topic.partitions.map((at): [string, number, number] => [name, Number(at.committedOffset), at.errorCode])
    })
    return { errorCode: told.errorCode, offsets }
  }
}

function nodeOf(world: World): BrokerNode {
  const topics = Object.entries(ids).map(([name, topicId]) => {
    return { name, topicId, partitions: 2, configs: {}, mirrorId: null }
  })
  const node = {
    config: { ...brokerDefaults, nodeId: 7 },
    advertised: () => ({ host: 'broker.example', port: 9092 }),
    groups: world.groups,
    catalog: {
      get: (name: string) => topics.find((topic) => topic.name === name),
      byId: (topicId: string) => topics.find((topic) => topic.topicId === topicId),
    },
    clock: world.time,
    log: silentLog,
  }
  return node as unknown as BrokerNode
}

async function openClient(t: TestContext, version: number): Promise<Client> {
  return new Client(await openWorld(t), version)
}

const first = (codes: { partitions: { errorCode: number }[] }[]) => {
  return codes.map(({ partitions }) => kafkaErrorName(partitions[0]!.errorCode))
}

for (let version = 0; version <= 10; version += 1) {
  test(`a group's whole life in version ${version} of each API, or the nearest`, async (t) => {
    const client = await openClient(t, version)
    const where = await client.ask(
      findCoordinator,
      client.versionOf(findCoordinator) < 4 ? { key: group } : { coordinatorKeys: [group] },
    )
    const found = where.coordinators[0] ?? where
    assert.deepEqual([found.errorCode, found.nodeId, found.host, found.port], [0, 7, 'broker.example', 9092])

    const joined = await client.join()
    assert.deepEqual([joined.errorCode, joined.generationId, joined.protocolName], [0, 1, 'range'])
    assert.equal(joined.leader, joined.memberId)
    const { memberId, generationId } = joined
    const member = { groupId: group, memberId, generationId }
    const protocol = client.versionOf(syncGroup) < 5 ? {} : { protocolType: 'consumer', protocolName: 'range' }
    const assignments = [{ memberId, assignment: text('partition 0') }]
    const synced = await client.ask(syncGroup, { ...member, ...protocol, assignments })
    assert.deepEqual([synced.errorCode, Buffer.from(synced.assignment).toString()], [0, 'partition 0'])
    assert.equal((await client.ask(heartbeat, member)).errorCode, 0)

    const committed = await client.commit(5, { memberId, generationIdOrMemberEpoch: generationId })
    assert.deepEqual(first(committed.topics), ['NONE'])
    const expected = [
      ['orders', 5, 0],
      ['orders', -1, 0],
    ]
    assert.deepEqual(await client.fetch(['orders']), { errorCode: 0, offsets: expected })

    const described = await client.ask(describeGroups, { groups: [group, group, 'nobody'] })
    assert.deepEqual(
      described.groups.map(({ groupState }) => groupState),
      ['Stable', 'Dead'],
    )
    assert.equal(described.groups[0]!.members[0]!.clientHost, '/10.0.0.1')
    assert.equal(Buffer.from(described.groups[0]!.members[0]!.memberAssignment).toString(), 'partition 0')
    const missing = client.versionOf(describeGroups) < 6 ? 'NONE' : 'GROUP_ID_NOT_FOUND'
    assert.equal(kafkaErrorName(described.groups[1]!.errorCode), missing)
    const { groups } = await client.ask(listGroups, {})
    assert.deepEqual(
      groups.map(({ groupId, protocolType }) => [groupId, protocolType]),
      [[group, 'consumer']],
    )

    const deleteAt = [{ name: 'orders', partitions: [{ partitionIndex: 0 }] }]
    const kept = await client.ask(offsetDelete, { groupId: group, topics: deleteAt })
    assert.deepEqual(first(kept.topics), ['GROUP_SUBSCRIBED_TO_TOPIC'])
    const busy = await client.ask(deleteGroups, { groupsNames: [group] })
    assert.equal(kafkaErrorName(busy.results[0]!.errorCode), 'NON_EMPTY_GROUP')

    const leaving = client.versionOf(leaveGroup) < 3 ? { memberId } : { members: [{ memberId }] }
    const left = await client.ask(leaveGroup, { groupId: group, ...leaving })
    assert.deepEqual(
      [left.errorCode, ...left.members.map(({ errorCode }) => errorCode)].every((code) => code === 0),
      true,
    )
    const gone = await client.ask(heartbeat, member)
    assert.equal(kafkaErrorName(gone.errorCode), 'UNKNOWN_MEMBER_ID')
    const again = await client.ask(leaveGroup, { groupId: group, ...leaving })
    assert.equal(kafkaErrorName(again.members[0]?.errorCode ?? again.errorCode), 'UNKNOWN_MEMBER_ID')

    assert.deepEqual(first((await client.commit(0)).topics), ['NONE'], 'from outside, without a text')
    const removed = await client.ask(offsetDelete, { groupId: group, topics: deleteAt })
    assert.deepEqual(first(removed.topics), ['NONE'])
    assert.deepEqual((await client.ask(deleteGroups, { groupsNames: [group] })).results[0]!.errorCode, 0)
    const unknown = client.versionOf(offsetCommit) < 9 ? 'ILLEGAL_GENERATION' : 'GROUP_ID_NOT_FOUND'
    const late = await client.commit(5, { memberId, generationIdOrMemberEpoch: generationId })
    assert.deepEqual(first(late.topics), [unknown])
  })
}

for (const version of [1, 2, 7, 8, 9, 10]) {
  test(`OffsetFetch v${version}: all topics, missing ones, and what may not be seen`, async (t) => {
    const client = await openClient(t, version)
    const empty = [
      ['orders', -1, 0],
      ['orders', -1, 0],
    ]
    assert.deepEqual(await client.fetch(['orders']), { errorCode: 0, offsets: empty }, 'an unknown group has nothing')
    await client.world.commit([{ offset: 5 }, { topic: 'secret', offset: 6 }, { topic: 'gone', offset: 7 }])
    client.forbidden.add('can_view topic secret')
    const { offsets } = await client.fetch(['orders', 'secret', 'gone'])
    const gone =
      version < 10
        ? [
            ['gone', 7, 0],
            ['gone', -1, 0],
          ]
        : [
            ['unknown', -1, 100],
            ['unknown', -1, 100],
          ]
    assert.deepEqual(offsets, [['orders', 5, 0], ['orders', -1, 0], ['secret', -1, 29], ['secret', -1, 29], ...gone])
    if (version >= 2) {
      const all = await client.fetch(null)
      assert.deepEqual(all.offsets, [['orders', 5, 0], ...(version < 10 ? [['gone', 7, 0]] : [])])
    }
    client.forbidden.add('can_view consumer_group readers')
    const refused = await client.fetch(['orders'])
    const each =
      version < 2
        ? [
            ['orders', -1, 30],
            ['orders', -1, 30],
          ]
        : []
    assert.deepEqual(refused, { errorCode: version < 2 ? 0 : 30, offsets: each })
  })
}

test('many groups are fetched at once', async (t) => {
  const client = await openClient(t, 9)
  await client.world.commit([{ offset: 5 }])
  const asked = ['readers', 'nobody'].map((groupId) => ({
    groupId,
    topics: [{ name: 'orders', partitionIndexes: [0] }],
  }))
  const { groups } = await client.ask(offsetFetch, { groups: asked, requireStable: true })
  const told = groups.map(({ groupId, topics }) => [groupId, Number(topics[0]!.partitions[0]!.committedOffset)])
  assert.deepEqual(told, [
    ['readers', 5],
    ['nobody', -1],
  ])
})

test('commits name what they are refused for, partition by partition', async (t) => {
  for (const version of [9, 10]) {
    const client = await openClient(t, version)
    client.forbidden.add('can_read topic secret')
    const { topics } = await client.commit(5, {}, ['secret', 'orders', 'absent'])
    const absent = version < 10 ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'UNKNOWN_TOPIC_ID'
    assert.deepEqual(first(topics), ['TOPIC_AUTHORIZATION_FAILED', 'NONE', absent])
    client.forbidden.add('can_edit consumer_group readers')
    const refused = await client.commit(6, {}, ['orders', 'absent'])
    assert.deepEqual(first(refused.topics), ['GROUP_AUTHORIZATION_FAILED', 'GROUP_AUTHORIZATION_FAILED'])
    assert.equal(client.world.groups.offset(group, { topic: 'orders', partition: 0 })!.offset, 5)
  }
})

test('without the right to a group, nothing of it is done or told', async (t) => {
  const client = await openClient(t, 5)
  await client.world.stable({})
  client.forbidden.add('can_edit consumer_group readers')
  const { groups: may } = await client.ask(describeGroups, { groups: [group], includeAuthorizedOperations: true })
  assert.equal(may[0]!.authorizedOperations, 1 << 8)
  const member = { groupId: group, memberId: 'x', generationId: 1 }
  const protocol = { protocolType: 'consumer', protocolName: 'range' }
  const refused = [
    await client.join(),
    await client.ask(syncGroup, { ...member, ...protocol }),
    await client.ask(heartbeat, member),
    await client.ask(leaveGroup, { groupId: group, members: [{ memberId: 'x' }] }),
    await client.ask(offsetDelete, { groupId: group }),
    (await client.ask(deleteGroups, { groupsNames: [group] })).results[0]!,
  ]
  assert.deepEqual(
    new Set(refused.map(({ errorCode }) => kafkaErrorName(errorCode))),
    new Set(['GROUP_AUTHORIZATION_FAILED']),
  )
  client.forbidden.add('can_view consumer_group readers')
  assert.deepEqual((await client.ask(listGroups, {})).groups, [])
  const { groups } = await client.ask(describeGroups, { groups: [group] })
  assert.deepEqual([kafkaErrorName(groups[0]!.errorCode), groups[0]!.members], ['GROUP_AUTHORIZATION_FAILED', []])
  const { coordinators } = await client.ask(findCoordinator, { coordinatorKeys: [group, 'other'] })
  assert.deepEqual(
    coordinators.map(({ errorCode }) => kafkaErrorName(errorCode)),
    ['GROUP_AUTHORIZATION_FAILED', 'NONE'],
  )
})

test('a group needs a name where members meet', async (t) => {
  const client = await openClient(t, 5)
  const protocol = { protocolType: 'consumer', protocolName: 'range' }
  const refused = [
    await client.ask(joinGroup, { groupId: '', protocolType: 'consumer' }),
    await client.ask(syncGroup, { groupId: '', ...protocol }),
    await client.ask(heartbeat, { groupId: '' }),
    await client.ask(leaveGroup, { groupId: '' }),
    await client.ask(offsetDelete, { groupId: '' }),
  ]
  assert.deepEqual(
    refused.map(({ errorCode }) => kafkaErrorName(errorCode)),
    refused.map(() => 'INVALID_GROUP_ID'),
  )
  assert.deepEqual(first((await client.commit(5, { groupId: '' })).topics), ['NONE'], 'old ones may have none')
})

test('groups are listed by state and type', async (t) => {
  const client = await openClient(t, 5)
  await client.world.stable({})
  await client.world.commit([{}], { groupId: 'simple' })
  const listed = async (filter: RequestInput<typeof listGroups>) => {
    const { groups } = await client.ask(listGroups, filter)
    return groups.map(({ groupId, groupState, groupType }) => `${groupId} ${groupState} ${groupType}`)
  }
  assert.deepEqual(await listed({}), ['readers Stable classic', 'simple Empty classic'])
  assert.deepEqual(await listed({ statesFilter: ['stable', 'Dead'] }), ['readers Stable classic'])
  assert.deepEqual(await listed({ statesFilter: ['Empty'], typesFilter: ['Classic'] }), ['simple Empty classic'])
  assert.deepEqual(await listed({ typesFilter: ['consumer', 'share'] }), [])
})

test('whoever looks for a coordinator of transactions is told at once that there is none', async (t) => {
  const client = await openClient(t, 4)
  const { coordinators } = await client.ask(findCoordinator, { keyType: 1, coordinatorKeys: ['tx'] })
  const { errorCode, errorMessage, nodeId } = coordinators[0]!
  assert.deepEqual([kafkaErrorName(errorCode), nodeId], ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', -1])
  assert.match(errorMessage!, /no transactions/)
  const other = await client.ask(findCoordinator, { keyType: 2, coordinatorKeys: ['s'] })
  assert.equal(kafkaErrorName(other.coordinators[0]!.errorCode), 'INVALID_REQUEST')
})

test('a client that leaves while it waits is not answered, and stays a member until its session ends', async (t) => {
  const client = await openClient(t, 3)
  const gone = new AbortController()
  const protocols = [{ name: 'range', metadata: text('x') }]
  const request = { groupId: group, protocolType: 'consumer', protocols, sessionTimeoutMs: 10_000 }
  const join = client.handle(joinGroup, { ...request, rebalanceTimeoutMs: 10_000 }, gone.signal)
  gone.abort()
  assert.deepEqual(await join, { kind: 'none' })
  await client.world.time.pass(9000)
  assert.equal(client.world.groups.describe(group)!.members.length, 1)
  await client.world.time.pass(2000)
  assert.equal(client.world.groups.describe(group)!.members.length, 0)
})

test('from version 5 on, SyncGroup names the protocol, and rightly', async (t) => {
  const client = await openClient(t, 5)
  const { memberId, generationId } = await client.join()
  const member = { groupId: group, memberId, generationId }
  const named = [
    {},
    { protocolType: 'consumer', protocolName: 'sticky' },
    { protocolType: 'connect', protocolName: 'range' },
  ]
  for (const protocol of named) {
    const { errorCode } = await client.ask(syncGroup, { ...member, ...protocol })
    assert.equal(kafkaErrorName(errorCode), 'INCONSISTENT_GROUP_PROTOCOL')
  }
  await settle()
})
