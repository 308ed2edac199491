import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FakeKafka } from '../../test/support/fake-kafka.ts'
import { newCertificate, openWorld, linkRequest as request } from '../../test/support/link-world.ts'
import { createGroupChanges } from '../access/groups.ts'
import { deleteIdentityChanges, updateIdentityChanges } from '../access/identities.ts'
import { groupTable, identityTable } from '../access/rows.ts'
import { LinkspanError } from '../base/errors.ts'
import { encodeToken } from '../identity/trust-token.ts'
import { metadata } from '../wire/api/03-metadata.ts'
import { checkLinkName } from './names.ts'
import type { LinkRow } from './rows.ts'

const set = (pairs: Record<string, string | null>) => Object.entries(pairs).map(([name, value]) => ({ name, value }))
const plain = { validateLink: false, validateOnly: false }
const secretJaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="pa\\"ss";'
const kafkaConfig = {
  'bootstrap.servers': 'k1:9092,k2:9093',
  'security.protocol': 'SASL_PLAINTEXT',
  'sasl.mechanism': 'PLAIN',
  'sasl.jaas.config': secretJaas,
}

test('names follow the rules of LXD', () => {
  for (const name of ['primary', 'backup-cluster', 'link123', 'a', 'a b:%#Z']) checkLinkName(name)
  for (const name of ['', '../evil', 'link..bad', 'a/b', 'a?b', 'a&b', 'a+b', 'a\\b', 'ä', 'a\n', 'x'.repeat(300)]) {
    assert.throws(() => checkLinkName(name), { code: 'invalid-request' }, JSON.stringify(name))
  }
})

test('whatever text is given as a name is taken or refused, and what is taken survives a URL', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (name) => {
      try {
        checkLinkName(name)
      } catch (error) {
        assert.ok(error instanceof LinkspanError && error.code === 'invalid-request')
        return
      }
      assert.equal(decodeURIComponent(encodeURIComponent(name)), name)
      assert.match(name, /^[\x20-\x7e]+$/)
    }),
  )
})

test('minting: a pending link with its pending identity, or nothing at all', async (t) => {
  const { links, store, changes } = await openWorld(t)
  const { link, identityId, token } = await links.mintToken(request('berlin', { config: { 'user.x': 1 } }))
  assert.equal(link.state, 'pending')
  assert.equal(store.rows.get(identityTable, identityId)?.name, 'berlin')
  assert.deepEqual(links.config(link).values, { 'user.x': '1' })
  assert.deepEqual(changes, [{ id: link.id, before: undefined, after: link }])
  assert.equal(token.client_name, 'berlin')
  await assert.rejects(links.source(link), { code: 'state-conflict' })
  await assert.rejects(links.state('berlin'), /still pending: use its token on the other cluster/)
  const untouched = store.dump()
  const cases: [object, string][] = [
    [{ name: 'berlin' }, 'already-exists'],
    [{ name: '' }, 'invalid-request'],
    [{ authGroups: ['nobody'] }, 'not-found'],
    [{ config: { 'volatile.addresses': 'evil:1' } }, 'immutable'],
    [{ config: { unknown: 'x' } }, 'invalid-config'],
    [{ config: { 'bootstrap.servers': 'k:1' } }, 'invalid-config'],
    [{ description: 'x'.repeat(5000) }, 'invalid-request'],
  ]
  for (const [more, code] of cases) {
    await assert.rejects(links.mintToken(request('other', more)), { code }, JSON.stringify(more))
    assert.deepEqual(store.dump(), untouched)
  }
})

test('a pasted token that became a config key is neither stored nor repeated', async (t) => {
  const { links, store } = await openWorld(t)
  const { token } = await links.mintToken(request('one'))
  const text = encodeToken(token).replace(/=*$/, '')
  const untouched = store.dump()
  await assert.rejects(links.mintToken(request('two', { config: { [text]: '=' } })), (error: LinkspanError) => {
    assert.equal(error.code, 'invalid-config')
    assert.match(error.message, /looks like a token.*--token/)
    return !error.message.includes(text.slice(0, 20))
  })
  assert.deepEqual(store.dump(), untouched)
})

test('nobody is given a token while the port is closed', async (t) => {
  const { links } = await openWorld(t, [])
  await assert.rejects(links.mintToken(request('x')), /listens nowhere: open the port to others first/)
})

test('an expired pending link makes room for a new one of its name', async (t) => {
  const { links, clock } = await openWorld(t)
  const first = await links.mintToken(request('berlin'))
  clock.nowMs += 16 * 86_400_000
  await assert.rejects(
    links.activate({ token: encodeToken(first.token), certificate: 'x', addresses: ['127.0.0.1:1'] }),
    { code: 'token-expired' },
  )
  assert.equal(links.get('berlin'), undefined)
  await links.mintToken(request('berlin'))
})

