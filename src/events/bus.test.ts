import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { EventBus } from './bus.ts'
import type { LinkspanEvent } from './event.ts'
import type { Subscription } from './subscription.ts'

const requestor = { username: 'root', protocol: 'unix', address: '@' }

function lifecycle(bus: EventBus, action: string, project?: string): void {
  bus.lifecycle({ action, source: '/1.0/cluster/links/a', requestor, name: 'a' }, project)
}

async function take(subscription: Subscription, count: number): Promise<LinkspanEvent[]> {
  const events: LinkspanEvent[] = []
  while (events.length < count) events.push((await subscription.next()).value as LinkspanEvent)
  return events
}

function actions(events: LinkspanEvent[]): string[] {
  return events.map((event) => (event.type === 'lifecycle' ? event.metadata.action : event.type))
}

test('an event has the envelope that clients know, and no project where it belongs to none', async () => {
  await using bus = new EventBus({
    clock: { ...systemClock, wallMs: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6) },
    log: silentLog,
  })
  const events = bus.subscribe()
  lifecycle(bus, 'cluster-link-created', 'default')
  lifecycle(bus, 'identity-created')
  const [first, second] = await take(events, 2)
  assert.deepEqual(first, {
    type: 'lifecycle',
    timestamp: '2026-01-02T03:04:05.006000000Z',
    metadata: { action: 'cluster-link-created', source: '/1.0/cluster/links/a', requestor, name: 'a' },
    location: 'none',
    project: 'default',
  })
  assert.equal(second?.timestamp, '2026-01-02T03:04:05.006000001Z', 'later is greater, also within a millisecond')
  assert.ok(second && !('project' in second))
})

test('times never go back with the clock', async () => {
  let nowMs = 10_000
  await using bus = new EventBus({ clock: { ...systemClock, wallMs: () => nowMs }, log: silentLog })
  const events = bus.subscribe()
  lifecycle(bus, 'a')
  nowMs = 5000
  lifecycle(bus, 'b')
  nowMs = 10_001
  lifecycle(bus, 'c')
  const times = (await take(events, 3)).map(({ timestamp }) => timestamp)
  assert.deepEqual(times, times.toSorted())
  assert.equal(new Set(times).size, 3)
})

test('subscribers get the types that they want and what they may see', async () => {
  await using bus = new EventBus({ clock: systemClock, log: silentLog })
  const all = bus.subscribe()
  const security = bus.subscribe({ types: ['security'] })
  let allowed = true
  const judged = bus.subscribe({ types: ['lifecycle'], visible: () => allowed })
  lifecycle(bus, 'seen')
  bus.security({ name: 'authz_fail:can_edit:/1.0', level: 'warning', description: 'Refused', requestor })
  allowed = false
  lifecycle(bus, 'hidden')
  bus.logging({ level: 'info', message: 'x', context: {} })
  allowed = true
  lifecycle(bus, 'last')
  assert.deepEqual(actions(await take(all, 5)), ['seen', 'security', 'hidden', 'logging', 'last'])
  assert.deepEqual(actions(await take(security, 1)), ['security'])
  assert.deepEqual(actions(await take(judged, 2)), ['seen', 'last'])
})

test('a slow subscriber is dropped with a reason and holds up nobody', async () => {
  await using bus = new EventBus({ clock: systemClock, log: silentLog })
  const slow = bus.subscribe({ queuedEventsMax: 3 })
  const fast = bus.subscribe()
  for (let count = 0; count < 10; count += 1) lifecycle(bus, `${count}`)
  assert.equal(bus.subscribers, 1)
  assert.equal((await take(fast, 10)).length, 10)
  assert.deepEqual(actions(await take(slow, 3)), ['0', '1', '2'])
  await assert.rejects(slow.next(), { code: 'closed', message: /3 events behind/ })
  assert.equal((await slow.next()).done, true)
})

test('a subscription ends by its signal, by leaving the loop, by a failing filter and with the bus', async () => {
  const bus = new EventBus({ clock: systemClock, log: silentLog })
  const controller = new AbortController()
  const aborted = bus.subscribe({ signal: controller.signal })
  const waiting = aborted.next()
  controller.abort()
  assert.equal((await waiting).done, true)
  assert.equal(bus.subscribe({ signal: controller.signal }).closed, true)

  const left = bus.subscribe()
  lifecycle(bus, 'a')
  for await (const event of left) {
    assert.equal(event.type, 'lifecycle')
    break
  }
  assert.equal(left.closed, true)

  const failing = bus.subscribe({
    visible: () => {
      throw new Error('no such table')
    },
  })
  lifecycle(bus, 'b')
  await assert.rejects(failing.next(), { code: 'internal' })

  const last = bus.subscribe()
  lifecycle(bus, 'not to be shown any more')
  await bus[Symbol.asyncDispose]()
  assert.equal((await last.next()).done, true)
  assert.equal(bus.subscribers, 0)
  assert.throws(() => bus.subscribe(), { code: 'closed' })
})

test('there is a limit to subscribers', async () => {
  await using bus = new EventBus({ clock: systemClock, log: silentLog })
  for (let count = 0; count < 256; count += 1) bus.subscribe()
  assert.throws(() => bus.subscribe(), { code: 'rate-limited' })
})

test('the audit trail keeps the latest thousand security events and no more', async () => {
  await using bus = new EventBus({ clock: systemClock, log: silentLog })
  assert.deepEqual(bus.audit.latest(), [])
  for (let count = 0; count < 3500; count += 1) {
    bus.security({ name: `authn_login_fail:${count}`, level: 'warning', description: 'Refused' })
  }
  const kept = bus.audit.latest()
  assert.equal(kept.length, 1000)
  assert.deepEqual(
    [kept[0]?.metadata.name, kept.at(-1)?.metadata.name],
    ['authn_login_fail:2500', 'authn_login_fail:3499'],
  )
  assert.deepEqual(
    bus.audit.latest(2).map(({ metadata }) => metadata.name),
    kept.slice(-2).map(({ metadata }) => metadata.name),
  )
})
