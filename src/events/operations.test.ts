import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sleep, systemClock } from '../base/clock.ts'
import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import { silentLog } from '../base/log.ts'
import { EventBus } from './bus.ts'
import type { OperationBody } from './operation.ts'
import { Operations } from './operations.ts'

const task = { class: 'task', description: 'Copying' } as const

function setUp(context: TestContext): { bus: EventBus; operations: Operations } {
  const bus = new EventBus({ clock: systemClock, log: silentLog })
  const statusOf = (error: unknown) => (isLinkspanError(error, 'not-found') ? 404 : 500)
  const operations = new Operations({ clock: systemClock, log: silentLog, bus, statusOf })
  context.after(() => operations[Symbol.asyncDispose]())
  return { bus, operations }
}

const untilAborted: OperationBody = (_operation, signal) => sleep(2 ** 30, signal)

test('an operation runs, tells of its progress, and is seen by the bus at every step', async (context) => {
  const { bus, operations } = setUp(context)
  const events = bus.subscribe({ types: ['operation'] })
  const requestor = { username: 'root', protocol: 'unix', address: '@' }
  const resources = { topics: ['/1.0/topics/orders'] }
  const operation = operations.run({ ...task, resources, requestor, project: 'default' }, async (own) => {
    own.update({ percent: 50 })
    return { percent: 100 }
  })
  const view = await operations.wait(operation.id, null)
  const { id, created_at, updated_at, ...rest } = view
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.ok(created_at <= updated_at)
  assert.deepEqual(rest, {
    class: 'task',
    description: 'Copying',
    status: 'Success',
    status_code: 200,
    resources,
    metadata: { percent: 100 },
    may_cancel: false,
    err: '',
    err_code: 0,
    child_count: 0,
    location: 'none',
    requestor,
  })
  const steps = []
  for await (const { type, metadata, project } of events) {
    assert.ok(type === 'operation')
    steps.push([metadata.status, metadata.metadata, project])
    if (metadata.status_code >= 200) break
  }
  assert.deepEqual(steps, [
    ['Running', null, 'default'],
    ['Running', { percent: 50 }, 'default'],
    ['Success', { percent: 100 }, 'default'],
  ])
  operation.update({ percent: 0 })
  assert.deepEqual(operation.view, view)
})

test('a failure is told with its sentence and status, whether awaited or thrown at once', async (context) => {
  const { operations } = setUp(context)
  const failed = operations.run(task, async () => {
    throw new LinkspanError('not-found', 'There is no topic orders')
  })
  const thrown = operations.run(task, () => {
    throw new TypeError('x is undefined')
  })
  const view = await operations.wait(failed.id, null)
  assert.deepEqual(
    [view.status, view.status_code, view.err, view.err_code],
    ['Failure', 400, 'There is no topic orders', 404],
  )
  assert.equal((await operations.wait(thrown.id, null)).err_code, 500)
})

test('what may be cancelled is, once, and shows as cancelled', async (context) => {
  const { operations } = setUp(context)
  const token = operations.run({ class: 'token', description: 'Token', metadata: { secret: 's' } }, untilAborted)
  assert.deepEqual([token.view.status_code, token.view.may_cancel, token.view.metadata], [103, true, { secret: 's' }])
  operations.cancel(token.id)
  assert.throws(() => operations.cancel(token.id), { code: 'invalid-request' })
  const view = await operations.wait(token.id, 1000)
  assert.deepEqual([view.status, view.status_code, view.err_code], ['Cancelled', 401, 500])
  assert.throws(() => operations.cancel(token.id), { code: 'invalid-request', message: /ended already/ })
  assert.equal(operations.get(token.id), token)

  const fixed = operations.run(task, untilAborted)
  assert.throws(() => operations.cancel(fixed.id), { code: 'invalid-request', message: /cannot be cancelled/ })
  assert.throws(() => operations.cancel('none'), { code: 'not-found' })
})

test('work that ends well although it was cancelled is a success', async (context) => {
  const { operations } = setUp(context)
  const operation = operations.run({ ...task, mayCancel: true }, async (_own, signal) => {
    await untilAborted(operation, signal).catch(() => {})
  })
  operations.cancel(operation.id)
  assert.equal(operation.status, 'Cancelling')
  assert.equal((await operations.wait(operation.id, null)).status, 'Success')
})

test('waiting ends by time, by signal or by the end', async (context) => {
  const { operations } = setUp(context)
  const { id } = operations.run(task, untilAborted)
  await assert.rejects(operations.wait(id, 5), { code: 'timeout', message: new RegExp(id) })
  const controller = new AbortController()
  const waiting = operations.wait(id, null, controller.signal)
  controller.abort(new LinkspanError('closed', 'gone'))
  await assert.rejects(waiting, { code: 'closed' })
  assert.throws(() => operations.wait('none', 5), { code: 'not-found' })
})

test('ended operations are shown for five seconds', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const { operations } = setUp(context)
  const { id } = operations.run(task, async () => {})
  await operations.wait(id, null)
  context.mock.timers.tick(4999)
  assert.deepEqual(
    operations.list().map((operation) => operation.id),
    [id],
  )
  context.mock.timers.tick(1)
  assert.deepEqual(operations.list(), [])
  assert.throws(() => operations.get(id), { code: 'not-found' })
})

test('running and ended operations are bounded', async (context) => {
  const { operations } = setUp(context)
  const done = []
  for (let count = 0; count < 1001; count += 1) {
    const { id } = operations.run(task, async () => {})
    await operations.wait(id, null)
    done.push(id)
  }
  assert.deepEqual(
    operations.list().map(({ id }) => id),
    done.slice(1),
  )
  for (let count = 0; count < 1000; count += 1) operations.run(task, untilAborted)
  assert.throws(() => operations.run(task, untilAborted), { code: 'rate-limited', message: /1000 operations/ })
})

test('stopping ends all work and waits for it', async (context) => {
  const { operations } = setUp(context)
  let ended = false
  const operation = operations.run(task, async (_own, signal) => {
    try {
      await untilAborted(operation, signal)
    } finally {
      await new Promise((next) => setImmediate(next))
      ended = true
    }
  })
  await operations[Symbol.asyncDispose]()
  assert.equal(ended, true)
  assert.deepEqual([operation.status, operation.view.err], ['Cancelled', 'The daemon is stopping'])
  assert.throws(() => operations.run(task, untilAborted), { code: 'closed' })
})
