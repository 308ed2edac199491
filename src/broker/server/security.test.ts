import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { type AccessSnapshot, emptySnapshot } from '../../access/snapshot.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { createCertificate, fingerprintOf } from '../../identity/certificate.ts'
import { openCluster } from '../../kafka/open-cluster.ts'
import { openConnection } from '../../kafka/open-connection.ts'
import { createDialler } from '../../transport/create-dialler.ts'
import type { DirectSpec, SaslSpec } from '../../transport/spec.ts'
import { metadata } from '../../wire/api/03-metadata.ts'
import { listGroups } from '../../wire/api/16-list-groups.ts'
import { saslHandshake } from '../../wire/api/17-sasl-handshake.ts'
import { apiVersions } from '../../wire/api/18-api-versions.ts'
import { saslAuthenticate } from '../../wire/api/36-sasl-authenticate.ts'
import { type ListenerSecurity, saslMechanisms } from '../config.ts'
import { handlerOf, RawClient, startTestServer, type TestServer } from './test-server.ts'

const users = [{ name: 'alice', password: 'secret of alice' }]
const sasl: ListenerSecurity = { protocol: 'SASL_PLAINTEXT', mechanisms: saslMechanisms, users }

interface Pems {
  certificatePem: string
  privateKeyPem: string
  fingerprint: string
}

async function newIdentity(commonName: string): Promise<Pems> {
  const pems = await createCertificate({ commonName, hostNames: ['localhost'], addresses: [], clock: systemClock })
  return { ...pems, fingerprint: fingerprintOf(new X509Certificate(pems.certificatePem)) }
}

const [own, reader, stranger] = (await Promise.all(['server', 'reader', 'stranger'].map(newIdentity))) as [
  Pems,
  Pems,
  Pems,
]
const tls = { certificatePem: own.certificatePem, privateKeyPem: own.privateKeyPem }

/** Knows one identity, which may read one topic. */
const snapshot: AccessSnapshot = {
  identities: [
    {
      id: reader.fingerprint,
      fingerprint: reader.fingerprint,
      name: 'reader',
      kind: 'client',
      groups: ['readers'],
      validFromMs: 0,
      validToMs: 9e15,
    },
  ],
  groups: [
    { name: 'readers', permissions: [{ entity_type: 'topic', url: '/1.0/topics/orders', entitlement: 'can_read' }] },
  ],
}

/** Tells who asks and what that one may do, in the names of groups. */
const whoami = handlerOf(listGroups, (_, { session }) => {
  const may = (name: string, entitlement: 'can_read' | 'can_edit') => session.may(entitlement, { type: 'topic', name })
  const rights = [may('orders', 'can_read'), may('orders', 'can_edit'), may('other', 'can_read')]
  return { groups: [{ groupId: session.principal, protocolType: rights.join() }] }
})

function start(security: ListenerSecurity): Promise<TestServer> {
  const handlers = [whoami, handlerOf(metadata, () => ({ brokers: [], clusterId: 'x', controllerId: 1, topics: [] }))]
  const limits = { loginTimeoutMs: 1200, loginFailureDelayMs: 50, lingerMs: 200 }
  return startTestServer({ security, handlers, limits, snapshot })
}

async function askWho(spec: DirectSpec): Promise<string> {
  await using cluster = openCluster(spec, { clock: systemClock, log: silentLog, deadlineMs: 3000 })
  const { groups } = await cluster.request({ to: 'any' }, listGroups, {})
  return `${groups[0]?.groupId} ${groups[0]?.protocolType}`
}

function loginOf(mechanism: SaslSpec['mechanism'], password = 'secret of alice', username = 'alice'): SaslSpec {
  return { mechanism, username, password }
}

test('our client logs in with each mechanism, and not with a wrong password or name', async () => {
  await using server = await start(sasl)
  for (const mechanism of saslMechanisms) {
    assert.equal(await askWho(server.spec({ sasl: loginOf(mechanism) })), 'User:alice true,true,true')
    for (const wrong of [loginOf(mechanism, 'wrong'), loginOf(mechanism, 'secret of alice', 'bob')]) {
      await using dialler = createDialler(server.spec())
      const options = { clientId: 'test', clock: systemClock, log: silentLog, sasl: wrong }
      const opening = openConnection(dialler, { kind: 'bootstrap' }, options)
      await assert.rejects(opening, (error: Error) => {
        return /refused the .* login of user "(alice|bob)".*check user name and password/.test(error.message)
      })
    }
  }
})

test('before the login nothing else is taken, on any version', async () => {
  await using server = await start(sasl)
  {
    using client = await server.client()
    const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
    assert.equal((await client.ask(apiVersions, 4, software))?.errorCode, 0)
    client.send(listGroups, 3, {})
    assert.equal(await client.next(), undefined)
  }
  {
    using client = await server.client()
    // A request right behind the login waits for its outcome.
    client.send(saslHandshake, 1, { mechanism: 'PLAIN' })
    client.send(saslAuthenticate, 2, { authBytes: Buffer.from('\0alice\0secret of alice') })
    client.send(listGroups, 3, {})
    for (let index = 0; index < 3; index += 1) assert.equal((await client.next())?.readInt32BE(0), index + 1)
  }
  using client = await server.client()
  client.socket.write(Buffer.from('00100000', 'hex'))
  assert.equal(await client.next(), undefined, 'a large frame before the login')
})

