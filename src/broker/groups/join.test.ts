import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWorld, settle, text, type World } from './test-world.ts'
import type { JoinRequest } from './types.ts'

const protocols = (...names: string[]) => names.map((name) => ({ name, metadata: text(name) }))

test('a dynamic member is given an id, joins with it, leads, and is stable once that is stored', async (t) => {
  const world = await openWorld(t)
  const first = await world.join({ requiresMemberId: true, clientId: 'app' }).answer
  assert.equal(first.error, 'MEMBER_ID_REQUIRED')
  assert.match(first.memberId, /^app-[0-9a-f-]{36}$/)
  const join = world.join({ requiresMemberId: true, memberId: first.memberId })
  await settle()
  assert.equal(join.result, undefined, 'others may still come')
  await world.time.pass(1)
  const joined = await join.answer
  const { memberId } = first
  assert.deepEqual(
    { ...joined, members: joined.members.map((member) => member.memberId) },
    {
      error: 'NONE',
      memberId,
      generation: 1,
      protocolType: 'consumer',
      protocolName: 'range',
      leader: memberId,
      skipAssignment: false,
      members: [memberId],
    },
  )
  const sync = world.sync(joined)
  assert.equal(world.state, 'CompletingRebalance')
  await settle()
  assert.equal(sync.result!.error, 'NONE')
  assert.equal(Buffer.from(sync.result!.assignment).toString(), `for ${memberId}`)
  assert.equal(world.state, 'Stable')
  assert.equal(world.heartbeat(joined), 'NONE')
})

const refusedJoins: { why: string; change: Partial<JoinRequest>; error: string; others?: boolean }[] = [
  { why: 'a session shorter than allowed', change: { sessionTimeoutMs: 5999 }, error: 'INVALID_SESSION_TIMEOUT' },
  { why: 'a session longer than allowed', change: { sessionTimeoutMs: 1_800_001 }, error: 'INVALID_SESSION_TIMEOUT' },
  { why: 'an id that nobody gave out', change: { memberId: 'me' }, error: 'UNKNOWN_MEMBER_ID' },
  { why: 'such an id in a group that is there', change: { memberId: 'me' }, error: 'UNKNOWN_MEMBER_ID', others: true },
  { why: 'no protocol at all', change: { protocols: [] }, error: 'INCONSISTENT_GROUP_PROTOCOL' },
  {
    why: 'a protocol type without end',
    change: { protocolType: 'x'.repeat(250) },
    error: 'INCONSISTENT_GROUP_PROTOCOL',
  },
  { why: 'no protocol type', change: { protocolType: '' }, error: 'INCONSISTENT_GROUP_PROTOCOL' },
  {
    why: 'another protocol type than the others',
    change: { protocolType: 'connect' },
    error: 'INCONSISTENT_GROUP_PROTOCOL',
    others: true,
  },
  {
    why: 'no protocol in common',
    change: { protocols: protocols('sticky') },
    error: 'INCONSISTENT_GROUP_PROTOCOL',
    others: true,
  },
  {
    why: 'an instance id that the group does not know',
    change: { memberId: 'me', instanceId: 'one' },
    error: 'UNKNOWN_MEMBER_ID',
    others: true,
  },
]

for (const { why, change, error, others } of refusedJoins) {
  test(`a join is refused for ${why}`, async (t) => {
    const world = await openWorld(t)
    if (others) await world.stable({})
    assert.equal((await world.join(change).answer).error, error)
  })
}

test('the protocol that everybody knows and most prefer is chosen', async (t) => {
  const world = await openWorld(t)
  const joined = await world.stable(
    { protocols: protocols('range', 'sticky', 'own') },
    { protocols: protocols('sticky', 'range') },
    { protocols: [...protocols('sticky', 'range'), { name: 'range', metadata: text('again') }] },
  )
  assert.equal(joined[0]!.protocolName, 'sticky')
  assert.deepEqual(
    joined[0]!.members.map(({ metadata }) => Buffer.from(metadata).toString()),
    ['sticky', 'sticky', 'sticky'],
  )
  assert.deepEqual(joined[1]!.members, [], 'only the leader assigns')
})

