import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { createCertificate } from '../../src/identity/certificate.ts'
import { type Daemon, embeddedBroker, startDaemon } from '../support/daemon.ts'
import { callV1, linkDaemons, linksPath, mintLinkToken } from '../support/link-calls.ts'
import { freePorts } from '../support/ports.ts'
import { cli, refused } from '../support/sites.ts'

/** What LXD's own suite expects of public links: `target` is looked at, `initiator` has the link. */
let initiator: Daemon
let target: Daemon

before(async () => {
  ;[initiator, target] = await Promise.all([
    startDaemon({ name: 'initiator', kafka: embeddedBroker }),
    startDaemon({ name: 'target' }),
  ])
})

after(async () => {
  await Promise.all([initiator?.[Symbol.asyncDispose](), target?.[Symbol.asyncDispose]()])
})

const find = (name: string, more: object = {}) => {
  return callV1(initiator, 'POST', linksPath, { name, type: 'public', remote_address: target.ready.https, ...more })
}
const confirm = (name: string, more: object) => callV1(initiator, 'POST', linksPath, { name, type: 'public', ...more })
const configOf = async (name: string) => (await initiator.client.clusterLinks.get(name)).value.config
const linkNames = async (at: Daemon) => (await at.client.clusterLinks.list()).map(({ name }) => name)

function answerPrompt(name: string, input: string, address = target.ready.https) {
  const words = ['cluster', 'link', 'create', name, '--public', '--remote-address', address]
  return initiator.cli(words, { input })
}

test('flags that do not go together are refused before anything is asked', async () => {
  assert.match(await refused(initiator, 'cluster link create x --public', 2), /--remote-address go together/)
  assert.match(await refused(initiator, 'cluster link create x --remote-address h:1', 2), /go together/)
  const both = 'cluster link create x --public --remote-address h:1'
  assert.match(await refused(initiator, `${both} --auth-group g`, 2), /cannot be used with/)
  assert.match(await refused(initiator, `${both} --unidirectional`, 2), /cannot be used with/)
  assert.match(await refused(initiator, `${both} --token t`, 2), /needs no token/)
  assert.deepEqual(await linkNames(initiator), [])
})

test('a public link without address, or the confirmation of one that is not there, makes nothing', async () => {
  assert.equal((await callV1(initiator, 'POST', linksPath, { name: 'x', type: 'public' })).status, 400)
  const unknown = await confirm('never-seen', { fingerprint: target.ready.fingerprint })
  assert.equal(unknown.status, 404)
  assert.match(unknown.error, /"never-seen" not found/)
  assert.deepEqual(await linkNames(initiator), [])
})

test('at the prompt, a no, another fingerprint and the end of input each take the pending link away', async () => {
  for (const [input, code, says] of [
    ['n\n', 4, /not accepted/],
    [`${'0'.repeat(64)}\n`, 1, /another one/],
    ['', 4, /not accepted/],
    ['perhaps\n', 4, /not accepted/],
  ] as const) {
    const { code: exit, stderr } = await answerPrompt('asked', input)
    assert.equal(exit, code, stderr)
    assert.match(stderr, new RegExp(`Certificate fingerprint: ${target.ready.fingerprint}`))
    assert.match(stderr, says)
    assert.deepEqual(await linkNames(initiator), [])
  }
})

test('a yes, or the fingerprint in either case, makes the link, and the other side knows nothing of it', async () => {
  for (const input of ['y\n', `${target.ready.fingerprint.toUpperCase()}\n`]) {
    const { code, stdout, stderr } = await answerPrompt('open', input)
    assert.deepEqual([code, stdout], [0, 'Cluster link open created\n'], stderr)
    const shown = await cli(initiator, 'cluster link show open')
    assert.match(shown, /^type: public$/m)
    assert.deepEqual(await configOf('open'), { 'volatile.addresses': target.ready.https })
    assert.match(
      await cli(initiator, 'cluster link list -f csv'),
      new RegExp(`open,${target.ready.https},,ACTIVE,PUBLIC`),
    )
    for (const at of [initiator, target]) assert.deepEqual(await at.client.identities.list(), [])
    assert.deepEqual(await linkNames(target), [])
    assert.match(await cli(initiator, 'cluster link info open'), / UNAUTHENTICATED .* does not know this cluster/)
    assert.equal(await cli(initiator, 'cluster link delete open'), 'Cluster link open deleted\n')
  }
})

test('what waits is inert: no addresses, no state, and keys of the daemon that were given are ignored', async () => {
  const answer = await find('waiting', { config: { 'volatile.addresses': 'evil:1', 'user.a': 'b' } })
  assert.equal(answer.status, 200, answer.error)
  assert.deepEqual(Object.keys(answer.metadata), ['fingerprint', 'certificate'])
  assert.equal(answer.metadata.fingerprint, target.ready.fingerprint)
  const { 'volatile.pending_certificate': pem, ...config } = await configOf('waiting')
  assert.deepEqual(config, { 'volatile.pending_address': target.ready.https, 'user.a': 'b' })
  assert.equal(pem, answer.metadata.certificate.trim())
  assert.match(await cli(initiator, 'cluster link list -f csv'), /^waiting,,,PENDING,PUBLIC$/m)
  const state = await callV1(initiator, 'GET', `${linksPath}/waiting/state`)
  assert.deepEqual([state.status, state.code], [409, 'state-conflict'])
  assert.match(state.error, /accept the certificate/)
  const echoed = { description: 'kept', config: { ...(await configOf('waiting')), 'user.a': 'c' } }
  assert.equal((await callV1(initiator, 'PUT', `${linksPath}/waiting`, echoed)).status, 200)
  const confirmed = await confirm('waiting', { cluster_certificate: answer.metadata.certificate })
  assert.deepEqual([confirmed.status, confirmed.metadata], [200, {}])
  assert.deepEqual(await configOf('waiting'), { 'volatile.addresses': target.ready.https, 'user.a': 'c' })
  await initiator.client.clusterLinks.delete('waiting')
})

