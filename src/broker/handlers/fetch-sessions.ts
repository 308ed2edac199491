import { randomInt } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { fetch } from '../../wire/api/01-fetch.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { RequestOf } from '../../wire/schema.ts'

type FetchRequest = RequestOf<typeof fetch>

/** One partition that is to be read. */
export interface FetchTarget {
  /** Empty where the request names topics by id, and the other way round. */
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  currentLeaderEpoch: number
  fetchOffset: number
  bytesMax: number
  /** What the client was told last, so that only news is told again; −1: nothing. */
  toldHighWatermark: number
  toldLogStart: number
}

/** Which partitions a request is about, and how its answer is bound to a session. */
export type FetchContext =
  | { readonly kind: 'error'; readonly code: number }
  /** No session is wanted, or there can be none. */
  | { readonly kind: 'sessionless'; readonly targets: readonly FetchTarget[] }
  /** Begins a session, when there is room for one. */
  | { readonly kind: 'full'; readonly targets: readonly FetchTarget[]; readonly byId: boolean }
  | {
      readonly kind: 'incremental'
      readonly targets: readonly FetchTarget[]
      readonly session: FetchSession
      /** What the session's epoch is until another request comes. */
      readonly epoch: number
    }

interface FetchSession {
  readonly id: number
  readonly principal: string
  readonly byId: boolean
  /** In the order of reading: what gave records goes to the end. */
  readonly targets: Map<string, FetchTarget>
  epoch: number
  usedMs: number
}

/** As Apache's `max.incremental.fetch.session.cache.slots`. */
const sessionsMax = 1000
const targetsPerSessionMax = 20_000
const targetsMax = 200_000
/** A session that was not used for so long gives way to a new one. */
const evictableAfterMs = 120_000
const topicIdVersion = 13
const beginEpoch = 0
const endEpoch = -1
const int32Max = 2 ** 31 - 1

/**
 * Incremental fetch sessions (KIP-227) of one broker: a client names a partition once, and again when something about
 * it changes; answers leave out what has not changed. A session is its principal's, whatever the connection.
 */
export class FetchSessions {
  readonly #clock: Clock
  /** Least recently used first. */
  readonly #sessions = new Map<number, FetchSession>()
  #targets = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get count(): number {
    return this.#sessions.size
  }

  begin(request: FetchRequest, version: number, principal: string): FetchContext {
    const byId = version >= topicIdVersion
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === beginEpoch || sessionEpoch === endEpoch) {
      if (sessionId !== 0 && this.#sessions.get(sessionId)?.principal === principal) this.#remove(sessionId)
      const targets = targetsOf(request)
      return sessionEpoch === endEpoch ? { kind: 'sessionless', targets } : { kind: 'full', targets, byId }
    }
    const session = this.#sessions.get(sessionId)
    if (!session || session.principal !== principal) return failed('FETCH_SESSION_ID_NOT_FOUND')
    if (session.epoch !== sessionEpoch) return failed('INVALID_FETCH_SESSION_EPOCH')
    if (session.byId !== byId) return failed('FETCH_SESSION_TOPIC_ID_ERROR')
    return this.#continue(session, request)
  }

  #continue(session: FetchSession, request: FetchRequest): FetchContext {
    const before = session.targets.size
    for (const target of targetsOf(request)) {
      const known = session.targets.get(keyOf(target))
      if (known) update(known, target)
      else session.targets.set(keyOf(target), target)
    }
    for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
      for (const partition of partitions) session.targets.delete(keyOf({ topic, topicId, partition }))
    }
    this.#targets += session.targets.size - before
    const targets = [...session.targets.values()]
    if (targets.length === 0 || targets.length > targetsPerSessionMax) {
      this.#remove(session.id)
      return targets.length === 0 ? { kind: 'sessionless', targets } : failed('FETCH_SESSION_ID_NOT_FOUND')
    }
    session.epoch = session.epoch === int32Max ? 1 : session.epoch + 1
    session.usedMs = this.#clock.monotonicMs()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
    return { kind: 'incremental', targets, session, epoch: session.epoch }
  }

  /** The id of a new session of these partitions; 0 when there is no room for one. */
  open(targets: readonly FetchTarget[], byId: boolean, principal: string): number {
    if (targets.length === 0 || !this.#makeRoom(targets.length)) return 0
    const byKey = new Map(targets.map((target) => [keyOf(target), target]))
    const session = { id: this.#newId(), principal, byId, targets: byKey, epoch: 1, usedMs: this.#clock.monotonicMs() }
    this.#sessions.set(session.id, session)
    this.#targets += byKey.size
    return session.id
  }

  #makeRoom(wanted: number): boolean {
    if (wanted > targetsPerSessionMax) return false
    const nowMs = this.#clock.monotonicMs()
    for (const session of this.#sessions.values()) {
      if (this.#sessions.size < sessionsMax && this.#targets + wanted <= targetsMax) break
      if (nowMs - session.usedMs < evictableAfterMs) return false
      this.#remove(session.id)
    }
    return true
  }

  #newId(): number {
    for (;;) {
      const id = randomInt(1, int32Max)
      if (!this.#sessions.has(id)) return id
    }
  }

  #remove(sessionId: number): void {
    const session = this.#sessions.get(sessionId)
    if (!session) return
    this.#sessions.delete(sessionId)
    this.#targets -= session.targets.size
  }
}

/** The next request reads the others first. */
export function moveToEnd(session: FetchSession, target: FetchTarget): void {
  const key = keyOf(target)
  if (session.targets.delete(key)) session.targets.set(key, target)
}

function targetsOf({ topics }: FetchRequest): FetchTarget[] {
  const targets: FetchTarget[] = []
  for (const { topic, topicId, partitions } of topics) {
    for (const { partition, currentLeaderEpoch, fetchOffset, partitionMaxBytes } of partitions) {
      targets.push({
        topic,
        topicId,
        partition,
        currentLeaderEpoch,
        fetchOffset,
        bytesMax: partitionMaxBytes,
        toldHighWatermark: -1,
        toldLogStart: -1,
      })
    }
  }
  return targets
}

function update(known: FetchTarget, wanted: FetchTarget): void {
  known.currentLeaderEpoch = wanted.currentLeaderEpoch
  known.fetchOffset = wanted.fetchOffset
  known.bytesMax = wanted.bytesMax
}

/** Of topic and topic id one is always the zero of its kind. */
function keyOf({ topic, topicId, partition }: Pick<FetchTarget, 'topic' | 'topicId' | 'partition'>): string {
  return `${topic}\n${topicId}\n${partition}`
}

function failed(error: keyof typeof kafkaErrors): FetchContext {
  return { kind: 'error', code: kafkaErrors[error] }
}