test('Kafka links: secrets are sealed, hidden, kept by (hidden), and used', async (t) => {
  const { links, store } = await openWorld(t)
  const link = await links.createKafkaLink({ name: 'dr', configs: set(kafkaConfig), sourceClusterId: 'SRC', ...plain })
  assert.deepEqual([link.reach, link.type, link.state], ['kafka', 'unidirectional', 'active'])
  assert.equal(link.remoteKafkaClusterId, 'SRC')
  assert.ok(!JSON.stringify(store.dump()).includes('pa\\'), 'the password is stored in plain')
  assert.equal(links.shownConfig(link)['sasl.jaas.config'], '(hidden)')
  assert.equal(links.config(link).get('sasl.jaas.config'), secretJaas)
  assert.equal(links.config(link).number('consumer.offset.sync.ms'), 30_000)
  assert.equal(links.config(link).flag('acl.sync.enable'), false)
  assert.deepEqual(await links.source(link), {
    reach: 'kafka',
    clientId: `linkspan-${link.id}`,
    bootstrap: [
      { host: 'k1', port: 9092 },
      { host: 'k2', port: 9093 },
    ],
    sasl: { mechanism: 'PLAIN', username: 'u', password: 'pa"ss' },
  })
  const stored = link.config['sasl.jaas.config']
  const kept = await links.update({ name: 'dr', config: links.shownConfig(link), how: 'replace', description: 'new' })
  assert.deepEqual([kept.config['sasl.jaas.config'], kept.description], [stored, 'new'])
  const changed = await links.update({ name: 'dr', config: { 'sasl.jaas.config': 'other' }, how: 'merge' })
  assert.notEqual(changed.config['sasl.jaas.config'], stored)
  assert.equal(links.config(changed).get('sasl.jaas.config'), 'other')
  const moved = { ...changed, id: crypto.randomUUID() } as LinkRow
  assert.throws(() => links.config(moved), { code: 'corrupt' })
})

