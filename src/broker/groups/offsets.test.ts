import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offsetTable } from './rows.ts'
import { openWorld, settle, subscription, text, type World } from './test-world.ts'

const dayMs = 86_400_000

function committed(world: World, topic = 'orders', partition = 0, groupId = 'readers'): number | undefined {
  return world.groups.offset(groupId, { topic, partition })?.offset
}

test('offsets are told once they are on disk, and survive a restart', async (t) => {
  const world = await openWorld(t)
  let release = () => {}
  world.disk.slow = new Promise<void>((resolve) => {
    release = resolve
  })
  const committing = world.commit([
    { offset: 42, leaderEpoch: 3, metadata: 'by hand' },
    { partition: 1, offset: 7 },
    { topic: 'other', offset: 2 ** 53 - 1 },
  ])
  await settle()
  assert.equal(committed(world), undefined, 'not durable yet')
  release()
  assert.deepEqual(await committing, ['NONE', 'NONE', 'NONE'])
  await world.restart()
  assert.deepEqual(world.groups.offset('readers', { topic: 'orders', partition: 0 }), {
    group: 'readers',
    topic: 'orders',
    partition: 0,
    offset: 42,
    leaderEpoch: 3,
    metadata: 'by hand',
    commitTimestampMs: world.time.wallMs(),
    expireTimestampMs: null,
  })
  assert.equal(committed(world, 'other'), 2 ** 53 - 1)
  assert.equal(world.groups.offsets('readers').length, 3)
  assert.deepEqual(world.groups.list(), [{ groupId: 'readers', state: 'Empty', protocolType: '' }])
})

test('names that no key could hold are kept all the same', async (t) => {
  const world = await openWorld(t)
  const names = ['', 'a/b', 'nul\0nul', 'x'.repeat(32_767), '#', 'ä€🙂', '/orders/0']
  for (const [index, groupId] of names.entries()) await world.commit([{ offset: index }], { groupId })
  await world.commit([{ partition: -5, offset: 5 }])
  await world.restart()
  assert.deepEqual(
    names.map((groupId) => committed(world, 'orders', 0, groupId)),
    names.map((_, index) => index),
  )
  assert.equal(committed(world, 'orders', -5), 5)
})

const commitRules: {
  why: string
  who: 'nobody' | 'member' | 'joining'
  generation: number
  memberId: string
  instanceId?: string
  error: string
}[] = [
  { why: 'from outside, a group comes to be', who: 'nobody', generation: -1, memberId: '', error: 'NONE' },
  { why: 'a generation that never was', who: 'nobody', generation: 3, memberId: 'me', error: 'GROUP_ID_NOT_FOUND' },
  { why: 'from outside, with members', who: 'member', generation: -1, memberId: '', error: 'UNKNOWN_MEMBER_ID' },
  { why: 'by a member', who: 'member', generation: 1, memberId: '*', error: 'NONE' },
  {
    why: 'by a member, its instance named',
    who: 'member',
    generation: 1,
    memberId: '*',
    instanceId: 'i',
    error: 'NONE',
  },
  {
    why: 'by the one before',
    who: 'member',
    generation: 1,
    memberId: 'old',
    instanceId: 'i',
    error: 'FENCED_INSTANCE_ID',
  },
  { why: 'in an older generation', who: 'member', generation: 0, memberId: '*', error: 'ILLEGAL_GENERATION' },
  { why: 'by a member without generation', who: 'member', generation: -1, memberId: '*', error: 'ILLEGAL_GENERATION' },
  { why: 'by a stranger', who: 'member', generation: 1, memberId: 'me', error: 'UNKNOWN_MEMBER_ID' },
  { why: 'before the assignment', who: 'joining', generation: 1, memberId: '*', error: 'REBALANCE_IN_PROGRESS' },
]

for (const { why, who, generation, memberId, instanceId = null, error } of commitRules) {
  test(`a commit ${why}: ${error}`, async (t) => {
    const world = await openWorld(t)
    let own = ''
    if (who === 'member') own = (await world.stable({ instanceId: 'i' }))[0]!.memberId
    if (who === 'joining') {
      const join = world.join({ instanceId: 'i' })
      await world.time.pass(10)
      own = (await join.answer).memberId
    }
    const change = { generation, memberId: memberId === '*' ? own : memberId, instanceId }
    assert.deepEqual(await world.commit([{}, { partition: 1 }], change), [error, error])
    assert.equal(committed(world), error === 'NONE' ? 1 : undefined)
  })
}

