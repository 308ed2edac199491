import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../base/log.ts'
import { ManualTime } from './test-world.ts'
import { Timers } from './timers.ts'

test('timers fire in the order of their times, moved and stopped ones too, by one alarm', async () => {
  const time = new ManualTime()
  let alarms = 0
  const alarm = (delayMs: number, ring: () => void) => {
    alarms += 1
    return time.alarm(delayMs, ring)
  }
  using timers = new Timers({ clock: time, alarm, log: silentLog })
  const fired: string[] = []
  const all = Array.from({ length: 200 }, () => timers.create())
  all.forEach((timer, index) => {
    timer.start(1000 + ((index * 37) % 200), () => fired.push(`${(index * 37) % 200}`))
  })
  const alarmsBefore = alarms
  for (let beat = 0; beat < 50; beat += 1) all[beat]!.start(2000 + beat, () => fired.push(`late ${beat}`))
  assert.equal(alarms, alarmsBefore, 'moved later, nothing rings anew')
  for (let index = 100; index < 150; index += 1) all[index]!.stop()
  all[199]!.start(5, () => {
    throw new Error('a bug of ours')
  })
  await time.pass(1500)
  const early = [...Array(50).keys()].map((index) => ((index + 50) * 37) % 200)
  const last = [...Array(49).keys()].map((index) => ((index + 150) * 37) % 200)
  const expected = [...early, ...last].sort((one, two) => one - two).map(String)
  assert.deepEqual(fired, expected)
  fired.length = 0
  await time.pass(1500)
  assert.deepEqual(
    fired,
    [...Array(50).keys()].map((beat) => `late ${beat}`),
  )
})
