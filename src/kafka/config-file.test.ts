import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { makeCertificates } from '../../test/kafka/certificates.ts'
import { parseClientConfig } from './config-file.ts'
import { parseJaas } from './jaas.ts'
import { parseProperties } from './properties.ts'

const noFiles = async (path: string) => assert.fail(`read ${path}`)
const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule'
const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule'

test('properties are read as Java reads them', () => {
  const text = '# c\n! c\n\na=1\nb : 2\nc 3\nd\\ e=f\\u0041\\n\\\n   more\r\n  empty\nlast=x\\\\\n\\:k=v=w'
  assert.deepEqual(
    [...parseProperties(text)],
    Object.entries({ a: '1', b: '2', c: '3', 'd e': 'fA\nmore', empty: '', last: 'x\\', ':k': 'v=w' }),
  )
  assert.throws(() => parseProperties('a=\\u00zz'), { code: 'invalid-config' })
})

test('a JAAS login is read with any quotes, and never shown', () => {
  const { module, options } = parseJaas(`${plain} required user_x=y username='a b' password="p\\"=;\\\\" ;`)
  assert.equal(module, plain)
  assert.deepEqual(
    [...options],
    [
      ['user_x', 'y'],
      ['username', 'a b'],
      ['password', 'p"=;\\'],
    ],
  )
  for (const bad of [
    '',
    plain,
    `${plain} required password="s3cret"`,
    `${plain} required password="s3cret`,
    `${plain} required password s3cret;`,
    `${plain} required a=b; ${plain} required password="s3cret";`,
  ]) {
    assert.throws(
      () => parseJaas(bad),
      (error: Error) => {
        assert.equal((error as { code?: string }).code, 'invalid-config')
        assert.doesNotMatch(error.message, /s3cret/)
        return true
      },
    )
  }
})

test('SASL_SSL with SCRAM, and keys that do not concern us', async () => {
  const { authority } = await makeCertificates()
  const text = [
    'security.protocol=SASL_SSL',
    'sasl.mechanism=SCRAM-SHA-512',
    `sasl.jaas.config=${scram} required username="u" password="p";`,
    'ssl.truststore.type=PEM',
    `ssl.truststore.certificates=${authority.replaceAll('\n', ' ')}`,
    'ssl.endpoint.identification.algorithm=',
    'ssl.enabled.protocols=TLSv1.3',
    'max.poll.records=5',
  ].join('\n')
  const { spec, ignored } = await parseClientConfig(text, { bootstrap: 'a:1, [::1]:2,c' }, noFiles)
  assert.deepEqual(spec.bootstrap, [
    { host: 'a', port: 1 },
    { host: '::1', port: 2 },
    { host: 'c', port: 9092 },
  ])
  assert.deepEqual(spec.sasl, { mechanism: 'SCRAM-SHA-512', username: 'u', password: 'p' })
  assert.equal(spec.tls?.verifyHost, false)
  assert.equal(spec.tls?.ca?.trim(), authority.trim())
  assert.deepEqual(ignored, ['ssl.enabled.protocols', 'max.poll.records'])
})

test('a key store in PEM files, its key encrypted', async () => {
  const { authority } = await makeCertificates()
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' },
  })
  const files: Record<string, string> = { 'ca.pem': authority, 'me.pem': `${privateKey}${authority}` }
  const text = [
    'bootstrap.servers=SSL://k:9093',
    'client.id=me',
    'security.protocol=ssl',
    'ssl.truststore.location=ca.pem',
    'ssl.keystore.location=me.pem',
    'ssl.key.password=open',
  ].join('\n')
  const read = async (path: string) => files[path]!
  const { spec } = await parseClientConfig(text, {}, read)
  assert.equal(spec.clientId, 'me')
  assert.equal(spec.tls?.verifyHost, true)
  assert.match(spec.tls?.privateKeyPem ?? '', /^-----BEGIN ENCRYPTED PRIVATE KEY/)
  assert.match(spec.tls?.certificatePem ?? '', /^-----BEGIN CERTIFICATE/)
  await assert.rejects(parseClientConfig(text.replace('password=open', 'password=shut'), {}, read), (error: Error) => {
    assert.match(error.message, /"ssl.keystore.location".*ssl.key.password/)
    assert.doesNotMatch(error.message, /shut/)
    return true
  })
})

test('what is not supported names the key and the way out', async (t) => {
  const cases: [text: string, message: RegExp][] = [
    ['', /No Kafka servers/],
    ['bootstrap.servers=a:b', /bootstrap.servers/],
    ['bootstrap.servers=a\nsecurity.protocol=TLS', /"security.protocol".*SASL_SSL/],
    ['bootstrap.servers=a\nsecurity.protocol=SASL_PLAINTEXT', /"sasl.mechanism".*SCRAM-SHA-512/],
    ['bootstrap.servers=a\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN', /"sasl.jaas.config" is missing/],
    [
      `bootstrap.servers=a\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=${scram} required a=b;`,
      /PlainLoginModule/,
    ],
    [
      `bootstrap.servers=a\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=${plain} required a=b;`,
      /lacks username/,
    ],
    ['bootstrap.servers=a\nsecurity.protocol=SSL\nssl.truststore.type=JKS\nssl.truststore.location=x', /JKS.*PEM/],
    ['bootstrap.servers=a\nsecurity.protocol=SSL\nssl.truststore.location=x.jks', /holds no PEM certificate/],
    ['bootstrap.servers=a\nsecurity.protocol=SSL\nssl.keystore.certificate.chain=x', /together/],
    ['bootstrap.servers=a\nssl.cipher.suites=X', /"ssl.cipher.suites" is not supported/],
    ['bootstrap.servers=a\nsecurity.protocol=SSL\nssl.endpoint.identification.algorithm=ldap', /https, or empty/],
  ]
  for (const [text, message] of cases) {
    await t.test(String(message), async () => {
      await assert.rejects(
        parseClientConfig(text, {}, async () => 'binary'),
        { code: 'invalid-config', message },
      )
    })
  }
})
