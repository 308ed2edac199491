import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { createCertificate } from '../identity/certificate.ts'
import { defaultBrokerSettings, parseBrokerConfig, readBrokerConfig } from './broker-config-file.ts'
import { brokerDefaults } from './config.ts'
import { checkExposure } from './server/exposure.ts'

const noPem = () => Promise.reject(new Error('no file is named'))
const request = { commonName: 'broker', hostNames: ['localhost'], addresses: [], clock: systemClock }
const [pair, other] = await Promise.all([createCertificate(request), createCertificate(request)])

function inLine(pem: string): string {
  return pem.trim().replaceAll('\n', '\\\n  ')
}

function pairOf(certificatePem: string, privateKeyPem: string): string {
  return `ssl.keystore.certificate.chain=${inLine(certificatePem)}\nssl.keystore.key=${inLine(privateKeyPem)}`
}

test('nothing set: Apache’s defaults on plain TCP', async () => {
  assert.deepEqual(await parseBrokerConfig('# nothing\n', noPem), defaultBrokerSettings)
})

test('Apache’s words and units', async () => {
  const text = `
node.id=7
num.partitions=3
auto.create.topics.enable=False
socket.request.max.bytes=1048576
fetch.max.bytes=2048
producer.id.expiration.ms=1000
group.initial.rebalance.delay.ms=3000
group.min.session.timeout.ms=10
group.max.session.timeout.ms=20
offset.metadata.max.bytes=0
offsets.retention.minutes=2
log.retention.check.interval.ms=5
max.connections=9
connections.max.idle.ms=60000
log.retention.ms=-1
log.retention.bytes=1000
log.segment.bytes=2000
message.max.bytes=3000
`
  const { config, topicDefaults } = await parseBrokerConfig(text, noPem)
  assert.deepEqual(config, {
    ...brokerDefaults,
    nodeId: 7,
    numPartitions: 3,
    autoCreateTopics: false,
    requestBytesMax: 1_048_576,
    fetchBytesMax: 2048,
    producerExpirationMs: 1000,
    groupInitialRebalanceDelayMs: 3000,
    groupSessionTimeoutMinMs: 10,
    groupSessionTimeoutMaxMs: 20,
    offsetMetadataBytesMax: 0,
    offsetsRetentionMs: 120_000,
    retentionCheckIntervalMs: 5,
    connectionsMax: 9,
    connectionIdleMs: 60_000,
  })
  assert.deepEqual(topicDefaults, {
    'retention.ms': '-1',
    'retention.bytes': '1000',
    'segment.bytes': '2000',
    'max.message.bytes': '3000',
  })
})

test('users, mechanisms and certificates', async () => {
  const login = 'security.protocol=sasl_ssl\nuser.alice=a b=c\nuser.bob.of.sales=\\u00e4\n'
  assert.deepEqual((await parseBrokerConfig(login, noPem)).security, {
    protocol: 'SASL_SSL',
    mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'],
    users: [
      { name: 'alice', password: 'a b=c' },
      { name: 'bob.of.sales', password: 'ä' },
    ],
  })
  const plain = await parseBrokerConfig('security.protocol=SASL_PLAINTEXT\nuser.a=b', noPem)
  assert.deepEqual(plain.security.mechanisms, ['SCRAM-SHA-256', 'SCRAM-SHA-512'])
  const asked = 'security.protocol=SASL_PLAINTEXT\nuser.a=b\nsasl.enabled.mechanisms=plain, SCRAM-SHA-512'
  assert.deepEqual((await parseBrokerConfig(asked, noPem)).security.mechanisms, ['PLAIN', 'SCRAM-SHA-512'])

  const inside = `security.protocol=SSL\n${pairOf(pair.certificatePem, pair.privateKeyPem)}`
  assert.deepEqual((await parseBrokerConfig(inside, noPem)).security.tls, pair)
  const beside = 'security.protocol=SSL\nssl.keystore.location=own.pem'
  const found = await parseBrokerConfig(beside, async (path) => {
    assert.equal(path, 'own.pem')
    return pair.privateKeyPem + pair.certificatePem
  })
  assert.deepEqual(found.security.tls, pair)
})

