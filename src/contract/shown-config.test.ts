import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeConfig, describeKey, shownConfig } from './shown-config.ts'

const config = {
  'linkspan.reach': 'kafka',
  'bootstrap.servers': 'a:1',
  'sasl.jaas.config': 'secret words',
  'cluster.link.prefix': 'e.',
  'user.owner': 'ops',
}

test('no dialect shows a secret', () => {
  assert.equal(shownConfig(config)['sasl.jaas.config'], '(hidden)')
  assert.equal(shownConfig(config)['user.owner'], 'ops')
  assert.ok(!JSON.stringify([shownConfig(config), describeConfig(config)]).includes('secret words'))
  const jaas = describeKey(config, 'sasl.jaas.config')
  assert.deepEqual([jaas?.value, jaas?.isDefault, jaas?.key.sensitive], [null, false, true])
})

test('the catalogue is listed with defaults, what is set, and what cannot be changed', () => {
  const byName = new Map(describeConfig(config).map((described) => [described.name, described]))
  assert.deepEqual([byName.get('acl.sync.ms')?.value, byName.get('acl.sync.ms')?.isDefault], ['5000', true])
  assert.deepEqual([byName.get('link.prefix')?.value, byName.get('link.prefix')?.isReadOnly], ['e.', true])
  assert.equal(byName.get('bootstrap.servers')?.isDefault, false)
  assert.equal(byName.get('user.owner')?.value, 'ops')
  assert.ok(!byName.has('volatile.addresses'))
  assert.ok(!byName.has('user.*'))
  const peer = describeConfig({}).map(({ name }) => name)
  assert.ok(!peer.includes('sasl.jaas.config'))
  assert.ok(peer.includes('volatile.addresses'))
  assert.equal(describeKey({}, 'nonsense'), undefined)
})