test('a failed login is told late, and is the end of the connection', async () => {
  await using server = await start(sasl)
  for (const version of [0, 1, 2]) {
    using client = await server.client()
    assert.equal((await client.ask(saslHandshake, 1, { mechanism: 'PLAIN' }))?.errorCode, 0)
    const startedMs = performance.now()
    client.send(saslAuthenticate, version, { authBytes: Buffer.from('\0alice\0wrong') })
    client.send(listGroups, 3, {})
    const answered = await client.ask(saslAuthenticate, version, { authBytes: Buffer.from('\0alice\0secret of alice') })
    assert.ok(performance.now() - startedMs >= 45)
    assert.deepEqual([answered?.errorCode, answered?.sessionLifetimeMs], [58, 0])
    assert.equal(answered?.errorMessage, 'Authentication failed: Invalid username or password')
    await client.closed
    assert.equal(client.frames.length, 0)
  }
  using client = await server.client()
  const answered = await client.ask(saslHandshake, 1, { mechanism: 'GSSAPI' })
  assert.deepEqual(answered, { errorCode: 33, mechanisms: [...saslMechanisms] })
  await client.closed
})

test('where nobody logs in, the client is told so', async () => {
  await using server = await start({ protocol: 'PLAINTEXT', mechanisms: [], users: [] })
  using client = await server.client()
  assert.equal((await client.ask(saslHandshake, 1, { mechanism: 'PLAIN' }))?.errorCode, 34)
  assert.equal((await client.ask(saslAuthenticate, 2, { authBytes: Buffer.alloc(1) }))?.errorCode, 34)
  assert.equal(await askWho(server.spec()), 'User:ANONYMOUS true,true,true')
})

test('whoever does not log in is cut off after a while, whoever has is not', async () => {
  await using server = await start(sasl)
  using idle = await server.client()
  using busy = await server.client()
  await busy.ask(saslHandshake, 1, { mechanism: 'PLAIN' })
  await busy.ask(saslAuthenticate, 2, { authBytes: Buffer.from('\0alice\0secret of alice') })
  await idle.closed
  assert.ok(await busy.ask(listGroups, 3, {}))
})

test('a known certificate is a principal with its permissions, until it is revoked', async () => {
  await using server = await start({ protocol: 'SSL', mechanisms: [], users: [], tls })
  const trusting = { ca: own.certificatePem, verifyHost: true }
  const { certificatePem, privateKeyPem } = reader
  const spec = server.spec({ tls: { ...trusting, certificatePem, privateKeyPem } })
  assert.equal(await askWho(spec), 'User:reader true,false,false')

  await using cluster = openCluster(spec, { clock: systemClock, log: silentLog, deadlineMs: 3000 })
  await using dialler = createDialler(spec)
  const options = { clientId: 'test', clock: systemClock, log: silentLog }
  await using open = await openConnection(dialler, { kind: 'bootstrap' }, options)
  const [group] = snapshot.groups
  server.server.updateAccess({ ...snapshot, groups: [{ ...group!, permissions: [] }] })
  const { groups } = await open.request(listGroups, {})
  assert.equal(groups[0]?.protocolType, 'false,false,false')

  const startedMs = performance.now()
  server.server.updateAccess(emptySnapshot)
  await open.closed
  assert.ok(performance.now() - startedMs < 1000)
  await assert.rejects(cluster.request({ to: 'any' }, listGroups, {}, { deadlineMs: 500 }))
})

test('strangers are turned away after the handshake; with SASL they can log in', async () => {
  const trusting = { ca: own.certificatePem, verifyHost: true }
  const { certificatePem, privateKeyPem } = stranger
  const shown = { ...trusting, certificatePem, privateKeyPem }
  {
    await using server = await start({ protocol: 'SSL', mechanisms: [], users: [], tls })
    for (const one of [trusting, shown]) {
      await using dialler = createDialler(server.spec({ tls: one }))
      const options = { clientId: 'test', clock: systemClock, log: silentLog }
      await assert.rejects(openConnection(dialler, { kind: 'bootstrap' }, options), { code: 'unreachable' })
    }
    using plain = await server.client()
    plain.send(apiVersions, 0, {})
    assert.equal(await plain.next(), undefined)
  }
  await using server = await start({ ...sasl, protocol: 'SASL_SSL', tls })
  assert.equal(await askWho(server.spec({ tls: shown, sasl: loginOf('PLAIN') })), 'User:alice true,true,true')
  assert.equal(
    await askWho(server.spec({ tls: trusting, sasl: loginOf('SCRAM-SHA-512') })),
    'User:alice true,true,true',
  )
  const known = { ...trusting, certificatePem: reader.certificatePem, privateKeyPem: reader.privateKeyPem }
  assert.equal(await askWho(server.spec({ tls: known })), 'User:reader true,false,false')
  await using dialler = createDialler(server.spec({ tls: known }))
  const options = { clientId: 'test', clock: systemClock, log: silentLog }
  await using open = await openConnection(dialler, { kind: 'bootstrap' }, options)
  server.server.updateAccess(emptySnapshot)
  await open.closed
})

test('TLS 1.2 is spoken for older clients, and nothing below', async () => {
  await using server = await start({ ...sasl, protocol: 'SASL_SSL', tls })
  const dial = (version: 'TLSv1.2' | 'TLSv1.1') => {
    const { host, port } = server.address
    const ca = own.certificatePem
    return connectTls({ host, port, ca, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' })
  }
  const socket = dial('TLSv1.2')
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  using client = new RawClient(socket)
  assert.ok(await client.ask(apiVersions, 0, {}))
  const old = dial('TLSv1.1')
  await assert.rejects(new Promise((resolve, reject) => old.once('secureConnect', resolve).once('error', reject)))
})
