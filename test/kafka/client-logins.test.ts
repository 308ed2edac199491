import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAcls, deleteAcls, describeAcls } from '../../src/kafka/admin/acls.ts'
import { authorizerFacts } from '../../src/kafka/admin/authorizer.ts'
import { logEnd } from '../../src/kafka/admin/offsets.ts'
import { produceBatch } from '../../src/kafka/admin/produce.ts'
import { createTopics } from '../../src/kafka/admin/topics.ts'
import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { waitFor } from '../support/process.ts'
import { type Kafka, type KafkaOptions, startKafka } from './broker.ts'
import { kafkaAvailable } from './jars.ts'
import { batchOf, makeTopic, ownClient } from './own-client.ts'
import type { Properties } from './properties.ts'

const available = await kafkaAvailable()

const orders = { topic: 'orders', partition: 0 }

const listeners: [name: string, options: KafkaOptions][] = [
  ['TLS on 3.9', { version: '3.9', tls: true }],
  ['SASL PLAIN on 3.9', { version: '3.9', sasl: 'PLAIN' }],
  [
    'SCRAM-SHA-256 over TLS, with an authorizer, on 3.9',
    { version: '3.9', tls: true, sasl: 'SCRAM-SHA-256', authorizer: true },
  ],
  ['SCRAM-SHA-512 on 4', { version: '4', sasl: 'SCRAM-SHA-512' }],
  [
    'PLAIN over TLS, with an authorizer and short logins, on 4',
    { version: '4', tls: true, sasl: 'PLAIN', authorizer: true, config: { 'connections.max.reauth.ms': '1500' } },
  ],
]

describe('logging in', available, () => {
  for (const [name, options] of listeners) {
    test(name, async () => {
      await using kafka = await startKafka(options)
      await using cluster = await ownClient(kafka.config())
      assert.equal(await cluster.clusterId(), kafka.clusterId)
      await makeTopic(cluster, 'orders')
      await produceBatch(cluster, orders, batchOf('x'))
      assert.equal(unwrap((await logEnd(cluster, [orders]))[0]).offset, 1)
      if (options.sasl) await checkWrongPassword(kafka.config())
      if (options.authorizer) await checkRights(cluster, kafka)
      if (options.config) await checkRenewal(cluster)
      if (options.tls) await checkUntrusted(kafka.config())
    })
  }
})

async function checkWrongPassword(config: Properties): Promise<void> {
  const jaas = config['sasl.jaas.config']!.replace('admin-secret', 'wr0ng')
  await using cluster = await ownClient({ ...config, 'sasl.jaas.config': jaas })
  await assert.rejects(cluster.clusterId(), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'kafka-not-permitted')
    assert.match(error.message, /"admin"/)
    assert.doesNotMatch(error.message, /wr0ng/)
    return true
  })
}

async function checkUntrusted(config: Properties): Promise<void> {
  const { 'ssl.truststore.certificates': _, ...others } = config
  await using cluster = await ownClient(others)
  await assert.rejects(cluster.clusterId({ deadlineMs: 1000 }), { code: 'unreachable' })
}

async function checkRights(admin: KafkaCluster, kafka: Kafka): Promise<void> {
  const facts = await authorizerFacts(admin)
  assert.deepEqual([facts.present, facts.allowsWithoutAcl, facts.mayDescribeAcls], [true, false, true])
  assert.match(facts.className ?? '', /StandardAuthorizer/)
  await using alice = await ownClient(kafka.config('alice'))
  const hidden = (await logEnd(alice, [orders]))[0]?.error
  assert.equal(hidden?.code, 'kafka-not-permitted')
  assert.match(hidden?.message ?? '', /read the log end of partition orders-0/)
  const binding = {
    resourceType: 'TOPIC',
    resourceName: 'orders',
    patternType: 'LITERAL',
    principal: 'User:alice',
    host: '*',
    operation: 'READ',
    permission: 'ALLOW',
  } as const
  const created = await createAcls(admin, [binding, { ...binding, operation: 'DESCRIBE' }, binding])
  assert.equal(created.authorizer && created.outcomes.every(({ value }) => value), true)
  await waitFor(async () => (await logEnd(alice, [orders]))[0]?.value?.offset === 1)
  await assert.rejects(produceBatch(alice, orders, batchOf('y')), {
    code: 'kafka-not-permitted',
    message: /write to .*orders-0/,
  })
  const [refused] = await createTopics(alice, [{ name: 'mine', partitions: 1 }])
  assert.equal(refused?.error?.code, 'kafka-not-permitted')
  assert.equal((await authorizerFacts(alice)).mayDescribeAcls, false)
  await assert.rejects(describeAcls(alice), { code: 'kafka-not-permitted' })
  const listed = await describeAcls(admin, { principal: 'User:alice' })
  assert.equal(listed.authorizer && listed.bindings.length, 2)
  const deleted = await deleteAcls(admin, [binding, { resourceType: 'GROUP' }])
  assert.deepEqual(deleted.authorizer && deleted.outcomes.map(({ value }) => value?.length), [1, 0])
}

/** The broker ends connections whose login is older; ours go on because they renew it. */
async function checkRenewal(cluster: KafkaCluster): Promise<void> {
  const connection = await cluster.connection({ to: 'leader', ...orders })
  const endMs = performance.now() + 5000
  while (performance.now() < endMs) {
    assert.equal(unwrap((await logEnd(cluster, [orders]))[0]).offset, 1)
    await sleep(20)
  }
  assert.equal(connection.failure, undefined)
}