test('the first step may be repeated while the link waits, and no longer', async () => {
  assert.equal((await find('again', { description: 'one', config: { 'user.a': '1' } })).status, 200)
  assert.equal((await find('again', { description: '', config: { 'user.b': '2' } })).status, 200)
  const { value } = await initiator.client.clusterLinks.get('again')
  assert.deepEqual([value.description, value.config['user.a'], value.config['user.b']], ['one', '1', '2'])
  const { certificatePem } = await createCertificate({
    commonName: 'x',
    hostNames: [],
    addresses: [],
    clock: systemClock,
  })
  const before = await configOf('again')
  for (const wrong of [{ cluster_certificate: certificatePem }, { fingerprint: 'ab'.repeat(32) }]) {
    const answer = await confirm('again', wrong)
    assert.deepEqual([answer.status, answer.code], [400, 'wrong-fingerprint'])
    assert.deepEqual(await configOf('again'), before)
  }
  for (const wrong of [{ cluster_certificate: 'PEM' }, { fingerprint: 'abc' }]) {
    assert.equal((await confirm('again', wrong)).status, 400)
  }
  const bogus = { fingerprint: target.ready.fingerprint, remote_address: 'elsewhere.example:1' }
  assert.equal((await confirm('again', bogus)).status, 200)
  assert.equal((await configOf('again'))['volatile.addresses'], target.ready.https)
  for (const answer of [await find('again'), await confirm('again', { fingerprint: target.ready.fingerprint })]) {
    assert.deepEqual([answer.status, answer.code], [409, 'already-exists'])
    assert.match(answer.error, /already confirmed/)
  }
  assert.equal((await answerPrompt('again', 'y\n')).code, 1)
  assert.deepEqual(await linkNames(initiator), ['again'])
  await initiator.client.clusterLinks.delete('again')
})

test('one certificate is one link: a linked cluster, this one, and links of other types are refused', async () => {
  await linkDaemons(target, initiator, { atOne: 'linked', atOther: 'linked' })
  const linked = await find('open')
  assert.deepEqual([linked.status, linked.code], [409, 'already-exists'])
  assert.match(linked.error, /belongs to/)
  assert.equal((await find('linked')).status, 409)
  assert.equal((await confirm('linked', { fingerprint: target.ready.fingerprint })).status, 400)
  const own = await find('open', { remote_address: initiator.ready.https })
  assert.deepEqual([own.status, own.code], [409, 'own-token'])
  await initiator.client.clusterLinks.delete('linked')
  await target.client.clusterLinks.delete('linked')
  await find('first')
  await find('second')
  assert.equal((await confirm('first', { fingerprint: target.ready.fingerprint })).status, 200)
  assert.equal((await confirm('second', { fingerprint: target.ready.fingerprint })).status, 409)
  const token = await mintLinkToken(target, 'both-ways')
  const used = await callV1(initiator, 'POST', linksPath, {
    name: 'both-ways',
    type: 'bidirectional',
    trust_token: Buffer.from(JSON.stringify(token)).toString('base64'),
  })
  assert.deepEqual([used.status, used.code], [409, 'already-exists'])
  for (const name of ['first', 'second']) await initiator.client.clusterLinks.delete(name)
  await target.client.clusterLinks.delete('both-ways')
})

test('an address that nothing of ours answers at is refused, and the port may be left out', async () => {
  const [closed] = await freePorts(1)
  const cases: [address: string, code: string, says: RegExp][] = [
    [`127.0.0.1:${closed}`, 'unreachable', /nothing listens there/],
    ['no address at all', 'invalid-request', /write HOST:PORT/],
    [`127.0.0.1:${new URL(`http://${initiator.ready.kafka}`).port}`, 'unreachable', /Cannot connect/],
    // Without a port LXD's own is meant.
    ['127.255.255.254', 'unreachable', /127\.255\.255\.254:8443/],
  ]
  for (const [remote_address, code, says] of cases) {
    const answer = await find('open', { remote_address })
    assert.equal(answer.code, code, answer.error)
    assert.match(answer.error, says)
  }
  assert.deepEqual(await linkNames(initiator), [])
})

test('nothing is mirrored over a public link, and that is said', async () => {
  await find('open')
  await confirm('open', { fingerprint: target.ready.fingerprint })
  const said = await refused(initiator, 'kafka mirror create orders --link open')
  assert.match(said, /is public: the other side does not know this cluster, so nothing can be mirrored over it/)
  await initiator.client.clusterLinks.delete('open')
})