test('older clients are told of a missing group in the words that they know', async (t) => {
  const world = await openWorld(t)
  const change = { generation: 1, memberId: 'me', tellsMissingGroup: false }
  assert.deepEqual(await world.commit([{}], change), ['ILLEGAL_GENERATION'])
  assert.deepEqual(world.groups.list(), [])
})

test('a commit keeps the session, also while the group rebalances', async (t) => {
  const world = await openWorld(t)
  const [one] = await world.stable({})
  const { memberId, generation } = one!
  for (let round = 0; round < 4; round += 1) {
    await world.time.pass(9000)
    assert.deepEqual(await world.commit([{ offset: round }], { memberId, generation }), ['NONE'])
    if (round === 1) void world.join()
  }
})

test('too much metadata is refused for its partition alone', async (t) => {
  const world = await openWorld(t)
  const errors = await world.commit([{ metadata: 'x'.repeat(4097) }, { partition: 1, metadata: 'x'.repeat(4096) }])
  assert.deepEqual(errors, ['OFFSET_METADATA_TOO_LARGE', 'NONE'])
  assert.equal(committed(world), undefined)
})

test('a disk that fails: nothing is told as committed, and nothing is left of it', async (t) => {
  const world = await openWorld(t)
  await world.commit([{ offset: 1 }])
  world.disk.failing = true
  const errors = await world.commit([{ offset: 2 }, { partition: 1, offset: 2 }])
  assert.deepEqual(errors, ['COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_NOT_AVAILABLE'])
  assert.deepEqual([committed(world), committed(world, 'orders', 1)], [1, undefined])
  assert.equal(await world.groups.delete('readers'), 'COORDINATOR_NOT_AVAILABLE')
  assert.equal(world.groups.list().length, 1)
  world.disk.failing = false
  assert.deepEqual(await world.commit([{ offset: 3 }]), ['NONE'])
  await world.restart()
  assert.equal(committed(world), 3)
})

test('thousands of commits share few writes', async (t) => {
  const world = await openWorld(t)
  const commits = Array.from({ length: 5000 }, (_, offset) => world.commit([{ partition: offset % 50, offset }]))
  for (const errors of await Promise.all(commits)) assert.deepEqual(errors, ['NONE'])
  assert.ok(world.disk.appends < 5, `${world.disk.appends} writes`)
  assert.equal(committed(world, 'orders', 49), 4999)
})

test('offsets, their texts and groups are bounded; what is there can still be changed', async (t) => {
  const world = await openWorld(t, { limits: { offsetsMax: 3, offsetCharactersMax: 100, groupsMax: 3 } })
  const many = Array.from({ length: 5 }, (_, partition) => ({ partition }))
  const full = 'INVALID_COMMIT_OFFSET_SIZE'
  assert.deepEqual(await world.commit(many), ['NONE', 'NONE', 'NONE', full, full])
  assert.deepEqual(await world.commit([{ offset: 9 }, { metadata: 'x'.repeat(100) }]), ['NONE', full])
  for (let index = 0; index < 9; index += 1) await world.commit([{}], { groupId: `more-${index}` })
  assert.ok(world.groups.list().length <= 3)
  await world.groups.forgetTopic('orders')
  assert.deepEqual(await world.commit([{ metadata: 'x'.repeat(80) }]), ['NONE'], 'there is room again')
  const long = await openWorld(t, { limits: { groupCharactersMax: 1000 } })
  for (let index = 0; index < 9; index += 1) await long.commit([{}], { groupId: `${index}`.padEnd(400, 'x') })
  assert.equal(long.groups.list().length, 2)
})

test('a group without members is deleted with its offsets, one with members is not', async (t) => {
  const world = await openWorld(t)
  const [one] = await world.stable({})
  await world.commit([{}], { memberId: one!.memberId, generation: 1 })
  assert.equal(await world.groups.delete('readers'), 'NON_EMPTY_GROUP')
  world.groups.leave(
    'readers',
    [one!].map(({ memberId }) => ({ memberId, instanceId: null })),
  )
  await settle()
  const late = world.commit([{ partition: 1 }])
  assert.equal(await world.groups.delete('readers'), 'NONE')
  assert.deepEqual(await late, ['NONE'])
  assert.equal(await world.groups.delete('readers'), 'GROUP_ID_NOT_FOUND')
  assert.deepEqual(world.groups.offsets('readers'), [])
  assert.equal(world.disk.rows.size, 0)
})

