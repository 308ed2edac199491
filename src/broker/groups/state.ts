import { assert } from '../../base/errors.ts'

export type GroupState =
  /** `sinceMs`, wall time, null: it never had members. */
  | { name: 'Empty'; sinceMs: number | null }
  | { name: 'PreparingRebalance'; opening: Opening | null }
  | { name: 'CompletingRebalance' }
  | { name: 'Stable' }
  | { name: 'Dead' }

/** The first round of a group that was empty: it waits for others to come, and goes on waiting while they do. */
export interface Opening {
  delayMs: number
  /** What of the rebalance timeout is left after the delay. */
  remainingMs: number
  memberAdded: boolean
}

export type GroupEvent =
  | { kind: 'rebalance'; opening: Opening }
  | { kind: 'member-added' }
  | { kind: 'opening-extended'; opening: Opening }
  | { kind: 'round-over'; members: number; nowMs: number }
  | { kind: 'assigned' }
  | { kind: 'end' }

/**
 * What an event makes of a group's state, as in Apache's ClassicGroupState. An event that cannot happen in a state is a
 * bug of ours.
 *
 *     state               | rebalance       | member-added | round-over            | assigned | end
 *     --------------------|-----------------|--------------|-----------------------|----------|-----
 *     Empty               | Preparing, open | =            | no                    | no       | Dead
 *     PreparingRebalance  | no              | = ¹          | Completing, or Empty² | no       | Dead
 *     CompletingRebalance | Preparing       | =            | no                    | Stable   | Dead
 *     Stable              | Preparing       | =            | no                    | no       | Dead
 *     Dead                | no              | no           | no                    | no       | Dead
 *
 * ¹ The opening notes it, and may be extended. ² Nobody is left.
 */
export function advance(state: GroupState, event: GroupEvent): GroupState {
  if (event.kind === 'end') return { name: 'Dead' }
  switch (state.name) {
    case 'Empty':
      if (event.kind === 'rebalance') return { name: 'PreparingRebalance', opening: event.opening }
      return event.kind === 'member-added' ? state : impossible(state, event)
    case 'PreparingRebalance':
      return preparing(state, event)
    case 'CompletingRebalance':
      if (event.kind === 'assigned') return { name: 'Stable' }
      return withMembers(state, event)
    case 'Stable':
      return withMembers(state, event)
    case 'Dead':
      return impossible(state, event)
  }
}

function preparing(state: GroupState & { name: 'PreparingRebalance' }, event: GroupEvent): GroupState {
  switch (event.kind) {
    case 'member-added':
      return state.opening ? { ...state, opening: { ...state.opening, memberAdded: true } } : state
    case 'opening-extended':
      return { ...state, opening: event.opening }
    case 'round-over':
      return event.members > 0 ? { name: 'CompletingRebalance' } : { name: 'Empty', sinceMs: event.nowMs }
    default:
      return impossible(state, event)
  }
}

function withMembers(state: GroupState, event: GroupEvent): GroupState {
  if (event.kind === 'rebalance') return { name: 'PreparingRebalance', opening: null }
  return event.kind === 'member-added' ? state : impossible(state, event)
}

function impossible(state: GroupState, event: GroupEvent): never {
  assert(false, `a group that is ${state.name} meets "${event.kind}"`)
}
