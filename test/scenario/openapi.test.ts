import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { systemClock } from '../../src/base/clock.ts'
import { createCertificate } from '../../src/identity/certificate.ts'
import { type Daemon, embeddedBroker, startDaemon } from '../support/daemon.ts'
import {
  assertDescribed,
  type DescribedOperation,
  type OpenApi,
  operationsOf,
  smallestBody,
} from '../support/described.ts'
import { callV1 } from '../support/link-calls.ts'
import { waitFor } from '../support/process.ts'

let daemon: Daemon
let description: OpenApi

before(async () => {
  daemon = await startDaemon({ name: 'site', kafka: embeddedBroker })
  const { body } = await daemon.http({ method: 'GET', path: '/openapi.json', headers: {} })
  description = JSON.parse(body) as OpenApi
})

after(() => daemon?.[Symbol.asyncDispose]())

test('the description is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate({ ...description })
  assert.ok(valid, JSON.stringify(errors, null, 2))
  assert.equal(description.openapi, '3.1.0')
})

test('every operation says who may call it, what it is called, and what it answers', () => {
  const operations = operationsOf(description)
  const ids = operations.map(({ operationId }) => operationId)
  assert.equal(new Set(ids).size, ids.length, 'two operations have one name')
  for (const operation of operations) {
    const { method, path, summary, parameters = [], responses } = operation
    const where = `${method} ${path}`
    const access = operation['x-linkspan-access']
    assert.ok(summary, where)
    assert.match(access?.kind ?? '', /^(open|authenticated|entitlement)$/, where)
    if (access?.kind === 'entitlement') assert.ok(access.entitlement && access.entity_type, where)
    const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
    assert.deepEqual(inPath.sort(), [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort(), where)
    if (path.startsWith('/kafka')) continue
    assert.ok(responses.default, `${where} describes no error`)
    const success = Object.entries(responses).filter(([status]) => status !== 'default')
    for (const [status, response] of success) {
      if (method !== 'GET' || status === '101') continue
      const type = Object.keys(response.content ?? {})
      assert.deepEqual(type.length, 1, `${where} does not describe what it answers`)
    }
  }
})

/** Something for each kind of name, so that what is described can also be had. */
async function makeSamples(): Promise<Record<string, string>> {
  const { client } = daemon
  await client.groups.create({ name: 'sample' })
  await client.identities.createToken('sample')
  await callV1(daemon, 'POST', '/1.0/cluster/links', { name: 'link', type: 'bidirectional' })
  const request = { commonName: 'sample certificate', hostNames: [], addresses: [], clock: systemClock }
  const { certificatePem: certificate } = await createCertificate(request)
  const trusted = await callV1(daemon, 'POST', '/1.0/certificates', { certificate })
  const token = await callV1(daemon, 'POST', '/1.0/certificates', { name: 'foo', token: true })
  const last = (location: string | undefined) => location!.split('/').at(-1)!
  const clusterId = await waitFor(async () => (await daemon.readReady()).kafkaClusterId, { what: 'the Kafka cluster' })
  const cluster = `/kafka/v3/clusters/{cluster}`
  const topic = { method: 'POST', path: `/kafka/v3/clusters/${clusterId}/topics`, body: '{"topic_name":"sample"}' }
  assert.equal((await daemon.http({ ...topic, headers: { 'content-type': 'application/json' } })).status, 201)
  return {
    '/1.0/auth/groups/{name}': 'sample',
    '/1.0/auth/identities/tls/{nameOrId}': 'sample',
    '/1.0/certificates/{fingerprint}': last(trusted.location).slice(0, 12),
    '/1.0/cluster/links/{name}': 'link',
    '/1.0/cluster/members/{name}': 'site',
    '/1.0/instances/{name}': 'site',
    '/1.0/operations/{id}': last(token.location),
    [cluster]: clusterId,
    [`${cluster}/links/{link}`]: 'link',
    [`${cluster}/links/{link}/configs/{config}`]: 'cluster.link.paused',
    [`${cluster}/topics/{topic}`]: 'sample',
    [`${cluster}/topics/{topic}/configs/{config}`]: 'retention.ms',
    [`${cluster}/topics/{topic}/partitions/{partition}`]: '0',
  }
}

function fillPath(path: string, samples: Record<string, string>): string {
  return path.replaceAll(/\{\w+\}/g, (part, offset: number) => {
    return encodeURIComponent(samples[path.slice(0, offset) + part] ?? 'sample')
  })
}

async function call(operation: DescribedOperation, samples: Record<string, string>, body: unknown): Promise<number> {
  const query = operation.path.endsWith('/wait') ? '?timeout=0' : ''
  const answer = await daemon.http({
    method: operation.method,
    path: `${fillPath(operation.path, samples)}${query}`,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const { status, headers, body: text } = answer
  assert.notEqual(status, 500, `${operation.method} ${operation.path}: ${text}`)
  assertDescribed(operation, { status, contentType: headers['content-type'] ?? '', text })
  return status
}

const ofBackups = ['/1.0/instances/{name}', '/1.0/cluster/links/{name}'].flatMap((of) => {
  return ['', '/export', '/verify'].map((what) => `${of}/backups/{backup}${what}`)
})

/** What cannot be had here, and why. */
const withoutSuccess: Record<string, string> = {
  ...Object.fromEntries(ofBackups.map((path) => [path, 'there is no backup'])),
  '/1.0/auth/explain': 'needs a question',
  '/1.0/auth/identities/current': 'the local administrator has no identity',
  '/1.0/cluster/links/{name}/state': 'the link is pending',
  '/1.0/events': 'is a WebSocket',
  '/1.0/warnings/{uuid}': 'nothing is wrong',
  '/kafka/v3/clusters/{cluster}/links/{link}/mirrors/{topic}': 'nothing is mirrored',
}

test('calls that are made from the description alone answer as it says', async () => {
  const samples = await makeSamples()
  const order = ['GET', 'PATCH', 'PUT', 'POST', 'DELETE']
  const operations = operationsOf(description).toSorted((one, other) => {
    return order.indexOf(one.method) - order.indexOf(other.method)
  })
  for (const operation of operations) {
    const status = await call(operation, samples, smallestBody(operation))
    if (operation.method !== 'GET') continue
    const expected = operation.path in withoutSuccess ? status >= 400 : status === 200
    assert.ok(expected, `${operation.path} → ${status}`)
  }
  for (const operation of operations) if (smallestBody(operation) !== undefined) await call(operation, samples, {})
})
