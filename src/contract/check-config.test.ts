import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLinkspanError } from '../base/errors.ts'
import { type CheckOptions, type ConfigChanges, checkConfig, checkReplacedConfig } from './check-config.ts'
import { configAliases, configKeys, findConfigKey } from './config-keys.ts'
import { normaliseValue } from './config-values.ts'

const creating: CheckOptions = { dialect: 'lxd', creating: true }
const changing: CheckOptions = { dialect: 'lxd', creating: false }
const confluent: CheckOptions = { dialect: 'confluent', creating: true }
const groups = '{"groupFilters": [{"name":"*","patternType":"literal","filterType":"Include"}]}'

test('every default is a value that its own key takes', () => {
  for (const key of configKeys) {
    if (key.default === null || key.default === '') continue
    assert.equal(normaliseValue(key, key.name, key.default), key.default, key.name)
  }
})

test('every name is once in the table, and every alias leads to one', () => {
  assert.equal(new Set(configKeys.map(({ name }) => name)).size, configKeys.length)
  for (const [alias, name] of Object.entries(configAliases)) {
    assert.equal(findConfigKey(alias), undefined)
    assert.ok(findConfigKey(name))
  }
  assert.ok(configKeys.length > 120)
})

test('values are stored in one form', () => {
  const { config, set } = checkConfig(
    {
      ' consumer.offset.sync.ms ': ' 7000 ',
      'consumer.offset.sync.enable': true,
      'consumer.offset.sync.filters': groups,
      'connection.mode': 'inbound',
      'acl.sync.ms': 5000,
      'user.owner': 'ops',
      'user.note': '',
    },
    {},
    creating,
  )
  assert.deepEqual(config, {
    'consumer.offset.sync.ms': '7000',
    'consumer.offset.sync.enable': 'true',
    'consumer.offset.group.filters': groups,
    'connection.mode': 'INBOUND',
    'acl.sync.ms': '5000',
    'user.owner': 'ops',
  })
  assert.equal(set.length, 6)
})

test('what is wrong is refused with its key', () => {
  const wrong: [ConfigChanges, string][] = [
    [{ 'acl.sync.ms': '999' }, 'acl.sync.ms'],
    [{ 'acl.sync.ms': 'often' }, 'acl.sync.ms'],
    [{ 'consumer.offset.sync.enable': 'yes' }, 'consumer.offset.sync.enable'],
    [{ 'cluster.link.prefix': 'thirteen-long' }, 'cluster.link.prefix'],
    [{ 'cluster.link.prefix': '__x' }, 'cluster.link.prefix'],
    [{ 'cluster.link.prefix': 'e.', 'acl.sync.enable': 'true' }, 'acl.sync.enable'],
    [{ 'consumer.group.prefix.enable': 'true' }, 'consumer.group.prefix.enable'],
    [{ 'mirror.start.offset.spec': 'yesterday' }, 'mirror.start.offset.spec'],
    [{ 'topic.config.sync.include': 'retention.ms' }, 'topic.config.sync.include'],
    [{ 'acl.filters': '{“aclFilters”:[]}' }, 'acl.filters'],
    [{ 'linkspan.reach': 'kafka' }, 'bootstrap.servers'],
    [{ 'linkspan.reach': 'kafka', 'bootstrap.servers': 'host' }, 'bootstrap.servers'],
    [{ 'bootstrap.servers': 'host:9092' }, 'bootstrap.servers'],
    [{ 'sasl.jaas.config': 'x' }, 'sasl.jaas.config'],
    [{ 'local.listener': 'A', 'local.listener.name': 'B' }, 'local.listener.name'],
    [{ 'link.mode': 'BIDIRECTIONAL' }, 'link.mode'],
  ]
  for (const [changes, key] of wrong) {
    assert.throws(
      () => checkConfig(changes, {}, creating),
      (error) => isLinkspanError(error, 'invalid-config') && error.details.key === key,
      JSON.stringify(changes),
    )
  }
  assert.throws(() => checkConfig({ 'volatile.addresses': 'h:1' }, {}, creating), { code: 'immutable' })
})

