import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { alwaysSyncedTopicConfigs, syncedTopicConfigs } from '../../contract/config-keys-behaviour.ts'
import type { ConfigEntry } from '../../kafka/admin/configs.ts'
import { boundsKey, clampOffset, planClamp, planGroupCommit, selectGroups } from './group-offsets.ts'
import { chooseMethod, type PartitionFacts } from './method.ts'
import { planReadOnly, type ReadOnlyFacts } from './read-only.ts'
import {
  configChanges,
  fixedConfigProblem,
  followedConfigs,
  followsRetention,
  isGoverned,
  mirrorConfigs,
  ordinaryConfigs,
} from './topic-config.ts'
import { checkedValue, longMax } from './topic-config-values.ts'

const kafka = { embedded: false }
const plain: PartitionFacts = { partition: 0, logStart: 0, highWatermark: 9, from: 0, unplain: [] }

test('plain data passes through; what would not be exact is refused with its offset', () => {
  const facts = (change: Partial<PartitionFacts>, timestampType = 'CreateTime') => {
    return { timestampType, compacted: false, partitions: [plain, { ...plain, partition: 1, ...change }] }
  }
  assert.equal(chooseMethod(facts({}), kafka).method, 'pass-through')
  assert.match(chooseMethod(facts({}, 'LogAppendTime'), kafka).reason, /LogAppendTime/)
  assert.match(chooseMethod(facts({ logStart: 7 }), kafka).reason, /Partition 1 begins at offset 7/)
  // A copy that is taken over behind the source's start needs nothing of what is gone.
  assert.equal(chooseMethod(facts({ logStart: 7, from: 8 }), kafka).method, 'pass-through')
  const refused = chooseMethod(facts({ unplain: [{ reason: 'transactional', offset: 5 }] }), kafka)
  assert.deepEqual(refused.method === 'refuse' && [refused.partition, refused.offset], [1, 5])
})

test('the embedded broker takes what is stored, but neither compaction nor old formats', () => {
  const embedded = { embedded: true }
  const odd: PartitionFacts = { ...plain, logStart: 7, unplain: [{ reason: 'transactional', offset: 8 }] }
  const facts = { timestampType: 'LogAppendTime', compacted: false, partitions: [odd] }
  assert.equal(chooseMethod(facts, embedded).method, 'raw')
  assert.match(chooseMethod({ ...facts, compacted: true }, embedded).reason, /compacted at the source/)
  const old: PartitionFacts = { ...plain, unplain: [{ reason: 'old-format', offset: 3 }] }
  const refused = chooseMethod({ ...facts, partitions: [old] }, embedded)
  assert.deepEqual(refused.method === 'refuse' && [refused.partition, refused.offset], [0, 3])
})

function readOnly(change: Partial<ReadOnlyFacts>): ReturnType<typeof planReadOnly> {
  const authorizer = { present: true, allowsWithoutAcl: false, mayDescribeAcls: true } as const
  return planReadOnly({ topic: 't', authorizer, superUser: false, ownPrincipal: 'User:us', acls: [], ...change })
}

const write = {
  resourceType: 'TOPIC',
  resourceName: 't',
  patternType: 'LITERAL',
  principal: 'User:app',
  host: '10.0.0.1',
  operation: 'WRITE',
  permission: 'ALLOW',
} as const

test('a first ACL is never made where it would cut readers off', () => {
  for (const allowsWithoutAcl of [true, 'hidden', 'unknown'] as const) {
    const plan = readOnly({ superUser: true, authorizer: { present: true, allowsWithoutAcl, mayDescribeAcls: true } })
    assert.deepEqual([plan.mode, plan.acls], ['detect-only', []])
  }
  const none = readOnly({ authorizer: { present: false, allowsWithoutAcl: true, mayDescribeAcls: false } })
  assert.equal(none.mode, 'detect-only')
})

