import type { ErrorCode } from '../base/errors.ts'
import { LinkspanError } from '../base/errors.ts'
import type { MirrorStatus, MirrorTopicError } from '../contract/kafka-v3.ts'

/** Why a mirror stands still for good, until somebody resumes it. */
export interface MirrorFailure {
  /** Confluent's word for it. */
  topicError: MirrorTopicError
  code: ErrorCode
  /** One sentence: the cause and the way out. */
  message: string
  partition: number | null
  offset: number | null
}

/** `promote`: only when nothing is missing. `failover`: with what is there. */
export type StopKind = 'promote' | 'failover'

/** A stop that is under way. `fenceSource`: the source's writers are denied, so that a promotion finds an end. */
export interface PendingStop {
  name: 'PENDING_STOPPED'
  kind: StopKind
  fenceSource?: boolean
}

/**
 * State of a mirror topic, under Confluent's names. What belongs to the link (paused, failed) hides the topic's own
 * state, which `topicPaused` keeps.
 */
export type MirrorState =
  | { name: 'PENDING_MIRROR' }
  | { name: 'ACTIVE' }
  | { name: 'PAUSED' }
  | { name: 'LINK_PAUSED'; topicPaused: boolean }
  | { name: 'LINK_FAILED'; topicPaused: boolean }
  | { name: 'SOURCE_UNAVAILABLE' }
  | { name: 'FAILED'; failure: MirrorFailure }
  | PendingStop
  | { name: 'STOPPED'; kind: StopKind }

export type MirrorEvent =
  | { kind: 'set-up' }
  | { kind: 'pause' | 'resume' }
  | { kind: 'link-paused' | 'link-resumed' | 'link-failed' | 'link-recovered' }
  | { kind: 'source-lost' | 'source-back' }
  | { kind: 'fail'; failure: MirrorFailure }
  | { kind: 'stop'; how: StopKind; fenceSource?: boolean }
  | { kind: 'stopped' }

/**
 * What an event makes of a state. A person's wish that does not fit throws `state-conflict`; what happens by itself and
 * does not concern the state leaves it as it is (the same object).
 *
 *     state          | set-up | pause  | resume | link goes | link back  | source    | fail    | promote | failover
 *     ---------------|--------|--------|--------|-----------|------------|-----------|---------|---------|---------
 *     PENDING_MIRROR | ACTIVE | no     | no     | =         | =          | =         | FAILED  | no      | no
 *     ACTIVE         | =      | PAUSED | =      | LINK_…    | =          | lost: S_U | FAILED  | P_S     | P_S
 *     S_U            | =      | PAUSED | =      | LINK_…    | =          | back: ACT | FAILED  | no      | P_S
 *     PAUSED         | =      | =      | ACTIVE | LINK_…    | =          | =         | FAILED  | no      | P_S
 *     LINK_PAUSED    | =      | keeps  | no     | =         | underneath | =         | FAILED  | no      | P_S
 *     LINK_FAILED    | =      | keeps  | keeps  | L_PAUSED  | underneath | =         | FAILED  | no      | P_S
 *     FAILED         | =      | no     | ACTIVE | =         | =          | =         | =       | no      | P_S
 *     P_S            | =      | no     | no     | =         | =          | =         | FAILED¹ | =³      | =²
 *     STOPPED        | =      | no     | no     | =         | =          | =         | =       | no      | no
 *
 * P_S is PENDING_STOPPED, S_U is SOURCE_UNAVAILABLE. "Link goes": paused or failed.
 * ¹ A promotion that meets a failure is over; a failover goes on with what is there. ² A promotion becomes one.
 * ³ Asked again with `fenceSource`, a promotion fences from then on.
 */
export function advance(state: MirrorState, event: MirrorEvent): MirrorState {
  switch (state.name) {
    case 'PENDING_MIRROR':
      return pendingMirror(state, event)
    case 'ACTIVE':
    case 'SOURCE_UNAVAILABLE':
      return running(state, event)
    case 'PAUSED':
      return paused(state, event)
    case 'LINK_PAUSED':
    case 'LINK_FAILED':
      return heldByLink(state, event)
    case 'FAILED':
      return failed(state, event)
    case 'PENDING_STOPPED':
      return pendingStopped(state, event)
    case 'STOPPED':
      return isWish(event) ? refuse('has already stopped its mirror: it is an ordinary topic now') : state
  }
}

function pendingMirror(state: MirrorState, event: MirrorEvent): MirrorState {
  if (event.kind === 'set-up') return { name: 'ACTIVE' }
  if (event.kind === 'fail') return { name: 'FAILED', failure: event.failure }
  return isWish(event) ? refuse('is still being set up: try again in a moment') : state
}