test('unknown keys are named with the nearest known one, tokens are not repeated', () => {
  assert.throws(() => checkConfig({ 'acl.sync.mss ': '1', nonsense: '2' }, {}, creating), {
    code: 'invalid-config',
    message: 'Unknown config keys "acl.sync.mss " (did you mean "acl.sync.ms"?), "nonsense"',
  })
  const token = Buffer.from('{"client_name":"x","secret":"0123456789"}').toString('base64').replaceAll('=', '')
  assert.throws(
    () => checkConfig({ [token]: '' }, {}, creating),
    (error) => {
      assert.ok(isLinkspanError(error, 'invalid-config'))
      return !JSON.stringify([error.message, error.details]).includes(token.slice(0, 12))
    },
  )
})

test("Confluent's creation goes to Kafka unless it says otherwise", () => {
  const given = { 'link.mode': 'DESTINATION', 'bootstrap.servers': 'SASL_SSL://a:9092, [::1]:9093' }
  const { config } = checkConfig(given, {}, confluent)
  assert.deepEqual(config, {
    'linkspan.reach': 'kafka',
    'link.mode': 'DESTINATION',
    'bootstrap.servers': 'a:9092,[::1]:9093',
  })
})

test('what is fixed at creation may come back unchanged, and in no other way', () => {
  const current = { 'cluster.link.prefix': 'e.', 'volatile.addresses': 'h:1', 'user.a': '1' }
  assert.deepEqual(checkReplacedConfig(current, current, changing).set, [])
  assert.deepEqual(checkConfig({ 'connection.mode': 'outbound' }, current, changing).config, current)
  assert.throws(() => checkConfig({ 'connection.mode': 'inbound' }, current, changing), { code: 'immutable' })
  assert.throws(() => checkConfig({ 'cluster.link.prefix': null }, current, changing), { code: 'immutable' })
  const without = { 'cluster.link.prefix': 'e.' }
  assert.throws(() => checkReplacedConfig(without, current, changing), { code: 'immutable' })
  const { config, removed } = checkReplacedConfig({ ...without, 'volatile.addresses': 'h:1' }, current, changing)
  assert.deepEqual(config, { 'cluster.link.prefix': 'e.', 'volatile.addresses': 'h:1' })
  assert.deepEqual(removed, ['user.a'])
})

test('turning a feature off takes its filter along, also when its switch is only unset', () => {
  const current = { 'consumer.offset.sync.enable': 'true', 'consumer.offset.group.filters': groups }
  assert.deepEqual(checkConfig({ 'consumer.offset.sync.enable': 'false' }, current, changing).config, {
    'consumer.offset.sync.enable': 'false',
  })
  assert.deepEqual(checkConfig({ 'consumer.offset.sync.enable': null }, current, changing).config, {})
  const early = { 'consumer.offset.group.filters': groups }
  assert.deepEqual(checkConfig({ 'acl.sync.enable': 'false' }, early, changing).config, {
    ...early,
    'acl.sync.enable': 'false',
  })
})

test('a hidden value that comes back means unchanged', () => {
  const current = {
    'linkspan.reach': 'kafka',
    'bootstrap.servers': 'a:1',
    'sasl.jaas.config': 'sealed:1:00000000:AAAA',
  }
  const same = checkConfig({ 'sasl.jaas.config': '(hidden)' }, current, changing)
  assert.deepEqual(same, { config: current, set: [], removed: [] })
  assert.deepEqual(checkConfig({ 'sasl.jaas.config': 'new' }, current, changing).set, ['sasl.jaas.config'])
  assert.throws(() => checkConfig({ 'ssl.key.password': '(hidden)' }, current, changing), { code: 'invalid-config' })
})

test('checking is all or nothing, and what it gives passes again unchanged', () => {
  const values = fc.constantFrom('', 'true', 'false', '1000', '0', 'earliest', 'x', 'DESTINATION', 'h:1', groups)
  const keys = fc.constantFrom(...configKeys.map(({ name }) => name.replace('*', 'x')))
  fc.assert(
    fc.property(fc.dictionary(keys, values), (changes) => {
      const before = Object.freeze({ 'user.kept': '1' })
      let checked: ReturnType<typeof checkConfig>
      try {
        checked = checkConfig(changes, before, creating)
      } catch (error) {
        return assert.ok(isLinkspanError(error, 'invalid-config', 'immutable'))
      }
      assert.deepEqual(checkReplacedConfig(checked.config, checked.config, changing).config, checked.config)
    }),
  )
})
