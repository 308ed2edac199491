import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLinkspanError } from '../base/errors.ts'
import { createClient } from './client.ts'
import { errorOf, type HttpAnswer, type HttpCall, type HttpRequest } from './http.ts'

const envelope = (metadata: unknown) => JSON.stringify({ type: 'sync', metadata })
const answer = (parts: Partial<HttpAnswer>): HttpAnswer => ({ status: 200, headers: {}, body: '', ...parts })

/** Answers in turn with what it is given, and keeps what it was asked. */
function recorder(...answers: Partial<HttpAnswer>[]): { http: HttpCall; asked: HttpRequest[] } {
  const asked: HttpRequest[] = []
  const http: HttpCall = async (request) => {
    asked.push(request)
    return answer(answers[Math.min(asked.length, answers.length) - 1] ?? {})
  }
  return { http, asked }
}

test('an object comes with its tag, which goes along with the change', async () => {
  const { http, asked } = recorder(
    { body: envelope({ name: 'a/b' }), headers: { etag: '"1"' } },
    { body: envelope({}) },
  )
  const client = createClient(http)
  const { value, etag } = await client.groups.get('a/b')
  assert.equal(value.name, 'a/b')
  await client.groups.replace('a/b', { description: 'new' }, etag)
  assert.deepEqual(asked, [
    { method: 'GET', path: '/1.0/auth/groups/a%2Fb', headers: { accept: 'application/json' } },
    {
      method: 'PUT',
      path: '/1.0/auth/groups/a%2Fb',
      headers: { accept: 'application/json', 'if-match': '"1"', 'content-type': 'application/json' },
      body: '{"description":"new"}',
    },
  ])
})

test('lists ask for objects, and an empty one may come as null', async () => {
  const { http, asked } = recorder({ body: envelope(null) })
  assert.deepEqual(await createClient(http).permissions.listWithGroups('topic'), [])
  assert.equal(asked[0]?.path, '/1.0/auth/permissions?entity-type=topic&recursion=1')
})

test('the Kafka cluster is asked for once, and again after it could not be told', async () => {
  const clusters = JSON.stringify({ data: [{ cluster_id: 'K-1' }] })
  const data = JSON.stringify({ data: [] })
  const { http, asked } = recorder({ status: 503 }, { body: clusters }, { body: data }, { body: data })
  const { kafka } = createClient(http)
  await assert.rejects(kafka.topics.list(), { code: 'closed' })
  await kafka.topics.list()
  await kafka.mirrors.promote('east/west', ['orders'], { validateOnly: true })
  assert.deepEqual(
    asked.map(({ method, path }) => `${method} ${path}`),
    [
      'GET /kafka/v3/clusters',
      'GET /kafka/v3/clusters',
      'GET /kafka/v3/clusters/K-1/topics',
      'POST /kafka/v3/clusters/K-1/links/east%2Fwest/mirrors:promote?validate_only=true',
    ],
  )
})

test('an answer without body is no error', async () => {
  const { http } = recorder({ status: 204 })
  await createClient(http, { kafkaClusterId: 'K' }).kafka.configs.set('l', 'acl.sync.ms', '5000')
})

test('errors keep the text, and the code if it is told', () => {
  const lxd = (error_code: number, error: string) => JSON.stringify({ type: 'error', error_code, error })
  const cases: [Partial<HttpAnswer>, string, string | RegExp][] = [
    [{ status: 404, body: lxd(404, 'Not Found') }, 'not-found', 'Not Found'],
    [{ status: 403, body: lxd(403, 'no') }, 'not-permitted', 'no'],
    [{ status: 403, body: lxd(403, 'no'), headers: { 'linkspan-error': 'token-expired' } }, 'token-expired', 'no'],
    [{ status: 403, body: lxd(403, 'no'), headers: { 'linkspan-error': 'toString' } }, 'not-permitted', 'no'],
    [{ status: 409, body: lxd(409, 'there') }, 'already-exists', 'there'],
    [{ status: 412, body: lxd(412, 'tag') }, 'precondition-failed', 'tag'],
    [{ status: 200, body: lxd(500, 'still running') }, 'internal', 'still running'],
    [{ status: 404, body: '{"error_code":40403,"message":"no topic"}' }, 'not-found', 'no topic'],
    [{ status: 418, body: '' }, 'invalid-request', /HTTP 418/],
    [{ status: 502, body: '<html>' }, 'unreachable', /HTTP 502/],
  ]
  for (const [parts, code, text] of cases) {
    const error = errorOf(answer(parts))
    assert.ok(isLinkspanError(error) && error.code === code, `${JSON.stringify(parts)}: ${error?.code}`)
    if (typeof text === 'string') assert.equal(error.message, text)
    else assert.match(error.message, text)
  }
  assert.equal(errorOf(answer({ body: envelope({}) })), undefined)
})

test('a page that is no API is told from one', async () => {
  const { http } = recorder({ body: '<html>hello</html>' })
  await assert.rejects(createClient(http).server.get(), { code: 'malformed' })
})
