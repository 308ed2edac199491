import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createdLinkText, createLinkBody } from './link-form.ts'

const login = (user: string, password: string) => {
  return `org.apache.kafka.common.security.plain.PlainLoginModule required username="${user}" password="${password}";`
}
const configOf = (body: ReturnType<typeof createLinkBody>) => {
  return Object.fromEntries((body.configs ?? []).map(({ name, value }) => [name, value]))
}

test('a login becomes the config of the mode', () => {
  const keys = { sourceApiKey: 'k', sourceApiSecret: 'a"b' }
  const destination = createLinkBody({}, { sourceCluster: 'S', sourceBootstrapServer: 's:9092' }, keys)
  assert.equal(destination.source_cluster_id, 'S')
  assert.deepEqual(configOf(destination), {
    'bootstrap.servers': 's:9092',
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'PLAIN',
    'sasl.jaas.config': login('k', 'a\\"b'),
  })
  const source = createLinkBody({ 'link.mode': 'source' }, { destinationCluster: 'D' }, keys)
  assert.deepEqual(configOf(source), {
    'link.mode': 'source',
    'local.listener.name': 'SASL_SSL',
    'local.security.protocol': 'SASL_SSL',
    'local.sasl.mechanism': 'PLAIN',
    'local.sasl.jaas.config': login('k', 'a\\"b'),
  })
})

test('what is given by --config wins, and halves are refused', () => {
  const ends = { remoteCluster: 'R', remoteBootstrapServer: 'r:9092' }
  const body = createLinkBody({ 'bootstrap.servers': 'other:1' }, ends, {})
  assert.deepEqual(body, { remote_cluster_id: 'R', configs: [{ name: 'bootstrap.servers', value: 'other:1' }] })
  assert.throws(() => createLinkBody({}, {}, { remoteApiKey: 'k' }), { code: 'usage', message: /go together/ })
  const twice = { sourceBootstrapServer: 'a', remoteBootstrapServer: 'b' }
  assert.throws(() => createLinkBody({}, twice, {}), { code: 'usage', message: /once/ })
})

test('no credential is repeated on the screen', () => {
  const body = createLinkBody({ 'link.mode': 'DESTINATION', 'sasl.jaas.config': 'secret' }, {}, {})
  assert.equal(createdLinkText('x', body), 'Created cluster link "x" with configs:\n"link.mode"="DESTINATION"\n')
  assert.equal(createdLinkText('x', { configs: [] }), 'Created cluster link "x".')
})