test('another member sets off a rebalance: the others learn it from their heartbeats and join again', async (t) => {
  const world = await openWorld(t)
  const [one] = await world.stable({})
  const two = world.join()
  await world.time.pass(10)
  assert.equal(two.result, undefined)
  assert.equal(world.heartbeat(one!), 'REBALANCE_IN_PROGRESS')
  assert.equal((await world.sync(one!).answer).error, 'REBALANCE_IN_PROGRESS')
  const again = world.join({ memberId: one!.memberId })
  const [joined, other] = await Promise.all([again.answer, two.answer])
  assert.deepEqual([joined.generation, other.generation], [2, 2])
  assert.equal(joined.leader, one!.memberId)
  assert.equal(joined.members.length, 2)
  const waiting = world.sync(other)
  await world.time.pass(100)
  assert.equal(waiting.result, undefined, 'the leader has not assigned')
  await world.sync(joined).answer
  assert.equal(Buffer.from((await waiting.answer).assignment).toString(), `for ${other.memberId}`)
  assert.equal(world.heartbeat({ ...one!, generation: 1 }), 'ILLEGAL_GENERATION')
  assert.equal(world.heartbeat(joined), 'NONE')
})

test('who does not join again within the rebalance timeout is out, a leader too', async (t) => {
  const world = await openWorld(t)
  const [leader, other] = await world.stable({ sessionTimeoutMs: 200_000 }, { sessionTimeoutMs: 200_000 })
  const third = world.join()
  const again = world.join({ memberId: other!.memberId })
  await world.time.pass(59_000)
  assert.equal(third.result, undefined)
  await world.time.pass(2000)
  assert.equal(again.result!.generation, 2)
  assert.equal(again.result!.leader, again.result!.members.length === 2 ? other!.memberId : third.result!.memberId)
  assert.equal(world.heartbeat(leader!), 'UNKNOWN_MEMBER_ID')
})

test('a member that falls silent loses its session, and an empty group its leader', async (t) => {
  const world = await openWorld(t)
  const [one, two] = await world.stable({}, {})
  for (let beat = 0; beat < 4; beat += 1) {
    await world.time.pass(3000)
    world.heartbeat(one!)
  }
  assert.equal(world.heartbeat(two!), 'UNKNOWN_MEMBER_ID')
  assert.equal(world.heartbeat(one!), 'REBALANCE_IN_PROGRESS')
  await world.time.pass(70_000)
  const group = world.groups.describe('readers')!
  assert.deepEqual([group.state, group.members.length, group.protocolType], ['Empty', 0, 'consumer'])
  const [next] = await world.stable({})
  assert.equal(next!.generation, 3, 'nobody came to the round that the first one missed, then a new one')
})

test('an id that is not used in time is forgotten, and holds up a round no longer', async (t) => {
  const world = await openWorld(t)
  const [one] = await world.stable({})
  const promised = await world.join({ requiresMemberId: true }).answer
  const again = world.join({ memberId: one!.memberId })
  await world.time.pass(9000)
  assert.equal(again.result, undefined)
  await world.time.pass(2000)
  assert.equal(again.result!.generation, 2)
  assert.equal((await world.join({ memberId: promised.memberId }).answer).error, 'UNKNOWN_MEMBER_ID')
})

test('new members wait five minutes at most: their clients may be long gone', async (t) => {
  const world = await openWorld(t)
  const [one] = await world.stable({ rebalanceTimeoutMs: 1_000_000, sessionTimeoutMs: 1_000_000 })
  const fresh = world.join({ rebalanceTimeoutMs: 1_000_000 })
  await world.time.pass(299_000)
  assert.equal(fresh.result, undefined)
  await world.time.pass(2000)
  assert.equal(fresh.result!.error, 'UNKNOWN_MEMBER_ID')
  assert.equal(world.groups.describe('readers')!.members.length, 1)
  assert.equal(world.heartbeat(one!), 'REBALANCE_IN_PROGRESS')
})

test('the first round waits for those who come during its delay, within the rebalance timeout', async (t) => {
  const world = await openWorld(t, { config: { groupInitialRebalanceDelayMs: 3000 } })
  const joins = [world.join({ rebalanceTimeoutMs: 7000 })]
  for (let one = 0; one < 2; one += 1) {
    await world.time.pass(2900)
    joins.push(world.join({ rebalanceTimeoutMs: 7000 }))
  }
  await world.time.pass(1100)
  assert.equal(joins[0]!.result, undefined)
  await world.time.pass(200)
  const joined = joins.map(({ result }) => result!.generation)
  assert.deepEqual(joined, [1, 1, 1])
})

