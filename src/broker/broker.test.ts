import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type AccessSnapshot, emptySnapshot } from '../access/snapshot.ts'
import { systemClock } from '../base/clock.ts'
import type { LinkspanError } from '../base/errors.ts'
import { silentLog } from '../base/log.ts'
import { createCertificate, fingerprintOf } from '../identity/certificate.ts'
import { openCluster } from '../kafka/open-cluster.ts'
import { openConnection } from '../kafka/open-connection.ts'
import { createDialler } from '../transport/create-dialler.ts'
import type { DirectSpec } from '../transport/spec.ts'
import { metadata } from '../wire/api/03-metadata.ts'
import { type Broker, type BrokerOptions, startBroker } from './broker.ts'
import { brokerDefaults, type ListenerSecurity } from './config.ts'
import { openNode } from './open-node.ts'

const plaintext: ListenerSecurity = { protocol: 'PLAINTEXT', mechanisms: [], users: [] }
const quiet = { level: 'error', format: 'text' } as const

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-broker-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function start(folder: string, more: Partial<BrokerOptions> = {}): Promise<Broker> {
  return startBroker({
    folder: join(folder, 'broker'),
    listen: { host: '127.0.0.1', port: 0 },
    security: plaintext,
    config: brokerDefaults,
    socketPath: join(folder, 'kafka.socket'),
    snapshot: emptySnapshot,
    log: quiet,
    onFailure: (error) => assert.fail(error),
    ...more,
  })
}

async function clusterIdAt(where: Partial<DirectSpec>): Promise<string> {
  const spec: DirectSpec = { reach: 'kafka', clientId: 'test', bootstrap: [], ...where }
  await using cluster = openCluster(spec, { clock: systemClock, log: silentLog, deadlineMs: 3000 })
  return await cluster.clusterId()
}

test('a node keeps its cluster id, and its folder is for it alone', async (t) => {
  const folder = join(await folderOf(t), 'broker')
  const options = { folder, config: brokerDefaults, clock: systemClock, log: silentLog }
  const first = await openNode(options)
  const { clusterId } = first.node
  assert.match(clusterId, /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
  await assert.rejects(openNode(options), { code: 'state-locked' })
  await first.checkRetention()
  await first.dispose()
  await using second = await openNode({ ...options, clusterId: 'BBBBBBBBBBBBBBBBBBBBBB' })
  assert.equal(second.node.clusterId, clusterId)
})

test('a worker serves clients at its port and us at its socket, and stops cleanly', async (t) => {
  const folder = await folderOf(t)
  let clusterId: string
  {
    await using broker = await start(folder, { advertise: { host: 'broker.test', port: 0 } })
    clusterId = broker.clusterId
    const { address, advertised, socketPath } = broker
    assert.deepEqual(advertised, { host: 'broker.test', port: address.port })
    assert.equal((await stat(socketPath)).mode & 0o777, 0o600)
    assert.equal(await clusterIdAt({ bootstrap: [address] }), clusterId)
    assert.equal(await clusterIdAt({ bootstrap: [advertised], socketPath }), clusterId)
    const spec: DirectSpec = { reach: 'kafka', clientId: 'test', bootstrap: [advertised], socketPath }
    await using cluster = openCluster(spec, { clock: systemClock, log: silentLog })
    const { brokers } = await cluster.request({ to: 'any' }, metadata, { topics: [] })
    assert.deepEqual(brokers, [{ nodeId: 1, host: 'broker.test', port: address.port, rack: null }])
    await broker.updateAccess(emptySnapshot)
    await broker.stop(500)
    assert.ok(!existsSync(socketPath))
    await assert.rejects(broker.updateAccess(emptySnapshot), { code: 'closed' })
  }
  await using again = await start(folder)
  assert.equal(again.clusterId, clusterId)
})

test('what keeps the broker from starting is told by the caller’s error', async (t) => {
  const folder = await folderOf(t)
  await using broker = await start(folder)
  await assert.rejects(start(folder), { code: 'state-locked' })
  const other = await folderOf(t)
  await assert.rejects(start(other, { listen: broker.address }), { code: 'in-use', message: /--broker-listen/ })
  await assert.rejects(
    start(other, { listen: { host: '192.0.2.1', port: 0 }, security: { ...plaintext, protocol: 'SSL' } }),
    {
      code: 'invalid-config',
      message: /no address of this host/,
    },
  )
  await assert.rejects(start(other, { listen: { host: '0.0.0.0', port: 0 } }), { code: 'invalid-config' })
  await using third = await start(other)
  assert.ok(third.clusterId !== broker.clusterId)
})

test('a worker that dies is told', async (t) => {
  const folder = await folderOf(t)
  await assert.rejects(start(folder, { log: { ...quiet, level: 'nonsense' as never } }))

  const request = { commonName: 'test', hostNames: ['localhost'], addresses: [], clock: systemClock }
  const pems = await createCertificate(request)
  const fingerprint = fingerprintOf(new X509Certificate(pems.certificatePem))
  const known = {
    id: fingerprint,
    fingerprint,
    name: 'test',
    kind: 'client' as const,
    groups: [],
    validFromMs: 0,
    validToMs: 9e15,
  }
  const failed = Promise.withResolvers<LinkspanError>()
  await using broker = await start(folder, {
    security: { ...plaintext, protocol: 'SSL', tls: pems },
    snapshot: { ...emptySnapshot, identities: [known] },
    onFailure: failed.resolve,
  })
  const tls = { ...pems, ca: pems.certificatePem, verifyHost: true }
  await using dialler = createDialler({ reach: 'kafka', clientId: 'test', bootstrap: [broker.address], tls })
  await using _connection = await openConnection(
    dialler,
    { kind: 'bootstrap' },
    { clientId: 'test', clock: systemClock, log: silentLog },
  )
  // Nothing of ours sends this: it stands for a bug, which the next look at the connections meets too.
  await assert.rejects(broker.updateAccess({ identities: null } as unknown as AccessSnapshot))
  const { code, message } = await failed.promise
  assert.deepEqual([code, message], ['internal', 'The broker worker has stopped: the Kafka port is closed'])
})