test('writers are denied by name, ourselves never; a super user denies everybody', () => {
  const everybody = readOnly({ superUser: true })
  assert.deepEqual(
    everybody.acls.map(({ principal, permission, host }) => [principal, permission, host]),
    [['User:*', 'DENY', '*']],
  )
  const acls = [
    write,
    { ...write, operation: 'ALL', principal: 'User:admin', patternType: 'PREFIXED', resourceName: '' } as const,
    { ...write, operation: 'READ', principal: 'User:reader' } as const,
    { ...write, principal: 'User:us' } as const,
    { ...write, principal: 'User:denied', permission: 'DENY' } as const,
  ]
  const named = readOnly({ acls })
  assert.deepEqual(
    named.acls.map(({ principal }) => principal),
    ['User:app', 'User:admin'],
  )
  assert.ok(named.acls.every((acl) => acl.resourceName === 't' && acl.patternType === 'LITERAL' && acl.host === '*'))
  assert.equal(readOnly({ acls: [{ ...write, principal: 'User:*' }] }).mode, 'detect-only')
  assert.equal(readOnly({ acls, ownPrincipal: undefined }).mode, 'detect-only')
})

test('groups: by filter, plain consumers only, never ours', () => {
  const group = (name: string, type = 'classic', protocolType = 'consumer') => ({ group: name, type, protocolType })
  const all = [{ name: '*', patternType: 'LITERAL', filterType: 'INCLUDE' }] as const
  const groups = [group('a'), group('b', 'consumer'), group('s', 'share'), group('c', 'classic', 'connect')]
  assert.deepEqual(selectGroups([...groups, group('linkspan-x'), group('plain', 'classic', '')], all), [
    'a',
    'b',
    'plain',
  ])
  const without = [...all, { name: 'a', patternType: 'PREFIXED', filterType: 'EXCLUDE' }] as const
  assert.deepEqual(selectGroups(groups, without), ['b'])
})

test('a committed offset never leaves what consumers can read, and moves no further than it has to', () => {
  const offsets = fc.nat({ max: 1000 })
  fc.assert(
    fc.property(offsets, offsets, offsets, (offset, one, other) => {
      const bounds = { logStart: Math.min(one, other), highWatermark: Math.max(one, other) }
      const clamped = clampOffset(offset, bounds)
      assert.ok(clamped >= bounds.logStart && clamped <= bounds.highWatermark)
      if (offset >= bounds.logStart && offset <= bounds.highWatermark) assert.equal(clamped, offset)
    }),
  )
})

test('only what differs is committed, only where we mirror, and what is beyond the end is moved back', () => {
  const at = (partition: number, offset: number, metadata: string | null = '') => {
    return { topic: 't', partition, offset, metadata }
  }
  const bounds = new Map([0, 1, 2].map((partition) => [boundsKey('t', partition), { logStart: 2, highWatermark: 9 }]))
  const plan = planGroupCommit({
    group: 'g',
    source: [at(0, 5), at(1, 50), at(2, 7), at(3, 1)],
    destination: [at(0, 5), at(2, 8)],
    bounds,
  })
  assert.deepEqual(
    plan.offsets.map(({ partition, offset }) => [partition, offset]),
    [
      [1, 9],
      [2, 7],
    ],
  )
  assert.deepEqual(planClamp([at(0, 5), at(1, 12), at(3, 99)], bounds), [at(1, 9)])
})

const include = [...syncedTopicConfigs]
const entry = (name: string, value: string, source: ConfigEntry['source'] = 'topic'): ConfigEntry => {
  return { name, value, source, readOnly: false, sensitive: false, synonyms: [] }
}

