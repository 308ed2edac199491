import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeConfigs } from '../../wire/api/32-describe-configs.ts'
import { alterConfigs } from '../../wire/api/33-alter-configs.ts'
import { incrementalAlterConfigs } from '../../wire/api/44-incremental-alter-configs.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { internalSession } from '../session.ts'
import { type AskOptions, ask, identity, makeTopic, openTestNode, type TestNode } from './test-node.ts'

const mirrorId = '01234567-89ab-4cde-8f01-23456789abcd'
const [topicType, brokerType] = [2, 4]
const [set, remove, append, subtract] = [0, 1, 2, 3]

interface Describe {
  type?: number
  keys?: string[] | null
  synonyms?: boolean
}

async function describe(test: TestNode, name: string, wanted: Describe = {}, options: AskOptions = {}) {
  const { type = topicType, keys = null, synonyms = false } = wanted
  const resources = [{ resourceType: type, resourceName: name, configurationKeys: keys }]
  const { results } = await ask(test, describeConfigs, { resources, includeSynonyms: synonyms }, options)
  return results[0]!
}

type Edit = [name: string, operation: number | undefined, value?: string | null]

async function edit(test: TestNode, name: string, edits: Edit[], options: AskOptions & { type?: number } = {}) {
  const configs = edits.map(([key, configOperation, value = null]) => ({ name: key, configOperation, value }))
  const resources = [{ resourceType: options.type ?? topicType, resourceName: name, configs }]
  const { responses } = await ask(test, incrementalAlterConfigs, { resources }, options)
  return [responses[0]!.errorCode, responses[0]!.errorMessage]
}

async function replace(test: TestNode, name: string, configs: Record<string, string | null>, options: AskOptions = {}) {
  const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
  const resources = [{ resourceType: topicType, resourceName: name, configs: entries }]
  const { responses } = await ask(test, alterConfigs, { resources }, options)
  return [responses[0]!.errorCode, responses[0]!.errorMessage]
}

test('a topic tells all its keys, or those that were asked for', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'orders', { configs: { 'retention.ms': '5' } })
  const all = await describe(test, 'orders')
  assert.deepEqual([all.errorCode, all.resourceType, all.resourceName], [0, topicType, 'orders'])
  assert.equal(all.configs.length, 34)
  assert.equal((await describe(test, 'orders', { keys: [] })).configs.length, 34)
  const some = await describe(test, 'orders', { keys: ['retention.ms', 'nope'], synonyms: true })
  assert.deepEqual(some.configs, [
    {
      name: 'retention.ms',
      value: '5',
      readOnly: false,
      configSource: 1,
      isSensitive: false,
      synonyms: [
        { name: 'retention.ms', value: '5', source: 1 },
        { name: 'log.retention.hours', value: '168', source: 5 },
      ],
      configType: 5,
      documentation: null,
    },
  ])
  for (let version = 1; version <= 4; version += 1) {
    const one = await describe(test, 'orders', { keys: ['retention.ms'] }, { version })
    assert.deepEqual([one.configs[0]?.value, one.configs[0]?.synonyms], ['5', []])
  }
})

test('what cannot be described is told why', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'orders')
  const codeOf = async (name: string, type = topicType, rights?: string[]) => {
    const options = rights ? { session: identity(...rights) } : {}
    return (await describe(test, name, { type }, options)).errorCode
  }
  assert.equal(await codeOf('none'), kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await codeOf('a b'), kafkaErrors.INVALID_TOPIC_EXCEPTION)
  assert.equal(await codeOf('orders', topicType, ['can_view other']), kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
  assert.equal(await codeOf('orders', topicType, ['can_view orders']), 0)
  assert.equal(await codeOf('1', brokerType, ['can_view orders']), kafkaErrors.CLUSTER_AUTHORIZATION_FAILED)
  assert.equal(await codeOf('2', brokerType), kafkaErrors.INVALID_REQUEST)
  assert.equal(await codeOf('x', brokerType), kafkaErrors.INVALID_REQUEST)
  assert.equal(await codeOf('1', 8), kafkaErrors.INVALID_REQUEST)
})

test('the broker tells its own configs, and refuses to change them with a way out', async () => {
  const test = await openTestNode()
  const broker = await describe(test, '1', { type: brokerType, keys: ['producer.id.expiration.ms'] })
  assert.deepEqual(
    broker.configs.map(({ name, value, readOnly }) => [name, value, readOnly]),
    [['producer.id.expiration.ms', '86400000', true]],
  )
  assert.deepEqual((await describe(test, '', { type: brokerType })).configs, [])
  for (const name of ['1', '']) {
    const [code, message] = await edit(test, name, [['num.partitions', set, '3']], { type: brokerType })
    assert.equal(code, kafkaErrors.INVALID_REQUEST)
    assert.match(String(message), /cannot be changed while it runs: .*--broker-config/)
  }
  assert.deepEqual(await edit(test, '1', [], { type: 16 }), [kafkaErrors.INVALID_REQUEST, 'Unknown resource type 16'])
})