function running(state: MirrorState & { name: 'ACTIVE' | 'SOURCE_UNAVAILABLE' }, event: MirrorEvent): MirrorState {
  switch (event.kind) {
    case 'pause':
      return { name: 'PAUSED' }
    case 'link-paused':
      return { name: 'LINK_PAUSED', topicPaused: false }
    case 'link-failed':
      return { name: 'LINK_FAILED', topicPaused: false }
    case 'source-lost':
      return state.name === 'ACTIVE' ? { name: 'SOURCE_UNAVAILABLE' } : state
    case 'source-back':
      return state.name === 'SOURCE_UNAVAILABLE' ? { name: 'ACTIVE' } : state
    case 'fail':
      return { name: 'FAILED', failure: event.failure }
    case 'stop':
      if (event.how === 'promote' && state.name === 'SOURCE_UNAVAILABLE') {
        return refuse('cannot be promoted, because its source cannot be reached: fail it over instead')
      }
      return stopping(event.how, event.fenceSource)
    default:
      return state
  }
}

function stopping(kind: StopKind, fenceSource = false): PendingStop {
  return { name: 'PENDING_STOPPED', kind, ...(kind === 'promote' && fenceSource ? { fenceSource } : {}) }
}

function paused(state: MirrorState, event: MirrorEvent): MirrorState {
  switch (event.kind) {
    case 'resume':
      return { name: 'ACTIVE' }
    case 'link-paused':
      return { name: 'LINK_PAUSED', topicPaused: true }
    case 'link-failed':
      return { name: 'LINK_FAILED', topicPaused: true }
    case 'fail':
      return { name: 'FAILED', failure: event.failure }
    case 'stop':
      if (event.how === 'promote') return refuse('is paused: resume it before it is promoted, or fail it over')
      return { name: 'PENDING_STOPPED', kind: 'failover' }
    default:
      return state
  }
}

function heldByLink(state: MirrorState & { name: 'LINK_PAUSED' | 'LINK_FAILED' }, event: MirrorEvent): MirrorState {
  const isPaused = state.name === 'LINK_PAUSED'
  const { topicPaused } = state
  switch (event.kind) {
    case 'pause':
      return { name: state.name, topicPaused: true }
    case 'resume':
      if (isPaused) return refuse('cannot be resumed, because its link is paused: set cluster.link.paused=false')
      return { name: state.name, topicPaused: false }
    case 'link-paused':
      return isPaused ? state : { name: 'LINK_PAUSED', topicPaused }
    case 'link-failed':
      return isPaused ? state : { name: 'LINK_FAILED', topicPaused }
    case 'link-resumed':
      return isPaused ? underneath(topicPaused) : state
    case 'link-recovered':
      return isPaused ? state : underneath(topicPaused)
    case 'fail':
      return { name: 'FAILED', failure: event.failure }
    case 'stop':
      if (event.how === 'failover') return { name: 'PENDING_STOPPED', kind: 'failover' }
      return refuse(`cannot be promoted, because its link is ${isPaused ? 'paused' : 'failed'}: fail it over instead`)
    default:
      return state
  }
}

function underneath(topicPaused: boolean): MirrorState {
  return topicPaused ? { name: 'PAUSED' } : { name: 'ACTIVE' }
}

function failed(state: MirrorState & { name: 'FAILED' }, event: MirrorEvent): MirrorState {
  if (event.kind === 'resume') return { name: 'ACTIVE' }
  if (event.kind === 'stop' && event.how === 'failover') return { name: 'PENDING_STOPPED', kind: 'failover' }
  return isWish(event) ? refuse(`has failed (${state.failure.message}): resume it, or fail it over`) : state
}

function pendingStopped(state: PendingStop, event: MirrorEvent): MirrorState {
  switch (event.kind) {
    case 'stopped':
      return { name: 'STOPPED', kind: state.kind }
    case 'stop':
      if (state.kind === 'failover') return state
      if (event.how === 'failover') return stopping('failover')
      return event.fenceSource && !state.fenceSource ? stopping('promote', true) : state
    case 'fail':
      return state.kind === 'failover' ? state : { name: 'FAILED', failure: event.failure }
    default:
      return isWish(event) ? refuse('is being stopped already') : state
  }
}

function isWish(event: MirrorEvent): boolean {
  return event.kind === 'pause' || event.kind === 'resume' || event.kind === 'stop'
}

/** The caller puts the topic's name in front. */
function refuse(problem: string): never {
  throw new LinkspanError('state-conflict', problem)
}

/** Whether partitions are to be pumped in this state. */
export function isPumping(state: MirrorState): boolean {
  switch (state.name) {
    case 'ACTIVE':
    case 'SOURCE_UNAVAILABLE':
      return true
    case 'LINK_FAILED':
      return !state.topicPaused
    case 'PENDING_STOPPED':
      return state.kind === 'promote'
    default:
      return false
  }
}

/** A mirror that is still one: its topic belongs to it, and nobody else may write there. */
export function isLive(state: MirrorState): boolean {
  return state.name !== 'STOPPED'
}

export function statusOf(state: MirrorState): MirrorStatus {
  return state.name
}