test('a mirror takes what the source sets, in bounds; defaults and strange keys stay behind', () => {
  const { followed, skipped } = followedConfigs(
    [
      entry('retention.ms', '1000'),
      entry('segment.bytes', '14'),
      entry('segment.ms', '5'),
      entry('cleanup.policy', 'compact , delete'),
      entry('flush.ms', '9', 'default'),
      entry('min.insync.replicas', '3', 'file'),
      entry('unclean.leader.election.enable', 'perhaps'),
      entry('leader.replication.throttled.replicas', '*'),
      entry('message.timestamp.type', 'CreateTime', 'default'),
    ],
    include,
  )
  assert.deepEqual(followed, {
    'retention.ms': '1000',
    'segment.bytes': '1048576',
    'segment.ms': '60000',
    'cleanup.policy': 'compact,delete',
    'min.insync.replicas': '3',
  })
  assert.deepEqual(skipped, [{ name: 'unclean.leader.election.enable', value: 'perhaps' }])
})

test('a mirror is not recompressed, restamped, compacted or cut short; afterwards it is as the source', () => {
  const source = { 'retention.ms': '1000', 'compression.type': 'zstd', 'cleanup.policy': 'compact' }
  const facts = { source, local: {}, replicationFactor: 3, include }
  const mirror = mirrorConfigs(facts)
  assert.equal(mirror['compression.type'], 'producer')
  assert.equal(mirror['message.timestamp.before.max.ms'], longMax)
  assert.equal(mirror['min.compaction.lag.ms'], longMax)
  assert.equal(mirror['retention.ms'], '-1')
  assert.equal(mirror['cleanup.policy'], 'compact')
  assert.deepEqual(ordinaryConfigs(facts), source)
  const current = Object.entries(mirror).map(([name, value]) => entry(name, value))
  const changes = configChanges(current, ordinaryConfigs(facts), isGoverned(facts))
  const after = { ...mirror, ...changes }
  assert.deepEqual(Object.fromEntries(Object.entries(after).filter(([, value]) => value !== null)), source)
})

test('what an owner keeps for himself is neither held nor reverted', () => {
  const local = { 'retention.ms': '7' }
  const facts = { source: { 'retention.ms': '1' }, local, replicationFactor: 1, include }
  assert.equal(mirrorConfigs(facts)['retention.ms'], '7')
  assert.equal(followsRetention(facts), false)
  assert.equal(isGoverned(facts)('retention.ms'), false)
  assert.deepEqual(configChanges([entry('retention.ms', '9')], { 'retention.ms': '7' }, isGoverned(facts)), {})
  const own = include.filter((name) => !name.startsWith('retention.'))
  assert.equal(mirrorConfigs({ ...facts, local: {}, source: {}, include: own })['retention.ms'], undefined)
})

test('no more replicas have to be in sync than can be, unless the owner says so', () => {
  const facts = { source: { 'min.insync.replicas': '3' }, local: {}, include, replicationFactor: 3 }
  assert.equal(ordinaryConfigs(facts)['min.insync.replicas'], '2')
  assert.equal(ordinaryConfigs({ ...facts, replicationFactor: undefined })['min.insync.replicas'], '1')
  assert.equal(ordinaryConfigs({ ...facts, local: { 'min.insync.replicas': '2' } })['min.insync.replicas'], '2')
})

test('keys that keep the copy exact cannot be given for one mirror', () => {
  for (const name of [...alwaysSyncedTopicConfigs, 'compression.type']) assert.ok(fixedConfigProblem(name), name)
  assert.equal(fixedConfigProblem('min.insync.replicas'), undefined)
})

test('whatever a source says, a value that is taken is one that Kafka takes', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.bigInt().map(String), fc.double().map(String)), (text) => {
      const bytes = checkedValue('segment.bytes', text)
      if (bytes !== undefined) assert.ok(Number(bytes) >= 1024 * 1024 && Number(bytes) < 2 ** 31)
      const ratio = checkedValue('min.cleanable.dirty.ratio', text)
      if (ratio !== undefined) assert.ok(Number(ratio) >= 0 && Number(ratio) <= 1)
    }),
    { numRuns: 1000 },
  )
})
