import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CreationFacts, judgeNewTopic, type NewTopic } from './creation.ts'
import { judgeGrowth } from './growth.ts'

const facts: CreationFacts = {
  nodeId: 7,
  partitionsDefault: 3,
  partitionsMax: 100,
  partitionsLeft: 50,
  internal: false,
  exists: (name) => name === 'orders',
  colliding: (name) => (name === 'a.b' ? 'a_b' : undefined),
}

const mirrorId = '01234567-89ab-4cde-8f01-23456789abcd'

function judge(wanted: Partial<NewTopic>, more: Partial<CreationFacts> = {}) {
  const outcome = judgeNewTopic({ name: 'new', partitions: 1, replicationFactor: 1, ...wanted }, { ...facts, ...more })
  return outcome.ok ? outcome.value : `${outcome.error}: ${outcome.message}`
}

test('names are judged as Kafka judges them, in its words', () => {
  const chars = "contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
  const invalid = 'INVALID_TOPIC_EXCEPTION: Topic name is invalid:'
  const cases: [string, string][] = [
    ['', `${invalid} the empty string is not allowed`],
    ['.', `${invalid} '.' is not allowed`],
    ['..', `${invalid} '..' is not allowed`],
    ['a b', `${invalid} 'a b' ${chars}`],
    ['é', `${invalid} 'é' ${chars}`],
    ['a/b', `${invalid} 'a/b' ${chars}`],
    ['x'.repeat(250), `${invalid} the length of '${'x'.repeat(250)}' is longer than the max allowed length 249`],
    ['a.b', "INVALID_TOPIC_EXCEPTION: Topic 'a.b' collides with existing topic: a_b"],
    ['orders', "TOPIC_ALREADY_EXISTS: Topic 'orders' already exists."],
    ['__cluster_metadata', 'INVALID_TOPIC_EXCEPTION: Creation of internal topic __cluster_metadata is prohibited.'],
    ['__consumer_offsets', 'INVALID_TOPIC_EXCEPTION: Creation of internal topic __consumer_offsets is prohibited.'],
  ]
  for (const [name, expected] of cases) assert.equal(judge({ name }), expected)
  assert.equal(typeof judge({ name: 'x'.repeat(249) }), 'object')
})

test('partitions and replicas are judged in the order of Kafka, after the configs', () => {
  const manual = 'INVALID_REQUEST: A manual partition assignment was specified, but'
  const includes = 'INVALID_REPLICA_ASSIGNMENT: The manual partition assignment includes'
  const by = (...assignments: [number, number[]][]) => ({
    partitions: -1,
    replicationFactor: -1,
    assignments: assignments.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
  })
  const cases: [Partial<NewTopic>, string | RegExp][] = [
    [{ configs: [{ name: 'nope', value: '1' }], partitions: 0 }, 'INVALID_CONFIG: Unknown topic config name: nope'],
    [
      { configs: ['a', 'b'].map((name) => ({ name, value: null })) },
      'INVALID_CONFIG: Null value not supported for topic configs: a,b',
    ],
    [
      { replicationFactor: 0, partitions: 0 },
      'INVALID_REPLICATION_FACTOR: Replication factor must be larger than 0, or -1 to use the default value.',
    ],
    [{ partitions: 0 }, 'INVALID_PARTITIONS: Number of partitions was set to an invalid non-positive value.'],
    [{ replicationFactor: 3 }, /^INVALID_REPLICATION_FACTOR: Unable to replicate the partition 3 time\(s\)/],
    [{ ...by([0, [7]]), replicationFactor: 1 }, `${manual} replication factor was not set to -1.`],
    [{ ...by([0, [7]]), partitions: 1 }, `${manual} numPartitions was not set to -1.`],
    [by([0, []]), `${includes} an empty replica list.`],
    [by([0, [8]]), `${includes} broker 8, but no such broker is registered.`],
    [by([0, [7, 7]]), `${includes} the broker 7 more than once.`],
    [by([0, [7]], [2, [7]]), 'INVALID_REPLICA_ASSIGNMENT: partitions should be a consecutive 0-based integer sequence'],
    [by([0, [7]], [0, [7]]), 'INVALID_REPLICA_ASSIGNMENT: Found multiple manual partition assignments for partition 0'],
    [{ partitions: 101 }, /^POLICY_VIOLATION: A topic of this broker has at most 100 partitions, not 101/],
    [{ partitions: 51 }, /^POLICY_VIOLATION: This broker has room for 50 more partitions, not for 51/],
  ]
  for (const [wanted, expected] of cases) {
    const said = judge(wanted)
    if (typeof expected === 'string') assert.equal(said, expected)
    else assert.match(String(said), expected)
  }
  const made = { name: 'new', configs: {}, mirrorId: null }
  assert.deepEqual(judge({ partitions: -1, replicationFactor: -1 }), { ...made, partitions: 3 })
  assert.deepEqual(judge(by([1, [7]], [0, [7]])), { ...made, partitions: 2 })
})

test('only our own daemon makes a topic a mirror', () => {
  const configs = [{ name: 'linkspan.mirror.id', value: mirrorId }]
  assert.equal(judge({ configs }), 'INVALID_CONFIG: Unknown topic config name: linkspan.mirror.id')
  assert.deepEqual(judge({ configs }, { internal: true }), { name: 'new', partitions: 1, configs: {}, mirrorId })
  const wrong = judge({ configs: [{ name: 'linkspan.mirror.id', value: 'x' }] }, { internal: true })
  assert.equal(wrong, 'INVALID_CONFIG: Invalid value x for configuration linkspan.mirror.id: Not a UUID')
})

test('growth is judged in the order and the words of Kafka', () => {
  const topic = { topicId: 'id', name: 'orders', partitions: 3, configs: {}, mirrorId: null }
  const say = (count: number, brokers?: number[][], known: typeof topic | undefined = topic) => {
    const assignments = brokers?.map((brokerIds) => ({ brokerIds })) ?? null
    const outcome = judgeGrowth(known, { name: 'orders', count, assignments }, facts)
    return outcome.ok ? outcome.value.partitions : `${outcome.error}: ${outcome.message}`
  }
  assert.equal(say(3), 'INVALID_PARTITIONS: Topic already has 3 partition(s).')
  assert.equal(say(2), 'INVALID_PARTITIONS: The topic orders currently has 3 partition(s); 2 would not be an increase.')
  assert.equal(
    say(5, [[7]]),
    'INVALID_REPLICA_ASSIGNMENT: Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.',
  )
  assert.match(String(say(4, [[8]])), /^INVALID_REPLICA_ASSIGNMENT: .* broker 8, but no such broker/)
  assert.match(String(say(54)), /^POLICY_VIOLATION: This broker has room for 50 more partitions, not for 51/)
  assert.equal(say(5), 5)
  assert.equal(say(5, [[7], [7]]), 5)
  const unknown = judgeGrowth(undefined, { name: 'none', count: 5, assignments: null }, facts)
  assert.ok(!unknown.ok && unknown.error === 'UNKNOWN_TOPIC_OR_PARTITION')
})
