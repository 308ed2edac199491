import type { Clock } from '../base/clock.ts'
import { explainError, LinkspanError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { RowChange } from '../store/row-log.ts'
import type { RowsView } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import { defineTable } from '../store/table.ts'

export type WarningSeverity = 'low' | 'moderate' | 'high'
export type WarningStatus = 'new' | 'acknowledged' | 'resolved'

/** Something that is wrong, and stays so until somebody does something, or it goes away by itself. */
export interface WarningRow {
  /** The row's key. */
  uuid: string
  /** In words, such as `Kafka is not reached`; with the entity it says which warning it is. */
  type: string
  /** URL of what it is about; empty for the whole daemon. */
  entity: string
  severity: WarningSeverity
  status: WarningStatus
  message: string
  count: number
  firstSeenMs: number
  lastSeenMs: number
  /** Of the status. */
  changedMs: number
}

/** One warning is one type about one entity. */
export interface WarningKey {
  type: string
  entity?: string
}

export interface NewWarning extends WarningKey {
  message: string
  severity: WarningSeverity
}

export const warningTable = defineTable<WarningRow>('warning', 1)

const warningsMax = 500
const messageCharactersMax = 2000
/** What is raised again and again is written so often. */
const writeIntervalMs = 60_000
/** So long can people see that it is over: LXD's time. */
const resolvedVisibleMs = 24 * 3_600_000

/** What is wrong here, for an operator to see and to acknowledge. It outlives the daemon. */
export class Warnings {
  readonly #store: Store
  readonly #clock: Clock
  readonly #log: Log
  /** Of warnings that were raised again and not written since. */
  readonly #unwritten = new Map<string, { count: number; lastSeenMs: number }>()

  constructor(options: { store: Store; clock: Clock; log: Log }) {
    this.#store = options.store
    this.#clock = options.clock
    this.#log = options.log
  }

  /** By when they were first seen. */
  list(): WarningRow[] {
    return warningsIn(this.#store.rows).map((row) => this.#withUnwritten(row))
  }

  /** Throws `not-found`. */
  get(uuid: string): WarningRow {
    return this.#withUnwritten(requireWarning(this.#store.rows, uuid))
  }

  /** Something is wrong, still or again. Whoever finds out goes on: a failure to note it is only logged. */
  async raise(warning: NewWarning): Promise<void> {
    const message = warning.message.slice(0, messageCharactersMax)
    const nowMs = this.#clock.wallMs()
    const known = find(this.#store.rows, warning)
    if (known && this.#isRecent(known, { ...warning, message }, nowMs)) {
      const { count = 0 } = this.#unwritten.get(known.uuid) ?? {}
      this.#unwritten.set(known.uuid, { count: count + 1, lastSeenMs: nowMs })
      return
    }
    this.#log.warn({ type: warning.type, entity: warning.entity, reason: message }, 'Warning')
    await this.#try(() => {
      return this.#store.execute('raise warning', (rows) => {
        const before = find(rows, warning)
        const row = before
          ? raisedAgain(this.#withUnwritten(before), { ...warning, message }, nowMs)
          : newWarning({ ...warning, message }, nowMs)
        this.#unwritten.delete(row.uuid)
        return { changes: [warningTable.put(row.uuid, row), ...(before ? [] : roomChanges(rows))], result: undefined }
      })
    })
  }

  /** It is over. Nothing happens if it was not raised. */
  async resolve(key: WarningKey): Promise<void> {
    if ((find(this.#store.rows, key)?.status ?? 'resolved') === 'resolved') return
    await this.#try(() => {
      return this.#store.execute('resolve warning', (rows) => {
        const before = find(rows, key)
        if (!before) return { changes: [], result: undefined }
        return { changes: [this.#statusChange(before, 'resolved')], result: undefined }
      })
    })
  }

  /** An operator's wish. Throws `not-found`. */
  setStatus(uuid: string, status: WarningStatus, check: (row: WarningRow) => void = () => {}): Promise<void> {
    return this.#store.execute('change warning', (rows) => {
      const before = requireWarning(rows, uuid)
      check(this.#withUnwritten(before))
      return { changes: [this.#statusChange(before, status)], result: undefined }
    })
  }

  /** Throws `not-found`. */
  async delete(uuid: string): Promise<void> {
    await this.#store.execute('delete warning', (rows) => {
      requireWarning(rows, uuid)
      return { changes: [warningTable.remove(uuid)], result: undefined }
    })
    this.#unwritten.delete(uuid)
  }

  /** Deletes what was resolved a day ago. To be called now and then. */
  async prune(): Promise<void> {
    await this.#store.execute('prune warnings', (rows) => {
      const beforeMs = this.#clock.wallMs() - resolvedVisibleMs
      const old = warningsIn(rows).filter(({ status, changedMs }) => status === 'resolved' && changedMs < beforeMs)
      return { changes: old.map(({ uuid }) => warningTable.remove(uuid)), result: undefined }
    })
  }

  #isRecent(known: WarningRow, { message, severity }: NewWarning, nowMs: number): boolean {
    const same = known.status !== 'resolved' && known.message === message && known.severity === severity
    return same && nowMs - known.lastSeenMs < writeIntervalMs && nowMs >= known.lastSeenMs
  }

  #withUnwritten(row: WarningRow): WarningRow {
    const more = this.#unwritten.get(row.uuid)
    return more ? { ...row, count: row.count + more.count, lastSeenMs: more.lastSeenMs } : row
  }

  #statusChange(before: WarningRow, status: WarningStatus): RowChange {
    const row = { ...this.#withUnwritten(before), status, changedMs: this.#clock.wallMs() }
    this.#unwritten.delete(row.uuid)
    return warningTable.put(row.uuid, row)
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#log.error({ reason: explainError(error) }, 'A warning could not be noted')
    }
  }
}

