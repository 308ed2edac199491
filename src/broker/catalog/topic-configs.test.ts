import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configRules } from '../../mirror/plan/topic-config-values.ts'
import { brokerDefaults } from '../config.ts'
import { describeBroker, describeTopic } from './described-configs.ts'
import { checkTopicConfigs, logConfigOf, topicConfigKeys } from './topic-configs.ts'

/** What `LogConfig.validate` of Kafka 4.3.1 says, executed; undefined: it takes the value. */
const kafkaSays: [name: string, value: string, problem: string | undefined][] = [
  ['retention.ms', 'abc', 'Not a number of type LONG'],
  ['retention.ms', '', 'Not a number of type LONG'],
  ['retention.ms', '5.0', 'Not a number of type LONG'],
  ['retention.ms', '0x10', 'Not a number of type LONG'],
  ['retention.ms', '9223372036854775808', 'Not a number of type LONG'],
  ['retention.ms', '-2', 'Value must be at least -1'],
  ['retention.ms', ' 5 ', undefined],
  ['retention.ms', '+5', undefined],
  ['retention.ms', '007', undefined],
  ['retention.bytes', '-500', undefined],
  ['segment.bytes', '100', 'Value must be at least 1048576'],
  ['segment.bytes', '2147483648', 'Not a number of type INT'],
  ['cleanup.policy', 'foo', 'String must be one of: compact, delete'],
  ['cleanup.policy', 'none', 'String must be one of: compact, delete'],
  ['cleanup.policy', 'delete,delete', undefined],
  ['compression.type', 'Producer', 'String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer'],
  ['message.timestamp.type', 'createtime', 'String must be one of: CreateTime, LogAppendTime'],
  ['min.cleanable.dirty.ratio', '1.5', 'Value must be no more than 1'],
  ['min.cleanable.dirty.ratio', '-0.1', 'Value must be at least 0'],
  ['min.cleanable.dirty.ratio', 'abc', 'Not a number of type DOUBLE'],
  ['min.cleanable.dirty.ratio', '5e-1', undefined],
  ['min.cleanable.dirty.ratio', '.5', undefined],
  ['preallocate', 'yes', 'Expected value to be either true or false'],
  ['preallocate', 'TRUE', undefined],
  ['compression.gzip.level', '0', 'Value must be between 1 and 9 or equal to -1'],
  ['compression.gzip.level', '-1', undefined],
  ['compression.zstd.level', '23', 'Value must be no more than 22'],
  ['compression.lz4.level', '18', 'Value must be no more than 17'],
  ['leader.replication.throttled.replicas', '*', undefined],
  ['leader.replication.throttled.replicas', '0:1,1:2', undefined],
  ['leader.replication.throttled.replicas', '', undefined],
  ['remote.storage.enable', 'false', undefined],
  ['local.retention.ms', '-3', 'Value must be at least -2'],
  ['min.insync.replicas', '0', 'Value must be at least 1'],
  ['remote.log.copy.disable', 'true', undefined],
  ['flush.messages', '0', 'Value must be at least 1'],
  ['index.interval.bytes', '-1', 'Value must be at least 0'],
  ['segment.index.bytes', '3', 'Value must be at least 4'],
  ['segment.ms', '0', 'Value must be at least 1'],
  ['max.message.bytes', '-1', 'Value must be at least 0'],
  ['message.timestamp.after.max.ms', '-1', 'Value must be at least 0'],
]

test('values are judged as Kafka judges them, in its words', () => {
  for (const [name, value, problem] of kafkaSays) {
    const outcome = checkTopicConfigs({ [name]: value })
    const expected = problem && `Invalid value ${value} for configuration ${name}: ${problem}`
    assert.equal(outcome.ok ? undefined : outcome.message, expected, `${name}=${value}`)
    if (!outcome.ok) assert.equal(outcome.error, 'INVALID_CONFIG')
  }
  const replicas = checkTopicConfigs({ 'leader.replication.throttled.replicas': '0:1,*' })
  assert.ok(!replicas.ok && replicas.message.startsWith('Invalid value [0:1, *] for configuration leader.repl'))
})

test('values are kept in one form', () => {
  const outcome = checkTopicConfigs({
    'retention.ms': ' +007 ',
    preallocate: 'TRUE',
    'min.cleanable.dirty.ratio': '1',
    'follower.replication.throttled.replicas': ' 0:1 , 1:2 ',
  })
  assert.deepEqual(outcome.ok && outcome.value, {
    'retention.ms': '7',
    preallocate: 'true',
    'min.cleanable.dirty.ratio': '1.0',
    'follower.replication.throttled.replicas': '0:1,1:2',
  })
})

test('unknown names come before bad values, what does not go together comes last', () => {
  const problemOf = (configs: Record<string, string>) => {
    const outcome = checkTopicConfigs(configs)
    return outcome.ok ? undefined : outcome.message
  }
  assert.equal(problemOf({ 'retention.ms': 'abc', nope: '1' }), 'Unknown topic config name: nope')
  assert.equal(problemOf({ constructor: '1' }), 'Unknown topic config name: constructor')
  assert.equal(
    problemOf({ 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '5' }),
    'conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)',
  )
})