test('single configs are set, deleted, appended to and subtracted from', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'orders', { configs: { 'retention.ms': '5' } })
  const replicas = 'follower.replication.throttled.replicas'
  const configs = () => test.node.catalog.get('orders')?.configs
  assert.deepEqual(
    await edit(test, 'orders', [
      ['segment.ms', set, ' 60000 '],
      [replicas, append, '0:1,1:1'],
    ]),
    [0, null],
  )
  assert.deepEqual(configs(), { 'retention.ms': '5', 'segment.ms': '60000', [replicas]: '0:1,1:1' })
  assert.deepEqual(
    await edit(test, 'orders', [
      ['retention.ms', remove],
      [replicas, subtract, '0:1'],
    ]),
    [0, null],
  )
  assert.deepEqual(configs(), { 'segment.ms': '60000', [replicas]: '1:1' })
  assert.deepEqual(await edit(test, 'orders', [['cleanup.policy', append, 'delete']], { version: 0 }), [0, null])
  assert.equal(configs()?.['cleanup.policy'], 'delete')
  const cases: [string, Edit[], string, RegExp][] = [
    ['none', [['retention.ms', set, '1']], 'UNKNOWN_TOPIC_OR_PARTITION', /^The topic 'none' does not exist\.$/],
    ['orders', [['retention.ms', append, '1']], 'INVALID_CONFIG', /^Can't APPEND to key retention\.ms because/],
    ['orders', [['cleanup.policy', append, 'compact']], 'INVALID_CONFIG', /does not compact/],
    ['orders', [['nope', set, '1']], 'INVALID_CONFIG', /^Unknown topic config name: nope$/],
    ['orders', [['linkspan.mirror.id', set, mirrorId]], 'INVALID_CONFIG', /^Unknown topic config name: linkspan/],
    ['orders', [['retention.ms', set, null]], 'INVALID_REQUEST', /^Null value not supported for : retention\.ms$/],
    ['orders', [['retention.ms', 9, '1']], 'INVALID_REQUEST', /^Unknown operations type 9$/],
    [
      'orders',
      [
        ['retention.ms', set, '1'],
        ['retention.ms', set, '2'],
      ],
      'INVALID_REQUEST',
      /^Error due to duplicate config keys$/,
    ],
  ]
  const before = configs()
  for (const [name, edits, error, expected] of cases) {
    const [code, message] = await edit(test, name, edits)
    assert.equal(code, kafkaErrors[error as 'INVALID_CONFIG'])
    assert.match(String(message), expected)
  }
  assert.deepEqual(configs(), before)
  const [code] = await edit(test, 'orders', [['retention.ms', set, '1']], { session: identity('can_view orders') })
  assert.equal(code, kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
})

test('a resource that comes twice is changed by neither', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'orders')
  const resource = { resourceType: topicType, resourceName: 'orders', configs: [] }
  const { responses } = await ask(test, incrementalAlterConfigs, { resources: [resource, resource] })
  assert.deepEqual(
    responses.map(({ errorCode, errorMessage }) => [errorCode, errorMessage]),
    [1, 2].map(() => [kafkaErrors.INVALID_REQUEST, 'Each resource must appear at most once.']),
  )
})

test('AlterConfigs sets everything anew; with validateOnly nothing changes', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'orders', { configs: { 'retention.ms': '5', 'segment.ms': '60000' } })
  const configs = () => test.node.catalog.get('orders')?.configs
  const resources = [{ resourceType: topicType, resourceName: 'orders', configs: [] }]
  const checked = await ask(test, alterConfigs, { resources, validateOnly: true })
  assert.equal(checked.responses[0]?.errorCode, 0)
  assert.deepEqual(configs(), { 'retention.ms': '5', 'segment.ms': '60000' })
  for (let version = 0; version <= 2; version += 1) {
    assert.deepEqual(await replace(test, 'orders', { 'retention.ms': String(version) }, { version }), [0, null])
    assert.deepEqual(configs(), { 'retention.ms': String(version) })
  }
  const [code, message] = await replace(test, 'orders', { 'retention.ms': null })
  assert.deepEqual([code, message], [kafkaErrors.INVALID_REQUEST, 'Null value not supported for : retention.ms'])
})

test('whose mirror a topic is concerns our own daemon alone', async () => {
  const test = await openTestNode()
  await makeTopic(test, 'm')
  const internal = { session: internalSession }
  const key = 'linkspan.mirror.id'
  const mirrorOf = () => test.node.catalog.get('m')?.mirrorId
  assert.deepEqual(await edit(test, 'm', [[key, set, mirrorId]], internal), [0, null])
  assert.equal(mirrorOf(), mirrorId)
  assert.equal((await describe(test, 'm', { keys: [key] })).configs.length, 0)
  const [shown] = (await describe(test, 'm', { keys: [key] }, internal)).configs
  assert.deepEqual([shown?.value, shown?.configSource], [mirrorId, 1])
  assert.deepEqual(await replace(test, 'm', { 'retention.ms': '-1' }, internal), [0, null])
  assert.equal(mirrorOf(), mirrorId)
  assert.deepEqual(await edit(test, 'm', [['segment.ms', set, '60000']]), [0, null])
  assert.deepEqual(await edit(test, 'm', [['max.message.bytes', set, '100']]), [
    kafkaErrors.INVALID_REQUEST,
    "Cannot modify mirror topic m because 'max.message.bytes' are set to always sync",
  ])
  assert.deepEqual(await edit(test, 'm', [['max.message.bytes', set, '100']], internal), [0, null])
  assert.deepEqual(await edit(test, 'm', [[key, remove]], internal), [0, null])
  assert.equal(mirrorOf(), null)
})
