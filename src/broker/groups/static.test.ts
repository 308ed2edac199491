import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWorld, settle, subscription, text } from './test-world.ts'

const one = { instanceId: 'one' }
const two = { instanceId: 'two' }

test('a static member that starts anew gets another id and keeps its assignment, without a rebalance', async (t) => {
  const world = await openWorld(t)
  const [leader, follower] = await world.stable(one, two)
  assert.match(leader!.memberId, /^one-/)
  const back = await world.join({ ...two, clientHost: '/10.0.0.9' }).answer
  assert.equal(back.error, 'NONE')
  assert.notEqual(back.memberId, follower!.memberId)
  assert.deepEqual([back.generation, back.leader, back.skipAssignment], [1, leader!.memberId, false])
  const sync = await world.sync(back, two).answer
  assert.equal(Buffer.from(sync.assignment).toString(), `for ${follower!.memberId}`)
  assert.equal(world.heartbeat(leader!, 'one'), 'NONE')
  assert.equal(world.heartbeat(follower!, 'two'), 'FENCED_INSTANCE_ID')
  assert.equal(world.heartbeat(follower!), 'UNKNOWN_MEMBER_ID')
  assert.equal((await world.sync(follower!, two).answer).error, 'FENCED_INSTANCE_ID')
  assert.equal((await world.join({ ...two, memberId: follower!.memberId }).answer).error, 'FENCED_INSTANCE_ID')
  const hosts = world.groups.describe('readers')!.members.map(({ instanceId, clientHost }) => [instanceId, clientHost])
  assert.deepEqual(new Map(hosts as [string, string][]).get('two'), '/10.0.0.9')
  await world.restart()
  assert.equal(world.heartbeat(back, 'two'), 'NONE', 'the new id was stored before it was told')
})

test('a leader that starts anew is told not to assign, or who led before', async (t) => {
  const world = await openWorld(t)
  const [leader] = await world.stable(one, two)
  const back = await world.join(one).answer
  assert.deepEqual([back.leader, back.skipAssignment, back.members.length], [back.memberId, true, 2])
  const older = await world.join({ ...one, skipsAssignment: false }).answer
  assert.deepEqual([older.leader, older.skipAssignment, older.members.length], [back.memberId, false, 0])
  assert.notEqual(older.leader, older.memberId)
  const sync = await world.sync(older, one).answer
  assert.equal(Buffer.from(sync.assignment).toString(), `for ${leader!.memberId}`)
})

test('a static member that is back with other protocols sets off a rebalance', async (t) => {
  const world = await openWorld(t)
  const both = ['range', 'sticky'].map((name) => ({ name, metadata: subscription([name]) }))
  const [leader] = await world.stable({ ...one, protocols: both }, { ...two, protocols: both })
  const back = world.join({ ...two, protocols: [both[1]!] })
  await world.time.pass(10)
  assert.equal(back.result, undefined)
  assert.equal(world.heartbeat(leader!, 'one'), 'REBALANCE_IN_PROGRESS')
  const again = await world.join({ ...one, memberId: leader!.memberId, protocols: both }).answer
  assert.deepEqual([again.generation, again.protocolName], [2, 'sticky'])
})

test('a static member that comes back before the assignment sets off a rebalance', async (t) => {
  const world = await openWorld(t)
  const joins = [world.join(one), world.join(two)]
  await world.time.pass(10)
  const waiting = world.sync(joins[1]!.result!, two)
  const back = world.join(two)
  assert.equal((await waiting.answer).error, 'FENCED_INSTANCE_ID')
  assert.equal(world.heartbeat(joins[0]!.result!, 'one'), 'REBALANCE_IN_PROGRESS')
  await world.join({ ...one, memberId: joins[0]!.result!.memberId }).answer
  assert.equal((await back.answer).generation, 2)
})

test('of two that claim to be the same, the one that waits is fenced', async (t) => {
  const world = await openWorld(t)
  const first = world.join(one)
  const second = world.join(one)
  assert.equal((await first.answer).error, 'FENCED_INSTANCE_ID')
  await world.time.pass(10)
  assert.equal((await second.answer).error, 'NONE')
})

test('a static member may miss a round: it keeps its place until its session ends', async (t) => {
  const world = await openWorld(t)
  const long = { sessionTimeoutMs: 100_000 }
  const [leader, absent] = await world.stable({ ...one, ...long }, { ...two, ...long })
  const again = world.join({ ...one, ...long, memberId: leader!.memberId })
  await world.time.pass(61_000)
  assert.deepEqual([again.result!.generation, again.result!.members.length], [2, 2])
  await world.sync(again.result!, one).answer
  assert.equal(world.heartbeat(absent!, 'two'), 'ILLEGAL_GENERATION')
  const rejoin = world.join({ ...two, ...long, memberId: absent!.memberId })
  assert.deepEqual([(await rejoin.answer).generation, world.state], [2, 'Stable'])
  assert.equal(
    Buffer.from((await world.sync(await rejoin.answer, two).answer).assignment).toString(),
    `for ${absent!.memberId}`,
  )
})

test('an operator removes static members by their instance ids', async (t) => {
  const world = await openWorld(t)
  const [leader] = await world.stable(one, two)
  const promised = await world.join({ requiresMemberId: true }).answer
  const results = world.groups.leave('readers', [
    { memberId: '', instanceId: 'two' },
    { memberId: '', instanceId: 'three' },
    { memberId: 'nobody', instanceId: null },
    { memberId: 'nobody', instanceId: 'one' },
    { memberId: promised.memberId, instanceId: null },
  ])
  assert.deepEqual(
    results.map(({ error }) => error),
    ['NONE', 'UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID', 'NONE'],
  )
  assert.equal(world.heartbeat(leader!, 'one'), 'REBALANCE_IN_PROGRESS')
  const [gone] = world.groups.leave('readers', [{ memberId: leader!.memberId, instanceId: 'one' }])
  assert.equal(gone!.error, 'NONE')
  await settle()
  assert.equal(world.state, 'Empty')
  const [unknown] = world.groups.leave('nobody', [{ memberId: 'x', instanceId: null }])
  assert.equal(unknown!.error, 'UNKNOWN_MEMBER_ID')
})

test('a new id that cannot be stored is not handed out, and the old one goes on', async (t) => {
  const world = await openWorld(t)
  const [leader] = await world.stable(one, two)
  world.disk.failing = true
  const back = await world.join(one).answer
  assert.equal(back.error, 'COORDINATOR_NOT_AVAILABLE')
  assert.equal(world.heartbeat(leader!, 'one'), 'NONE')
  assert.equal(world.groups.describe('readers')!.members.length, 2)
})

test('a rebalance that begins while a new id is being stored answers its owner', async (t) => {
  const world = await openWorld(t)
  const [leader] = await world.stable(one, two)
  let release = () => {}
  world.disk.slow = new Promise<void>((resolve) => {
    release = resolve
  })
  const back = world.join(two)
  await settle()
  const fresh = world.join()
  release()
  await settle()
  assert.equal(back.result, undefined)
  const again = world.join({ ...one, memberId: leader!.memberId, protocols: [{ name: 'range', metadata: text('x') }] })
  assert.equal((await again.answer).generation, 2)
  assert.deepEqual([(await back.answer).generation, (await fresh.answer).generation], [2, 2])
})
