import type { Clock } from '../base/clock.ts'
import { LinkspanError } from '../base/errors.ts'
import type { LinkId, MirrorId } from '../base/ids.ts'
import type { RowChange } from '../store/row-log.ts'
import type { RowsView } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import { advance, isLive, type MirrorEvent } from './lifecycle.ts'
import { type MirrorRow, mirrorTable, type SyncedGroupRow, syncedGroupKey, syncedGroupTable } from './rows.ts'

const mirrorsMax = 100_000
const syncedGroupsMax = 100_000

export interface Advanced {
  row: MirrorRow
  /** False: the event did not concern the state. */
  changed: boolean
}

/** The rows of mirrors, and the only commands that change them. What resolved survives a crash. */
export class MirrorBook {
  readonly #store: Store
  readonly #clock: Clock

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** By topic; of mirrors of one topic the newest last. */
  list(): MirrorRow[] {
    return listMirrors(this.#store.rows)
  }

  ofLink(linkId: LinkId): MirrorRow[] {
    return this.list().filter((row) => row.linkId === linkId)
  }

  /** Stopped ones too. */
  ofTopic(topic: string): MirrorRow[] {
    return this.list().filter((row) => row.topic === topic)
  }

  byId(mirrorId: MirrorId): MirrorRow | undefined {
    return this.#store.rows.get(mirrorTable, mirrorId)
  }

  /** The mirror of a link with this topic, stopped ones too. */
  find(linkId: LinkId, topic: string): MirrorRow | undefined {
    return this.ofTopic(topic).findLast((row) => row.linkId === linkId)
  }

  /** The one mirror that the topic is at present. */
  live(topic: string): MirrorRow | undefined {
    return this.ofTopic(topic).find(({ state }) => isLive(state))
  }

  /** A new mirror; what the same link knows of an older one of that topic goes. Throws `already-exists`. */
  async insert(row: MirrorRow): Promise<MirrorRow> {
    return await this.#store.execute('create mirror', (rows) => {
      const known = listMirrors(rows)
      const same = known.filter(({ topic }) => topic === row.topic)
      if (same.some(({ state }) => isLive(state))) throw topicExists(row.topic)
      if (known.length >= mirrorsMax) {
        throw new LinkspanError('too-large', `There are ${mirrorsMax} mirror topics already: delete some of them first`)
      }
      const older = same.filter(({ linkId }) => linkId === row.linkId)
      const changes = older.map(({ mirrorId }) => mirrorTable.remove(mirrorId))
      return { changes: [...changes, mirrorTable.put(row.mirrorId, row)], result: row }
    })
  }

  /** Undefined when the mirror is gone. `change` sees the newest row. */
  async change(
    name: string,
    mirrorId: MirrorId,
    change: (row: MirrorRow) => MirrorRow,
  ): Promise<MirrorRow | undefined> {
    return await this.#store.execute(name, (rows) => {
      const row = rows.get(mirrorTable, mirrorId)
      if (!row) return { changes: [], result: undefined }
      const next = change(row)
      return { changes: next === row ? [] : [mirrorTable.put(mirrorId, next)], result: next }
    })
  }

  /** Lets an event happen to a mirror. Throws `state-conflict` for a wish that does not fit. Undefined: it is gone. */
  async advance(mirrorId: MirrorId, event: MirrorEvent): Promise<Advanced | undefined> {
    let changed = false
    const row = await this.change(`mirror ${event.kind}`, mirrorId, (before) => {
      const next = withEvent(before, event, this.#clock.wallMs())
      changed = next !== before
      return next
    })
    return row && { row, changed }
  }

  async remove(mirrorId: MirrorId): Promise<void> {
    await this.#store.execute('forget mirror', () => ({ changes: [mirrorTable.remove(mirrorId)], result: undefined }))
  }

  /** Everything of a link, its history too. */
  async removeLink(linkId: LinkId): Promise<void> {
    await this.#store.execute('forget mirrors of link', (rows) => {
      const mirrors = listMirrors(rows).filter((row) => row.linkId === linkId)
      const groups = listGroups(rows).filter((row) => row.linkId === linkId)
      const changes: RowChange[] = [
        ...mirrors.map(({ mirrorId }) => mirrorTable.remove(mirrorId)),
        ...groups.map(({ group }) => syncedGroupTable.remove(syncedGroupKey(linkId, group))),
      ]
      return { changes, result: undefined }
    })
  }

  groups(): SyncedGroupRow[] {
    return listGroups(this.#store.rows)
  }

  groupsOf(linkId: LinkId): SyncedGroupRow[] {
    return this.groups().filter((row) => row.linkId === linkId)
  }

  /** To be called before offsets of these groups are written. Throws `too-large`. */
  async rememberGroups(linkId: LinkId, groups: readonly { group: string; topics: readonly string[] }[]): Promise<void> {
    const isKnown = ({ group, topics }: { group: string; topics: readonly string[] }) => {
      const known = this.#store.rows.get(syncedGroupTable, syncedGroupKey(linkId, group))
      return known !== undefined && topics.every((topic) => known.topics.includes(topic))
    }
    const fresh = groups.filter((one) => !isKnown(one))
    if (fresh.length === 0) return
    await this.#store.execute('remember consumer groups', (rows) => {
      if (rows.count(syncedGroupTable) + fresh.length > syncedGroupsMax) {
        throw new LinkspanError(
          'too-large',
          `Offsets of ${syncedGroupsMax} groups are copied already: narrow the filters`,
        )
      }
      const changes = fresh.map(({ group, topics }) => {
        const key = syncedGroupKey(linkId, group)
        const all = new Set([...(rows.get(syncedGroupTable, key)?.topics ?? []), ...topics])
        return syncedGroupTable.put(key, { linkId, group, topics: [...all].sort() })
      })
      return { changes, result: undefined }
    })
  }
}

export function withEvent(row: MirrorRow, event: MirrorEvent, nowMs: number): MirrorRow {
  let state: MirrorRow['state']
  try {
    state = advance(row.state, event)
  } catch (error) {
    if (!(error instanceof LinkspanError)) throw error
    throw new LinkspanError(error.code, `Topic '${row.topic}' ${error.message}`)
  }
  return state === row.state ? row : { ...row, state, stateMs: nowMs }
}

/** Confluent's clients look for this very sentence. */
export function topicExists(topic: string): LinkspanError {
  return new LinkspanError('already-exists', `Topic '${topic}' already exists.`, { details: { errorCode: 40002 } })
}

function listMirrors(rows: RowsView): MirrorRow[] {
  const mirrors = rows.list(mirrorTable).map(({ row }) => row)
  return mirrors.sort((one, other) => {
    if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1
    return one.createdMs - other.createdMs
  })
}

function listGroups(rows: RowsView): SyncedGroupRow[] {
  return rows.list(syncedGroupTable).map(({ row }) => row)
}
