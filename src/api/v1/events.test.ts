import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { startTestApi, type TestApi } from '../../../test/support/api-server.ts'
import { encodeToken } from '../../identity/trust-token.ts'
import type { Caller } from '../../transport/caller.ts'

async function join(server: TestApi, name: string): Promise<Caller> {
  const caller = await server.stranger()
  const path = '/1.0/auth/identities/tls'
  const minted = await server.call({ method: 'POST', path, body: { name, token: true } })
  const trust_token = encodeToken(minted.metadata)
  await server.call({ as: caller, method: 'POST', path, body: { trust_token } })
  return caller
}

async function open(server: TestApi, as: Caller | 'admin', query = '', headers = {}): Promise<WebSocket> {
  const connection = await server.dial(as)
  const socket = new WebSocket(`ws://linkspan.test/1.0/events${query}`, { createConnection: () => connection, headers })
  await once(socket, 'open')
  return socket
}

async function refusal(server: TestApi, as: Caller | 'admin', query = '', headers = {}): Promise<number> {
  const connection = await server.dial(as)
  const socket = new WebSocket(`ws://linkspan.test/1.0/events${query}`, { createConnection: () => connection, headers })
  const [, response] = await once(socket, 'unexpected-response')
  socket.once('error', () => {})
  socket.terminate()
  return response.statusCode
}

const actionOf = (data: unknown) => JSON.parse(String(data)).metadata.action

test('the administrator sees what happens, in frames of text', async (t) => {
  const server = await startTestApi(t)
  const socket = await open(server, 'admin', '?type=lifecycle')
  const first = once(socket, 'message')
  await server.call({ method: 'POST', path: '/1.0/auth/groups', body: { name: 'g' } })
  const [data, isBinary] = await first
  assert.equal(isBinary, false)
  const event = JSON.parse(String(data))
  assert.deepEqual(
    { ...event, timestamp: '' },
    {
      type: 'lifecycle',
      timestamp: '',
      location: 'none',
      metadata: {
        action: 'auth-group-created',
        source: '/1.0/auth/groups/g',
        requestor: { username: 'root', protocol: 'unix', address: '@' },
      },
    },
  )
  socket.close()
  await once(socket, 'close')
})

test('whoever has no rights sees only what he does himself, and loses the socket with his identity', async (t) => {
  const server = await startTestApi(t)
  const me = await join(server, 'me')
  const next = await server.stranger()
  const socket = await open(server, me)
  const first = once(socket, 'message')
  await server.call({ method: 'POST', path: '/1.0/auth/groups', body: { name: 'hidden' } })
  server.rooms.bus.lifecycle({
    action: 'own',
    source: '/1.0',
    requestor: { username: me.fingerprint!, protocol: 'tls', address: me.address },
  })
  assert.equal(actionOf((await first)[0]), 'own')
  const closed = once(socket, 'close')
  await server.call({ method: 'DELETE', path: '/1.0/auth/identities/tls/me' })
  await closed
  assert.ok(next)
})

test('what cannot be watched is refused before the upgrade', async (t) => {
  const server = await startTestApi(t)
  const me = await join(server, 'me')
  assert.equal(await refusal(server, 'admin', '?type=gossip'), 400)
  assert.equal(await refusal(server, me, '?type=security'), 403)
  assert.equal(await refusal(server, me, '?type=lifecycle,logging'), 403)
  assert.equal(await refusal(server, await server.stranger()), 403)
  assert.equal(await refusal(server, me, '', { origin: 'https://evil.test' }), 403)
  const plain = await server.call({ path: '/1.0/events' })
  assert.equal(plain.status, 400)
  assert.match(plain.headers['content-type']!, /^text\/plain/)
})

test('watchers are let go when the daemon stops', async (t) => {
  const server = await startTestApi(t)
  const socket = await open(server, 'admin')
  const closed = once(socket, 'close')
  await server.rooms.bus[Symbol.asyncDispose]()
  await closed
})