test('offsets of topics that members subscribe to stay', async (t) => {
  const world = await openWorld(t)
  const at = [
    { topic: 'orders', partition: 0 },
    { topic: 'old', partition: 0 },
    { topic: 'old', partition: 9 },
  ]
  assert.equal((await world.groups.deleteOffsets('readers', at)).error, 'GROUP_ID_NOT_FOUND')
  await world.commit([{}, { topic: 'old' }])
  await world.stable({})
  const expected = ['GROUP_SUBSCRIBED_TO_TOPIC', 'NONE', 'NONE']
  assert.deepEqual(await world.groups.deleteOffsets('readers', at), { error: 'NONE', partitions: expected })
  assert.deepEqual([committed(world), committed(world, 'old')], [1, undefined])
  void world.join({ groupId: 'blind', protocols: [{ name: 'range', metadata: text('') }] })
  await world.time.pass(10)
  assert.equal(world.groups.describe('blind')!.members.length, 1)
  const blind = await world.groups.deleteOffsets('blind', at.slice(1, 2))
  assert.deepEqual(blind.partitions, ['GROUP_SUBSCRIBED_TO_TOPIC'], 'nobody can tell')
  void world.join({ groupId: 'workers', protocolType: 'connect' })
  assert.equal((await world.groups.deleteOffsets('workers', at)).error, 'NON_EMPTY_GROUP')
})

test('a topic takes its offsets along, those under way too', async (t) => {
  const world = await openWorld(t)
  await world.commit([{}, { topic: 'other' }])
  await world.commit([{}], { groupId: 'more' })
  const late = world.commit([{ partition: 1 }])
  await world.groups.forgetTopic('orders')
  assert.deepEqual(await late, ['NONE'])
  await world.restart()
  assert.equal(world.store.rows.count(offsetTable), 1)
  assert.equal(committed(world, 'other'), 1)
})

test('offsets of topics that went while nobody looked go too', async (t) => {
  const world = await openWorld(t)
  await world.commit([{}, { topic: 'other' }, { topic: 'gone' }])
  await world.groups.forgetMissingTopics((name) => name !== 'gone')
  assert.deepEqual(
    world.groups.offsets('readers').map(({ topic }) => topic),
    ['orders', 'other'],
  )
})

test('offsets expire a retention after the group became empty, or after the commit when that was later', async (t) => {
  const world = await openWorld(t)
  const [one] = await world.stable({})
  await world.commit([{}, { topic: 'left' }], { memberId: one!.memberId, generation: 1 })
  world.time.nowMs += 6 * dayMs
  world.groups.leave('readers', [{ memberId: one!.memberId, instanceId: null }])
  await settle()
  world.time.nowMs += 6 * dayMs
  await world.groups.checkRetention()
  assert.equal(committed(world), 1)
  await world.commit([{ topic: 'fresh' }])
  await world.restart()
  world.time.nowMs += dayMs
  await world.groups.checkRetention()
  assert.deepEqual([committed(world), committed(world, 'left'), committed(world, 'fresh')], [undefined, undefined, 1])
  world.time.nowMs += 7 * dayMs
  await world.groups.checkRetention()
  assert.deepEqual([world.groups.list(), world.disk.rows.size], [[], 0], 'nothing is left of the group')
})

test('a stable group keeps what it subscribes to, and a rebalancing one everything', async (t) => {
  const world = await openWorld(t)
  const [one] = await world.stable({ sessionTimeoutMs: 1_000_000 })
  await world.commit([{}, { topic: 'left' }], { memberId: one!.memberId, generation: 1 })
  world.time.nowMs += 8 * dayMs
  const protocols = [{ name: 'range', metadata: subscription(['left']) }]
  void world.join({ protocols, rebalanceTimeoutMs: 1_000_000 })
  await world.groups.checkRetention()
  assert.equal(committed(world, 'left'), 1)
  await world.restart()
  await world.groups.checkRetention()
  assert.deepEqual([committed(world), committed(world, 'left')], [1, undefined])
})

test('commits of old clients bring a retention of their own', async (t) => {
  const world = await openWorld(t)
  await world.commit([{}], { retentionMs: 1000 })
  await world.commit([{ partition: 1 }], { retentionMs: Number.MAX_SAFE_INTEGER })
  await world.commit([{ partition: 2 }])
  world.time.nowMs += 1000
  await world.groups.checkRetention()
  assert.equal(committed(world), undefined)
  world.time.nowMs += 100 * dayMs
  await world.groups.checkRetention()
  assert.deepEqual([committed(world, 'orders', 1), committed(world, 'orders', 2)], [1, undefined])
})
