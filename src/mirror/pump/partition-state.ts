import type { StopReason } from './protocol.ts'

/**
 * | state    | open    | drain    | opened        | appended | doubt     | finish    | settled | stop    |
 * | -------- | ------- | -------- | ------------- | -------- | --------- | --------- | ------- | ------- |
 * | waiting  | opening | –        | –             | –        | waiting   | finishing | –       | stopped |
 * | opening  | –       | draining | alone         | –        | waiting   | finishing | –       | stopped |
 * | draining | –       | –        | alone         | –        | waiting   | finishing | –       | stopped |
 * | alone    | –       | –        | –             | flowing  | waiting   | finishing | –       | stopped |
 * | flowing  | –       | –        | –             | –        | waiting   | finishing | –       | stopped |
 * | finishing| –       | –        | –             | –        | –         | –         | stopped | stopped |
 * | stopped  | –       | –        | –             | –        | –         | –         | –       | –       |
 *
 * – : the state stays as it is: what was asked before has been overtaken (an opener that ends after a stop, the answer
 * to an append that was sent before a doubt). Only `alone` and `flowing` may append; `alone` has one batch under way
 * at most.
 */
export type PartitionState =
  /** Until nothing of the time before is unanswered, and a pause is over. */
  | { phase: 'waiting' }
  /** Log end, producer and last batch of the destination are compared with the source. */
  | { phase: 'opening' }
  /** Old data waits until the destination's log end stands still. */
  | { phase: 'draining' }
  | { phase: 'alone' }
  | { phase: 'flowing' }
  /** Nothing more is appended; answers are awaited. */
  | { phase: 'finishing' }
  | { phase: 'stopped'; reason: StopReason | undefined }

export type PartitionEvent =
  | { kind: 'open' }
  | { kind: 'drain' }
  | { kind: 'opened' }
  | { kind: 'appended' }
  | { kind: 'doubt' }
  | { kind: 'finish' }
  | { kind: 'settled' }
  | { kind: 'stop'; reason: StopReason }

const waiting: PartitionState = { phase: 'waiting' }
const finishing: PartitionState = { phase: 'finishing' }

/** What follows from an event: the table above. */
export function advance(state: PartitionState, event: PartitionEvent): PartitionState {
  if (event.kind === 'stop' && state.phase !== 'stopped') return { phase: 'stopped', reason: event.reason }
  switch (state.phase) {
    case 'waiting':
      if (event.kind === 'open') return { phase: 'opening' }
      return event.kind === 'finish' ? finishing : state
    case 'opening':
      if (event.kind === 'drain') return { phase: 'draining' }
      return afterOpening(state, event)
    case 'draining':
      return afterOpening(state, event)
    case 'alone':
      if (event.kind === 'appended') return { phase: 'flowing' }
      return afterFlowing(state, event)
    case 'flowing':
      return afterFlowing(state, event)
    case 'finishing':
      return event.kind === 'settled' ? { phase: 'stopped', reason: undefined } : state
    case 'stopped':
      return state
  }
}

function afterOpening(state: PartitionState, event: PartitionEvent): PartitionState {
  if (event.kind === 'opened') return { phase: 'alone' }
  return afterFlowing(state, event)
}

function afterFlowing(state: PartitionState, event: PartitionEvent): PartitionState {
  if (event.kind === 'doubt') return waiting
  return event.kind === 'finish' ? finishing : state
}