test('a round that everybody has left takes others', async (t) => {
  const world = await openWorld(t, { config: { groupInitialRebalanceDelayMs: 3000 } })
  const promised = await world.join({ requiresMemberId: true }).answer
  const join = world.join({ memberId: promised.memberId })
  await world.time.pass(10)
  const [left] = world.groups.leave('readers', [{ memberId: promised.memberId, instanceId: null }])
  assert.equal(left!.error, 'NONE')
  assert.equal((await join.answer).error, 'UNKNOWN_MEMBER_ID')
  const other = world.join()
  await world.time.pass(6000)
  assert.deepEqual([other.result!.error, other.result!.generation], ['NONE', 1])
})

test('an assignment that is stored too late, when the group has moved on, counts no more', async (t) => {
  const world = await openWorld(t)
  const join = world.join()
  await world.time.pass(10)
  let release = () => {}
  world.disk.slow = new Promise<void>((resolve) => {
    release = resolve
  })
  const { memberId } = join.result!
  const sync = world.sync(join.result!)
  await settle()
  const joins = [world.join(), world.join({ memberId })]
  assert.equal((await sync.answer).error, 'REBALANCE_IN_PROGRESS')
  const [other, again] = await Promise.all(joins.map(({ answer }) => answer))
  release()
  await settle()
  assert.equal(world.state, 'CompletingRebalance')
  const syncs = [world.sync(other!), world.sync(again!)]
  await settle()
  const assigned = syncs.map(({ result }) => Buffer.from(result!.assignment).toString())
  assert.deepEqual(assigned, [`for ${other!.memberId}`, `for ${memberId}`])
  assert.equal(world.heartbeat(again!), 'NONE')
  await world.restart()
  assert.equal(world.heartbeat(again!), 'NONE', 'what was stored last is the newer one')
})

test('a group takes no more members than it may have', async (t) => {
  const world = await openWorld(t, { config: { groupMembersMax: 2 } })
  const joins = [world.join(), world.join(), world.join()]
  await world.time.pass(10)
  assert.deepEqual(
    joins.map(({ result }) => result!.error),
    ['NONE', 'NONE', 'GROUP_MAX_SIZE_REACHED'],
  )
  assert.equal((await world.join().answer).error, 'GROUP_MAX_SIZE_REACHED')
})

test('members that do not ask for their assignment in time are out', async (t) => {
  const world = await openWorld(t)
  const joins = [world.join({ sessionTimeoutMs: 200_000 }), world.join({ sessionTimeoutMs: 200_000 })]
  await world.time.pass(10)
  const sync = world.sync(joins[1]!.result!)
  await world.time.pass(61_000)
  assert.equal(sync.result!.error, 'REBALANCE_IN_PROGRESS', 'the leader never came')
  assert.equal(world.heartbeat(joins[0]!.result!), 'UNKNOWN_MEMBER_ID')
  const again = world.join({ memberId: joins[1]!.result!.memberId })
  await world.time.pass(10)
  assert.equal(again.result!.leader, joins[1]!.result!.memberId)
})

test('a call that comes again in the place of one that waits ends it', async (t) => {
  const world = await openWorld(t)
  const [one, two] = await world.stable({}, {})
  const waiting = world.join({ memberId: one!.memberId })
  const second = world.join({ memberId: one!.memberId })
  assert.equal((await waiting.answer).error, 'REBALANCE_IN_PROGRESS')
  const third = world.join({ memberId: two!.memberId })
  await second.answer
  const sync = world.sync(await third.answer)
  const syncAgain = world.sync(await third.answer)
  assert.equal((await sync.answer).error, 'REBALANCE_IN_PROGRESS')
  await world.sync(await second.answer).answer
  assert.equal((await syncAgain.answer).error, 'NONE')
})

test('a broker that stops lets nobody wait', async (t) => {
  const world = await openWorld(t)
  await world.stable({})
  const join = world.join()
  await world.stop()
  assert.equal((await join.answer).error, 'COORDINATOR_NOT_AVAILABLE')
  assert.equal((await world.join().answer).error, 'COORDINATOR_NOT_AVAILABLE')
  assert.equal(world.heartbeat({ memberId: 'x', generation: 1 }), 'COORDINATOR_NOT_AVAILABLE')
})

