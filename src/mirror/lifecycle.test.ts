import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LinkspanError } from '../base/errors.ts'
import { mirrorStatuses } from '../contract/kafka-v3.ts'
import { categoryOf } from './lag-board.ts'
import { advance, isLive, isPumping, type MirrorEvent, type MirrorState, statusOf } from './lifecycle.ts'

const failure = { topicError: 'ILLEGAL_STATE', code: 'foreign-write', message: 'm', partition: 0, offset: 3 } as const

const events: MirrorEvent[] = [
  { kind: 'set-up' },
  { kind: 'pause' },
  { kind: 'resume' },
  { kind: 'link-paused' },
  { kind: 'link-resumed' },
  { kind: 'link-failed' },
  { kind: 'link-recovered' },
  { kind: 'source-lost' },
  { kind: 'source-back' },
  { kind: 'fail', failure },
  { kind: 'stop', how: 'promote' },
  { kind: 'stop', how: 'failover' },
  { kind: 'stopped' },
]
const wishes = new Set(['pause', 'resume', 'stop'])

/** The state after all of the events; wishes that do not fit change nothing. */
function walk(path: readonly MirrorEvent[], start: MirrorState = { name: 'PENDING_MIRROR' }): MirrorState {
  return path.reduce((state, event) => {
    try {
      return advance(state, event)
    } catch (error) {
      assert.ok(error instanceof LinkspanError && error.code === 'state-conflict', String(error))
      assert.ok(wishes.has(event.kind), `${event.kind} refused`)
      return state
    }
  }, start)
}

const paths = fc.array(fc.constantFrom(...events), { maxLength: 30 })

test('only wishes are refused, STOPPED is for good, and every state is one of Confluent`s', () => {
  fc.assert(
    fc.property(paths, paths, (before, after) => {
      const state = walk(before)
      assert.ok((mirrorStatuses as readonly string[]).includes(statusOf(state)))
      if (state.name === 'STOPPED') assert.equal(walk(after, state), state)
      assert.equal(isLive(state), state.name !== 'STOPPED')
    }),
    { numRuns: 2000 },
  )
})

test('nothing is pumped once a mirror is paused, failed, stopped, or failing over', () => {
  fc.assert(
    fc.property(paths, (path) => {
      const state = walk(path)
      const still = ['PENDING_MIRROR', 'PAUSED', 'LINK_PAUSED', 'FAILED', 'STOPPED'].includes(state.name)
      if (still) assert.equal(isPumping(state), false)
      if (state.name === 'PENDING_STOPPED') assert.equal(isPumping(state), state.kind === 'promote')
      if (state.name === 'ACTIVE') assert.equal(isPumping(state), true)
    }),
    { numRuns: 2000 },
  )
})

test('a pause of the topic outlives pauses and failures of the link, whatever happens between', () => {
  const linkEvents = fc.array(
    fc.constantFrom<MirrorEvent>({ kind: 'link-paused' }, { kind: 'link-resumed' }, { kind: 'link-failed' }),
    { maxLength: 10 },
  )
  fc.assert(
    fc.property(linkEvents, fc.boolean(), (path, paused) => {
      const start: MirrorState = paused ? { name: 'PAUSED' } : { name: 'ACTIVE' }
      const end = walk([...path, { kind: 'link-resumed' }, { kind: 'link-recovered' }], start)
      assert.deepEqual(end, start)
    }),
  )
})

test('a failure ends a promotion but not a failover, and a failover overtakes a promotion', () => {
  const promoting = walk([{ kind: 'set-up' }, { kind: 'stop', how: 'promote' }])
  assert.deepEqual(promoting, { name: 'PENDING_STOPPED', kind: 'promote' })
  assert.equal(walk([{ kind: 'fail', failure }], promoting).name, 'FAILED')
  const failing = walk([{ kind: 'stop', how: 'failover' }], promoting)
  assert.deepEqual(walk([{ kind: 'fail', failure }], failing), { name: 'PENDING_STOPPED', kind: 'failover' })
  assert.deepEqual(walk([{ kind: 'stopped' }], failing), { name: 'STOPPED', kind: 'failover' })
  assert.deepEqual(walk([{ kind: 'stop', how: 'promote' }], failing), failing)
})

test('a promotion may fence its source from the start or later; a failover never does', () => {
  const active = walk([{ kind: 'set-up' }])
  const fenced = { name: 'PENDING_STOPPED', kind: 'promote', fenceSource: true }
  const promote: MirrorEvent = { kind: 'stop', how: 'promote' }
  assert.deepEqual(walk([{ ...promote, fenceSource: true }], active), fenced)
  assert.deepEqual(walk([promote, { ...promote, fenceSource: true }, promote], active), fenced)
  assert.deepEqual(walk([{ kind: 'stop', how: 'failover', fenceSource: true }], active), {
    name: 'PENDING_STOPPED',
    kind: 'failover',
  })
})

test('a FAILED mirror can be resumed or failed over, not promoted; refusals say the way out', () => {
  const failed = walk([{ kind: 'set-up' }, { kind: 'fail', failure }])
  assert.throws(() => advance(failed, { kind: 'stop', how: 'promote' }), /resume it, or fail it over/)
  assert.equal(advance(failed, { kind: 'resume' }).name, 'ACTIVE')
  const paused = walk([{ kind: 'set-up' }, { kind: 'link-paused' }])
  assert.throws(() => advance(paused, { kind: 'resume' }), /cluster.link.paused=false/)
  const lost = walk([{ kind: 'set-up' }, { kind: 'source-lost' }])
  assert.throws(() => advance(lost, { kind: 'stop', how: 'promote' }), /fail it over/)
})

test('the categories of partitions follow the state first, then the phase', () => {
  assert.equal(categoryOf({ name: 'ACTIVE' }, 'flowing'), 'ACTIVE')
  assert.equal(categoryOf({ name: 'ACTIVE' }, 'draining'), 'PENDING')
  assert.equal(categoryOf({ name: 'PAUSED' }, 'stopped'), 'PAUSED')
  assert.equal(categoryOf({ name: 'FAILED', failure }, 'stopped'), 'IN_ERROR')
  assert.equal(categoryOf({ name: 'STOPPED', kind: 'promote' }, 'stopped'), 'NOT_APPLICABLE')
})