test('what cannot be names the key and the way out, never a secret', async () => {
  const secret = 'hunter2'
  const ssl = 'security.protocol=SSL\n'
  const cases: [string, RegExp][] = [
    [
      'listeners=PLAINTEXT://:9092',
      /"listeners" is not known.*there are security\.protocol.*num\.partitions.*user\.NAME/,
    ],
    [`user.=${secret}`, /"user\." is not known/],
    ['security.protocol=TLS', /"security\.protocol" has to be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL/],
    ['num.partitions=0', /"num\.partitions" has to be a whole number from 1 to 2000/],
    ['num.partitions=1.5', /whole number/],
    ['num.partitions=', /whole number/],
    ['auto.create.topics.enable=yes', /"auto\.create\.topics\.enable" has to be true or false/],
    [
      'group.min.session.timeout.ms=9\ngroup.max.session.timeout.ms=8',
      /"group\.min\.session\.timeout\.ms" is more than/,
    ],
    [`user.alice=${secret}`, /Users or mechanisms are given, but not used: set "security\.protocol" to SASL/],
    [`${ssl}user.alice=${secret}`, /not used: set "security\.protocol" to SASL_PLAINTEXT or SASL_SSL/],
    ['security.protocol=SASL_PLAINTEXT', /Nobody could log in: add lines user\.NAME=password/],
    ['security.protocol=SASL_SSL\nuser.alice=', /"user\.alice" has no password/],
    [`security.protocol=SASL_SSL\nuser.alice=${secret}\\u0000`, /control character/],
    [`security.protocol=SASL_SSL\nuser.a=${secret}\nsasl.enabled.mechanisms=GSSAPI,PLAIN`, /has to name some of PLAIN/],
    [`security.protocol=SASL_SSL\nuser.a=${secret}\nsasl.enabled.mechanisms=`, /has to name some of PLAIN/],
    [`${ssl}ssl.keystore.key=${inLine(pair.privateKeyPem)}`, /Set "ssl\.keystore\.key" and .* together/],
    [
      `${ssl}ssl.keystore.certificate.chain=x\nssl.keystore.key=${secret}`,
      /"ssl\.keystore\.certificate\.chain" holds no PEM/,
    ],
    [
      `${ssl}${pairOf(pair.certificatePem, other.privateKeyPem)}`,
      /"ssl\.keystore\.key" holds the key of another certificate/,
    ],
    [
      pairOf(pair.certificatePem, pair.privateKeyPem),
      /A certificate is given, but not used: set "security\.protocol" to SSL or SASL_SSL/,
    ],
    [
      `security.protocol=SASL_SSL\n${Array.from({ length: 257 }, (_, index) => `user.u${index}=${secret}`).join('\n')}`,
      /More than 256 users/,
    ],
  ]
  for (const [text, message] of cases) {
    await assert.rejects(parseBrokerConfig(text, noPem), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'invalid-config')
      assert.match(error.message, message)
      assert.ok(!error.message.includes(secret))
      return true
    })
  }
})

test('a file with secrets is for its owner; a file that is not there is named', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-broker-config-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'broker.properties')
  await writeFile(path, 'security.protocol=SASL_SSL\nuser.alice=hunter2\n')
  await chmod(path, 0o644)
  await assert.rejects(readBrokerConfig(path), {
    code: 'invalid-config',
    message: /every user of this host.*chmod 600/,
  })
  await chmod(path, 0o640)
  assert.equal((await readBrokerConfig(path)).security.users.length, 1)
  await writeFile(path, 'num.partitions=2\n')
  await chmod(path, 0o644)
  assert.equal((await readBrokerConfig(path)).config.numPartitions, 2)
  const missing = { code: 'invalid-config', message: /"--broker-config": the file .*none cannot be read \(ENOENT\)/ }
  await assert.rejects(readBrokerConfig(join(folder, 'none')), missing)
})

test('a plain port is for loopback alone', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) checkExposure({ host, port: 1 }, 'PLAINTEXT')
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'localhost.example', '128.0.0.1']) {
    const refused = { code: 'invalid-config', message: /security\.protocol.*--broker-config/ }
    assert.throws(() => checkExposure({ host, port: 1 }, 'PLAINTEXT'), refused)
    for (const protocol of ['SSL', 'SASL_SSL', 'SASL_PLAINTEXT'] as const) checkExposure({ host, port: 1 }, protocol)
  }
})