test('values that no answer could tell are refused, and messages are cut', () => {
  const long = Array.from({ length: 10_000 }, (_, index) => `${index}:1`).join(',')
  const outcome = checkTopicConfigs({ 'leader.replication.throttled.replicas': long })
  assert.match(outcome.ok ? '' : outcome.message, /exceeds the maximum value size of 32767 bytes/)
  const wrong = checkTopicConfigs({ 'retention.ms': 'x'.repeat(32_000) })
  assert.ok(!wrong.ok && wrong.message.length < 1100)
})

test('what this broker does not do is refused with a way out', () => {
  const refusals: [string, string, RegExp][] = [
    ['cleanup.policy', 'compact', /does not compact: use cleanup\.policy=delete .* or keep the topic on Apache Kafka/],
    ['cleanup.policy', 'compact,delete', /does not compact/],
    ['cleanup.policy', '', /use delete, and retention\.ms=-1/],
    ['compression.type', 'zstd', /stores batches as they come.*use compression\.type=producer/],
    ['remote.storage.enable', 'true', /Tiered Storage functionality is disabled/],
  ]
  for (const [name, value, expected] of refusals) {
    const outcome = checkTopicConfigs({ [name]: value })
    assert.ok(!outcome.ok && outcome.error === 'INVALID_CONFIG')
    assert.match(outcome.message, expected)
  }
})

test('every default is a value that the key takes', () => {
  for (const [name, key] of Object.entries(topicConfigKeys)) {
    const outcome = checkTopicConfigs({ [name]: key.default })
    assert.deepEqual(outcome, { ok: true, value: { [name]: key.default } })
  }
})

test('whatever a mirror can follow is known here', () => {
  assert.deepEqual(
    Object.keys(configRules).filter((name) => !topicConfigKeys[name]),
    [],
  )
})

test('the log gets numbers, and -1 for no limit', () => {
  const values: Record<string, string> = {
    'message.timestamp.before.max.ms': '9223372036854775807',
    'retention.ms': '-1',
    'retention.bytes': '-500',
    'segment.ms': '9223372036854775807',
  }
  const config = logConfigOf((name) => values[name] ?? topicConfigKeys[name]!.default)
  assert.deepEqual(config, {
    segmentBytes: 1024 ** 3,
    segmentMs: Number.MAX_SAFE_INTEGER,
    retentionMs: -1,
    retentionBytes: -1,
    messageBytesMax: 1_048_588,
    timestampType: 'CreateTime',
    timestampBeforeMaxMs: -1,
    timestampAfterMaxMs: 3_600_000,
    indexIntervalBytes: 4096,
  })
})

test('a topic tells its own values, those of the broker, and defaults, with where they come from', () => {
  const entries = describeTopic({ 'retention.ms': '5' }, { 'retention.ms': '7', 'segment.bytes': '2000000' })
  const find = (name: string) => entries.find((one) => one.name === name)
  assert.deepEqual(find('retention.ms'), {
    name: 'retention.ms',
    value: '5',
    source: 1,
    readOnly: false,
    configType: 5,
    synonyms: [
      { name: 'retention.ms', value: '5', source: 1 },
      { name: 'log.retention.ms', value: '7', source: 4 },
      { name: 'log.retention.hours', value: '168', source: 5 },
    ],
  })
  assert.deepEqual(
    [find('segment.bytes'), find('max.message.bytes'), find('leader.replication.throttled.replicas')].map((one) => {
      return [one?.value, one?.source, one?.configType, one?.synonyms.map(({ name }) => name)]
    }),
    [
      ['2000000', 4, 3, ['log.segment.bytes', 'log.segment.bytes']],
      ['1048588', 5, 3, ['message.max.bytes']],
      ['', 5, 7, []],
    ],
  )
})

test('the broker tells its settings by the names of Kafka, all of them read-only', () => {
  const config = { ...brokerDefaults, producerExpirationMs: 5000 }
  const entries = describeBroker(config, { 'retention.ms': '7' })
  const values = new Map(entries.map(({ name, value, source }) => [name, [value, source]]))
  assert.deepEqual(values.get('producer.id.expiration.ms'), ['5000', 4])
  assert.deepEqual(values.get('num.partitions'), ['1', 5])
  assert.deepEqual(values.get('offsets.retention.minutes'), ['10080', 5])
  assert.deepEqual(values.get('log.retention.ms'), ['7', 4])
  assert.deepEqual(values.get('log.roll.ms'), [null, 5])
  assert.deepEqual(values.get('log.roll.hours'), ['168', 5])
  assert.deepEqual(values.get('message.max.bytes'), ['1048588', 5])
  assert.ok(entries.every(({ readOnly }) => readOnly))
  assert.equal(values.size, entries.length)
})