test('members go on where they were when the broker comes back, and answer for their sessions anew', async (t) => {
  const world = await openWorld(t)
  const [one, two] = await world.stable({}, { instanceId: 'two' })
  const before = world.groups.describe('readers')
  await world.time.pass(9000)
  await world.restart()
  assert.deepEqual(world.groups.describe('readers'), before)
  await world.time.pass(9000)
  assert.equal(world.heartbeat(one!), 'NONE')
  assert.equal(world.heartbeat(two!, 'two'), 'NONE')
  const sync = await world.sync(one!).answer
  assert.equal(Buffer.from(sync.assignment).toString(), `for ${one!.memberId}`)
  await world.time.pass(80_000)
  assert.equal(world.state, 'Empty')
  await world.restart()
  assert.equal(world.state, 'Empty')
  assert.equal((await stableOne(world)).generation, 3, 'generations go on')
})

async function stableOne(world: World) {
  return (await world.stable({}))[0]!
}

test('an assignment that cannot be stored is not handed out', async (t) => {
  const world = await openWorld(t)
  const join = world.join()
  await world.time.pass(10)
  world.disk.failing = true
  assert.equal((await world.sync(await join.answer).answer).error, 'COORDINATOR_NOT_AVAILABLE')
  assert.equal(world.state, 'PreparingRebalance')
  world.disk.failing = false
  await settle()
  const again = world.join({ memberId: join.result!.memberId })
  assert.equal((await world.sync(await again.answer).answer).error, 'NONE')
})

test('what a member gives is bounded in all groups together', async (t) => {
  const world = await openWorld(t, { limits: { membersMax: 3, memberBytesMax: 20_000, groupsMax: 4 } })
  const huge = [{ name: 'range', metadata: new Uint8Array(30_000) }]
  assert.equal((await world.join({ protocols: huge }).answer).error, 'GROUP_MAX_SIZE_REACHED')
  const [leader] = await world.stable({}, {}, {})
  assert.equal((await world.join({ groupId: 'others' }).answer).error, 'GROUP_MAX_SIZE_REACHED')
  const again = world.join({ memberId: leader!.memberId, protocols: huge })
  assert.equal((await again.answer).error, 'GROUP_MAX_SIZE_REACHED')
  for (let index = 0; index < 20; index += 1) {
    const join = await world.join({ groupId: `many-${index}`, protocols: [] }).answer
    assert.equal(join.error, 'INCONSISTENT_GROUP_PROTOCOL')
    assert.ok(world.groups.list().length <= 4)
  }
})

test('ids that were given out count with what they take', async (t) => {
  const world = await openWorld(t, { limits: { memberBytesMax: 200_000 } })
  const clientId = 'x'.repeat(32_000)
  const errors: string[] = []
  for (let index = 0; index < 10; index += 1) {
    errors.push((await world.join({ groupId: `g${index}`, clientId, requiresMemberId: true }).answer).error)
  }
  assert.equal(errors.filter((error) => error === 'MEMBER_ID_REQUIRED').length, 6)
  await world.time.pass(11_000)
  assert.equal((await world.join({ clientId, requiresMemberId: true }).answer).error, 'MEMBER_ID_REQUIRED')
})

test('an assignment that is too large for this broker fails, and the group starts over', async (t) => {
  const world = await openWorld(t, { limits: { memberBytesMax: 20_000 } })
  const join = world.join()
  await world.time.pass(10)
  const joined = await join.answer
  const assignments = [{ memberId: joined.memberId, assignment: new Uint8Array(30_000) }]
  assert.equal((await world.sync(joined, { assignments }).answer).error, 'UNKNOWN_SERVER_ERROR')
  assert.equal(world.state, 'PreparingRebalance')
})

test('a group whose members are too large for one row works, and joins again after a restart', async (t) => {
  const world = await openWorld(t)
  const large = [{ name: 'range', metadata: new Uint8Array(1_000_000) }]
  const [one] = await world.stable({ protocols: large })
  assert.equal(world.heartbeat(one!), 'NONE')
  await world.restart()
  assert.equal(world.heartbeat(one!), 'UNKNOWN_MEMBER_ID')
  assert.equal((await stableOne(world)).generation, 2)
})
