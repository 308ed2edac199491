import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { advance, type PartitionEvent, type PartitionState } from './partition-state.ts'
import { stopReason } from './reasons.ts'

const reason = stopReason('foreign-write', 'Somebody else wrote to the mirror', 7)
const events: PartitionEvent[] = [
  { kind: 'open' },
  { kind: 'drain' },
  { kind: 'opened' },
  { kind: 'appended' },
  { kind: 'doubt' },
  { kind: 'finish' },
  { kind: 'settled' },
  { kind: 'stop', reason },
]
const anyEvents = fc.array(fc.constantFrom(...events), { maxLength: 40 })

function run(all: readonly PartitionEvent[]): PartitionState[] {
  let state: PartitionState = { phase: 'waiting' }
  return all.map((event) => {
    state = advance(state, event)
    return state
  })
}

test('the way to flowing is waiting, opening, perhaps draining, alone: each step by its own event', () => {
  const ways: Record<string, string[]> = {
    opening: ['waiting+open'],
    draining: ['opening+drain'],
    alone: ['opening+opened', 'draining+opened'],
    flowing: ['alone+appended'],
    waiting: ['opening+doubt', 'draining+doubt', 'alone+doubt', 'flowing+doubt'],
  }
  fc.assert(
    fc.property(anyEvents, (all) => {
      let phase: string = 'waiting'
      run(all).forEach((state, index) => {
        const step = `${phase}+${all[index]?.kind}`
        if (state.phase !== phase && state.phase in ways) assert.ok(ways[state.phase]?.includes(step), step)
        phase = state.phase
      })
    }),
  )
})

test('what has stopped stays so, with its first reason', () => {
  fc.assert(
    fc.property(anyEvents, (all) => {
      const states = run(all)
      const first = states.findIndex(({ phase }) => phase === 'stopped')
      if (first < 0) return
      for (const state of states.slice(first)) assert.deepEqual(state, states[first])
    }),
  )
})

test('nothing opens or flows again after a stop was asked for', () => {
  fc.assert(
    fc.property(anyEvents, (all) => {
      const states = run(all)
      const finished = all.findIndex(({ kind }) => kind === 'finish')
      if (finished < 0) return
      for (const { phase } of states.slice(finished)) assert.ok(phase === 'finishing' || phase === 'stopped')
    }),
  )
})