test('Kafka links: what is refused', async (t) => {
  const { links, store } = await openWorld(t)
  const create = (configs: Record<string, string | null>, more: object = {}) => {
    return links.createKafkaLink({ name: 'dr', configs: set(configs), ...plain, ...more })
  }
  await create(kafkaConfig, { validateOnly: true })
  assert.equal(links.list().length, 0)
  await create(kafkaConfig)
  const untouched = store.dump()
  await assert.rejects(create(kafkaConfig), { code: 'already-exists' })
  await assert.rejects(create({}, { name: 'x' }), /"bootstrap.servers" is needed/)
  await assert.rejects(create({ ...kafkaConfig, 'linkspan.reach': 'peer' }, { name: 'x' }), { code: 'invalid-config' })
  await assert.rejects(create({ ...kafkaConfig, nonsense: '1' }, { name: 'x' }), { code: 'invalid-config' })
  const twice = [...set(kafkaConfig), ...set(kafkaConfig)]
  await assert.rejects(links.createKafkaLink({ name: 'x', configs: twice, ...plain }), /given twice/)
  assert.deepEqual(store.dump(), untouched)
  const file = { 'security.protocol': 'SSL', 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': 'relative.pem' }
  const odd = await create({ 'bootstrap.servers': 'k:1', ...file }, { name: 'odd' })
  await assert.rejects(links.source(odd), /"ssl.truststore.location" needs the whole path/)
})

test('Kafka links: the cluster at the other end is asked for its id', async (t) => {
  const { links } = await openWorld(t)
  await using kafka = await new FakeKafka().listen()
  kafka.on(metadata, ({ answer }) => {
    const brokers = [{ nodeId: 1, host: '127.0.0.1', port: kafka.port, rack: null }]
    answer({ brokers, clusterId: 'REAL', controllerId: 1, topics: [] })
  })
  const configs = set({ 'bootstrap.servers': `127.0.0.1:${kafka.port}` })
  const validated = { validateLink: true, validateOnly: false }
  const wrong = links.createKafkaLink({ name: 'dr', configs, sourceClusterId: 'OTHER', ...validated })
  await assert.rejects(wrong, /is cluster REAL, not OTHER/)
  const link = await links.createKafkaLink({ name: 'dr', configs, ...validated })
  assert.equal(link.remoteKafkaClusterId, 'REAL')
  const state = await links.state('dr')
  const [member] = state.cluster_link_members
  assert.match(member?.last_seen_at ?? '', /^\d{4}-\d\d-\d\dT/)
  assert.deepEqual(
    { ...member, last_seen_at: '' },
    { server_name: '', address: `127.0.0.1:${kafka.port}`, status: 'Active', last_seen_at: '' },
  )
  assert.deepEqual(await links.setRemoteKafkaClusterId(link.id, 'REAL'), link)
  await assert.rejects(links.setRemoteKafkaClusterId(link.id, 'NEW'), { code: 'source-changed' })
})

test('a link that nothing answers is warned of; whoever stops asking proves nothing', async (t) => {
  const { links, warned } = await openWorld(t)
  await links.createKafkaLink({ name: 'dr', configs: set({ 'bootstrap.servers': '127.0.0.1:1' }), ...plain })
  await links.state('dr', AbortSignal.abort())
  assert.deepEqual([...warned], [])
  const state = await links.state('dr')
  assert.equal(state.cluster_link_members[0]?.status, 'Unreachable')
  assert.deepEqual([...warned], ['Cluster link is not reached'])
  await links.rename('dr', 'other')
  assert.deepEqual([...warned], [])
})

test('alterConfig: one bad key changes nothing; validateOnly changes nothing', async (t) => {
  const { links, store } = await openWorld(t)
  await links.createKafkaLink({ name: 'dr', configs: set(kafkaConfig), ...plain })
  const untouched = store.dump()
  const good = { 'consumer.offset.sync.ms': '5000' }
  await assert.rejects(links.alterConfig('dr', set({ ...good, 'acl.sync.ms': 'soon' })), { code: 'invalid-config' })
  await assert.rejects(links.alterConfig('dr', set({ 'cluster.link.prefix': 'p.' })), { code: 'immutable' })
  await assert.rejects(links.alterConfig('none', set(good)), { code: 'not-found' })
  const shown = await links.alterConfig('dr', set(good), { validateOnly: true })
  assert.equal(shown.config['consumer.offset.sync.ms'], '5000')
  assert.deepEqual(store.dump(), untouched)
  await links.alterConfig('dr', set(good))
  assert.equal(links.config(links.require('dr')).number('consumer.offset.sync.ms'), 5000)
  await links.alterConfig('dr', set({ 'consumer.offset.sync.ms': null }))
  assert.deepEqual(store.dump(), untouched)
})

test('permissions and identity follow a rename and go with the link', async (t) => {
  const { links, store, access } = await openWorld(t)
  const { identityId } = await links.mintToken(request('berlin'))
  await links.mintToken(request('taken'))
  const permissions = [{ entity_type: 'cluster_link', url: '/1.0/cluster/links/berlin', entitlement: 'can_view' }]
  await access.execute('test', (rows) => {
    const { changes } = createGroupChanges(rows, access.hooks, 'watchers', { description: '', permissions })
    return { changes, result: undefined }
  })
  await assert.rejects(links.rename('berlin', 'taken'), { code: 'already-exists' })
  await assert.rejects(links.rename('berlin', 'a/b'), { code: 'invalid-request' })
  await assert.rejects(links.rename('none', 'x'), { code: 'not-found' })
  await links.rename('berlin', 'berlin')
  await links.rename('berlin', 'paris')
  assert.equal(store.rows.get(identityTable, identityId)?.name, 'paris')
  assert.equal(store.rows.get(groupTable, 'watchers')?.permissions[0]?.url, '/1.0/cluster/links/paris')
  const deleted = await links.delete('paris')
  assert.equal(deleted.identityId, identityId)
  assert.equal(store.rows.get(identityTable, identityId), undefined)
  assert.deepEqual(store.rows.get(groupTable, 'watchers')?.permissions, [])
  await assert.rejects(links.delete('paris'), { code: 'not-found' })
})

test('a link in use stays, unless it is forced; deleting its identity always works', async (t) => {
  const { links, access } = await openWorld(t)
  const failedOver: string[] = []
  let uses = ['/1.0/topics/a', '/1.0/topics/b', '/1.0/topics/c', '/1.0/topics/d', '/1.0/topics/e', '/1.0/topics/f']
  links.usedBy.push(() => uses)
  links.beforeForcedDelete.push(async (link) => {
    failedOver.push(link.name)
    uses = []
  })
  const { identityId } = await links.mintToken(request('used'))
  await assert.rejects(links.delete('used'), /in use by \/1.0\/topics\/a.*and 1 more.*--force/)
  await access.execute('test', (rows) => {
    return { changes: deleteIdentityChanges(rows, access.hooks, identityId), result: undefined }
  })
  assert.equal(links.get('used'), undefined)
  assert.deepEqual(failedOver, [])
  await links.mintToken(request('forced'))
  uses = ['/1.0/topics/a']
  await links.delete('forced', { force: true })
  assert.deepEqual(failedOver, ['forced'])
})

test('a peer that renews its certificate keeps its link', async (t) => {
  const { links, store, access, clock } = await openWorld(t)
  const { token, link } = await links.mintToken(request('berlin'))
  const certificates = await Promise.all([1, 2].map(() => newCertificate(clock)))
  await access.activate(token.secret, 'cluster-link', certificates[0]!)
  assert.equal(links.byId(link.id)?.identityId, certificates[0]!.fingerprint)
  await access.execute('test', (rows) => {
    const certificate = certificates[1]!
    const update = updateIdentityChanges(rows, access.hooks, certificates[0]!.fingerprint, { certificate })
    return { changes: update.changes, result: undefined }
  })
  assert.equal(links.byId(link.id)?.identityId, certificates[1]!.fingerprint)
  await links.delete('berlin')
  assert.equal(store.rows.count(identityTable), 0)
})
