import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { LinkspanError } from '../../base/errors.ts'
import { silentLog } from '../../base/log.ts'
import { shortened, type TaskError, taskError } from './task-error.ts'
import { TaskLoop } from './task-loop.ts'

const common = { name: 'test', clock: systemClock, log: silentLog }

test('a round that fails shows why until the next one; rounds never overlap', async () => {
  let rounds = 0
  let running = 0
  let fails = true
  await using loop = new TaskLoop({
    ...common,
    intervalMs: () => 60_000,
    run: async () => {
      rounds += 1
      running += 1
      assert.equal(running, 1)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      if (fails) throw new LinkspanError('kafka-not-permitted', 'grant it')
      return []
    },
  })
  const [one, other] = await Promise.all([loop.runNow(), loop.runNow()])
  assert.deepEqual(one, [{ code: 'AUTHORIZATION_ERROR', message: 'grant it' }])
  assert.equal(one, other)
  assert.equal(loop.state, 'IN_ERROR')
  fails = false
  assert.deepEqual(await loop.runNow(), [])
  assert.deepEqual([loop.state, loop.errors], ['ACTIVE', []])
  assert.ok(rounds <= 3)
})

test('a task that is switched off does nothing, and begins when it is kicked after being switched on', async () => {
  let intervalMs: number | undefined
  const began = Promise.withResolvers<void>()
  await using loop = new TaskLoop({
    ...common,
    intervalMs: () => intervalMs,
    run: async () => {
      began.resolve()
      return []
    },
  })
  assert.equal(loop.state, 'NOT_CONFIGURED')
  intervalMs = 60_000
  // The loop has to be asleep to be woken.
  await new Promise((resolve) => setImmediate(resolve))
  loop.kick()
  await began.promise
})

test('many errors are shown by their number', () => {
  const errors: TaskError[] = Array.from({ length: 30 }, (_, index) => taskError(new Error(String(index))))
  const shown = shortened(errors)
  assert.equal(shown.length, 21)
  assert.deepEqual(shown.at(-1), { code: 'SUPPRESSED_ERRORS', message: '10 more errors are not shown' })
})
