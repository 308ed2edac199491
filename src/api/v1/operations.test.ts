import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApi, type TestApi } from '../../../test/support/api-server.ts'

const root = { username: 'root', protocol: 'unix', address: '@' }

function run(server: TestApi, gate: Promise<void>, mayCancel = false) {
  const request = { class: 'task', description: 'Test', requestor: root, mayCancel } as const
  return server.rooms.operations.run(request, async (_, signal) => {
    const stopped = new Promise<void>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    await Promise.race([gate, stopped])
    return { done: true }
  })
}

test('an operation is listed by its status, waited for, and shown with its end', async (t) => {
  const server = await startTestApi(t)
  const gate = Promise.withResolvers<void>()
  const { id } = run(server, gate.promise)
  assert.deepEqual((await server.call({ path: '/1.0/operations' })).metadata, { running: [`/1.0/operations/${id}`] })
  const early = await server.call({ path: `/1.0/operations/${id}/wait?timeout=0` })
  assert.deepEqual([early.status, early.body.type, early.body.error_code], [200, 'error', 500])
  const waiting = server.call({ path: `/1.0/operations/${id}/wait` })
  gate.resolve()
  assert.equal((await waiting).metadata.status_code, 200)
  const { metadata } = await server.call({ path: '/1.0/operations?recursion=1' })
  assert.deepEqual(metadata.success[0].metadata, { done: true })
  assert.equal((await server.call({ path: `/1.0/operations/${id}/wait?timeout=soon` })).status, 400)
})

test('cancelling: only what can be, and only once', async (t) => {
  const server = await startTestApi(t)
  const never = new Promise<void>(() => {})
  const fixed = run(server, never)
  const open = run(server, never, true)
  const cancel = async (id: string) => (await server.call({ method: 'DELETE', path: `/1.0/operations/${id}` })).status
  assert.equal(await cancel(fixed.id), 400)
  assert.equal(await cancel(open.id), 200)
  assert.equal(await cancel(open.id), 400)
  assert.equal(await cancel('00000000-0000-4000-8000-000000000000'), 404)
})