function warningsIn(rows: RowsView): WarningRow[] {
  return rows
    .list(warningTable)
    .map(({ row }) => row)
    .sort((one, other) => one.firstSeenMs - other.firstSeenMs)
}

function find(rows: RowsView, { type, entity = '' }: WarningKey): WarningRow | undefined {
  return warningsIn(rows).find((row) => row.type === type && row.entity === entity)
}

function requireWarning(rows: RowsView, uuid: string): WarningRow {
  const row = uuid === '' ? undefined : rows.get(warningTable, uuid)
  if (row) return row
  throw new LinkspanError('not-found', `There is no warning ${JSON.stringify(uuid.slice(0, 100))}: list them first`)
}

function newWarning({ type, entity = '', severity, message }: NewWarning, nowMs: number): WarningRow {
  const times = { firstSeenMs: nowMs, lastSeenMs: nowMs, changedMs: nowMs }
  return { uuid: crypto.randomUUID(), type, entity, severity, status: 'new', message, count: 1, ...times }
}

/** What was over is new again; what somebody acknowledged stays so. */
function raisedAgain(before: WarningRow, { severity, message }: NewWarning, nowMs: number): WarningRow {
  const again = { ...before, severity, message, count: before.count + 1, lastSeenMs: nowMs }
  return before.status === 'resolved' ? { ...again, status: 'new', changedMs: nowMs } : again
}

/** Room for one more: what is over goes first, then what was not seen for the longest time. */
function roomChanges(rows: RowsView): RowChange[] {
  const rank = ({ status, lastSeenMs }: WarningRow) => lastSeenMs + (status === 'resolved' ? 0 : 1e15)
  const byRank = warningsIn(rows).sort((one, other) => rank(one) - rank(other))
  const tooMany = Math.max(0, byRank.length + 1 - warningsMax)
  return byRank.slice(0, tooMany).map(({ uuid }) => warningTable.remove(uuid))
}
