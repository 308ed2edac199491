import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../base/log.ts'
import { EventBus } from './bus.ts'
import type { LinkspanEvent } from './event.ts'
import { publishLog } from './publish-log.ts'

const clock = { wallMs: () => 0, monotonicMs: () => 0 }

test('lines of the log are events with texts, for those who watch', async () => {
  const lines: string[] = []
  const base = { ...silentLog, info: (_: object, message: string) => void lines.push(message), child: () => base }
  await using bus = new EventBus({ clock, log: silentLog })
  const log = publishLog(base, bus).child({ room: 'link' })
  log.info({}, 'nobody watches')
  const subscription = bus.subscribe({ types: ['logging'] })
  log.warn({ err: new Error('why'), count: 3n, list: [1], missing: undefined }, 'x'.repeat(5000))
  log.info({ text: 'as it is' }, 'seen')
  const seen: LinkspanEvent['metadata'][] = []
  for (let index = 0; index < 2; index += 1) seen.push((await subscription.next()).value.metadata)
  assert.deepEqual(seen, [
    {
      level: 'warning',
      message: 'x'.repeat(2000),
      context: { room: 'link', err: 'why', count: '"3"', list: '[1]' },
    },
    { level: 'info', message: 'seen', context: { room: 'link', text: 'as it is' } },
  ])
  assert.deepEqual(lines, ['nobody watches', 'seen'])
})
